// ResNet-20, ResNet-56 and ResNet-110 for CIFAR: 6n+2 layers, three stages of n blocks, 16-32-64
// channels; and Plain-20, ResNet-20 without its shortcuts.
//
// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
// arXiv:1512.03385, Section 4.2: identity shortcuts everywhere (option A), so where a stage begins,
// every second pixel is taken and the missing channels are zeros, half of them on either side.
// Differs: the paper doesn't say on which side the zero channels stand; the usual PyTorch
// implementation's choice is taken, and its names.

#include <climits>

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

ValueId option_a(Builder& net, const std::string& name, ValueId x, int64_t filters) {
  const ValueId starts = net.constant(name + ".starts", Tensor::vector({0, 0}));
  const ValueId ends = net.constant(name + ".ends", Tensor::vector({INT64_MAX, INT64_MAX}));
  const ValueId axes = net.constant(name + ".axes", Tensor::vector({2, 3}));
  const ValueId steps = net.constant(name + ".steps", Tensor::vector({2, 2}));
  const int64_t before = (filters - net.channels(x)) / 2,
                after = filters - net.channels(x) - before;
  const ValueId pads =
      net.constant(name + ".pads", Tensor::vector({0, before, 0, 0, 0, after, 0, 0}));
  x = net.node("Slice", name + ".slice", {x, starts, ends, axes, steps});
  return net.node("Pad", name + ".pad", {x, pads}, {{"mode", std::string("constant")}});
}

enum class Shortcuts { option_a, none };

ValueId basic_block(Builder& net, const std::string& name, ValueId x, int64_t filters,
                    int64_t stride, Shortcuts shortcuts) {
  ValueId y = net.conv(name + ".conv1", x, filters, {.kernel = 3, .stride = stride, .padding = 1});
  y = net.relu(name + ".relu1", net.batch_norm(name + ".bn1", y));
  y = net.conv(name + ".conv2", y, filters, {.kernel = 3, .padding = 1});
  y = net.batch_norm(name + ".bn2", y);
  if (shortcuts == Shortcuts::none) return net.relu(name + ".relu2", y);
  if (stride != 1) x = option_a(net, name + ".shortcut", x, filters);
  return net.relu(name + ".relu2", net.add(name + ".add", y, x));
}

Graph resnet(const std::string& name, int64_t blocks, uint64_t seed,
             Shortcuts shortcuts = Shortcuts::option_a) {
  Builder net(name, seed, {.conv = he_fan_in, .linear = he_fan_in});
  ValueId x = net.conv("conv1", net.input({3, 32, 32}), 16, {.kernel = 3, .padding = 1});
  x = net.relu("relu1", net.batch_norm("bn1", x));
  for (int64_t stage = 0; stage < 3; ++stage) {
    for (int64_t block = 0; block < blocks; ++block) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      x = basic_block(net, path, x, 16 << stage, stage > 0 && block == 0 ? 2 : 1, shortcuts);
    }
  }
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("linear", x, 10));
}

}  // namespace

Graph resnet20(uint64_t seed) { return resnet("resnet20", 3, seed); }
Graph plain20(uint64_t seed) { return resnet("plain20", 3, seed, Shortcuts::none); }
Graph resnet56(uint64_t seed) { return resnet("resnet56", 9, seed); }
Graph resnet110(uint64_t seed) { return resnet("resnet110", 18, seed); }

}  // namespace coppice
