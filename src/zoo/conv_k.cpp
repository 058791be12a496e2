// Conv-2, Conv-4 and Conv-6, the CIFAR networks of the lottery ticket paper: VGG in small.
//
// Source: Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv:1803.03635, Fig. 2:
// pairs of 3x3 convolutions of 64, 128 and 256 filters with a pool behind each pair, then 256, 256
// and 10 units; Glorot's initialisation, drawn from a normal distribution, biases 0; neither
// normalisation nor dropout.
// Differs: from what is printed of Conv-6, 1.7 M weights; as described it has 2,261,184, which the
// densities that the paper prints fit, too. Names as in torchvision's VGG.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

Graph conv_k(const std::string& name, int64_t pairs, uint64_t seed) {
  Builder net(name, seed, {.conv = glorot_normal, .linear = glorot_normal});
  ValueId x = net.input({3, 32, 32});
  int position = 0;  // counted over all layers, as in an nn.Sequential
  const auto next = [&] { return "features." + std::to_string(position++); };
  for (int64_t pair = 0; pair < pairs; ++pair) {
    for (int64_t layer = 0; layer < 2; ++layer) {
      x = net.conv(next(), x, 64 << pair, {.kernel = 3, .padding = 1, .bias = Bias::zero});
      x = net.relu(next(), x);
    }
    x = net.max_pool(next(), x, 2);
  }
  x = net.flatten("flatten", x);
  x = net.relu("classifier.1", net.linear("classifier.0", x, 256));
  x = net.relu("classifier.3", net.linear("classifier.2", x, 256));
  return net.finish(net.linear("classifier.4", x, 10));
}

}  // namespace

Graph conv2(uint64_t seed) { return conv_k("conv2", 1, seed); }
Graph conv4(uint64_t seed) { return conv_k("conv4", 2, seed); }
Graph conv6(uint64_t seed) { return conv_k("conv6", 3, seed); }

}  // namespace coppice
