// DenseNet-40 for CIFAR with a growth rate of 12: three dense blocks of twelve layers.
//
// Source: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", CVPR
// 2017, arXiv:1608.06993, Sections 3 and 4.2: no bottlenecks, no compression, 16 channels to begin
// with. Scales of BatchNormalization start at 0.5, convolutions at He's fan-out case, and names are
// those of the code of Network Slimming (Liu et al., ICCV 2017, arXiv:1708.06519).
// Differs: no dropout, which the paper has only without augmentation.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

constexpr int64_t kGrowth = 12, kLayers = 12;

ValueId dense_layer(Builder& net, const std::string& name, ValueId x) {
  ValueId y = net.relu(name + ".relu", net.batch_norm(name + ".bn1", x));
  y = net.conv(name + ".conv1", y, kGrowth, {.kernel = 3, .padding = 1});
  return net.node("Concat", name + ".concat", {x, y}, {{"axis", int64_t{1}}});
}

ValueId transition(Builder& net, const std::string& name, ValueId x) {
  ValueId y = net.relu(name + ".relu", net.batch_norm(name + ".bn1", x));
  y = net.conv(name + ".conv1", y, net.channels(x), {});
  return net.average_pool(name + ".pool", y, 2);
}

}  // namespace

Graph densenet40(uint64_t seed) {
  Builder net("densenet40", seed, {.conv = he_fan_out, .linear = he_fan_in, .norm_scale = 0.5f});
  ValueId x = net.conv("conv1", net.input({3, 32, 32}), 16, {.kernel = 3, .padding = 1});
  for (int64_t stage = 1; stage <= 3; ++stage) {
    const std::string number = std::to_string(stage);
    if (stage > 1) x = transition(net, "trans" + std::to_string(stage - 1), x);
    for (int64_t i = 0; i < kLayers; ++i) {
      x = dense_layer(net, "dense" + number + "." + std::to_string(i), x);
    }
  }
  x = net.relu("relu", net.batch_norm("bn", x));
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("fc", x, 10));
}

}  // namespace coppice
