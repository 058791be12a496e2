// VGG-16 with BatchNormalization for CIFAR, the network of Li et al. and of many after them.
//
// Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
// Recognition", ICLR 2015, arXiv:1409.1556, column D, with the head of Li et al., "Pruning Filters
// for Efficient ConvNets", ICLR 2017, arXiv:1608.08710, Section 4.1: 512 -> 512 -> 10,
// BatchNormalization after every convolution and the first linear layer, no dropout.
// Initialisation (He's fan-out case; linear layers N(0, 0.01)) and names after the code of Liu et
// al., "Rethinking the Value of Network Pruning", ICLR 2019, arXiv:1810.05270.
// Differs: a BatchNormalization scale starts at 1, Liu's at 0.5; convolutions have no bias (as
// Liu's), since the BatchNormalization behind them would take it away.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

struct Stage {
  int64_t filters, layers;
};
constexpr Stage kStages[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};

}  // namespace

Graph vgg16_bn(uint64_t seed) {
  Builder net("vgg16-bn", seed, {.conv = he_fan_out, .linear = normal_0_01});
  ValueId x = net.input({3, 32, 32});
  int position = 0;  // counted over all layers, as in an nn.Sequential
  const auto next = [&] { return "features." + std::to_string(position++); };
  for (const Stage& stage : kStages) {
    for (int64_t layer = 0; layer < stage.layers; ++layer) {
      x = net.conv(next(), x, stage.filters, {.kernel = 3, .padding = 1});
      x = net.batch_norm(next(), x);
      x = net.relu(next(), x);
    }
    x = net.max_pool(next(), x, 2);
  }
  x = net.linear("classifier.0", net.flatten("flatten", x), 512);
  x = net.batch_norm("classifier.1", x);
  x = net.relu("classifier.2", x);
  return net.finish(net.linear("classifier.3", x, 10));
}

}  // namespace coppice
