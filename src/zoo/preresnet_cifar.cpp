// The pre-activation ResNet-20 for CIFAR: three stages of three blocks, 16-32-64 channels.
//
// Source: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016,
// arXiv:1603.05027, Figure 1(b): (BatchNormalization, ReLU, convolution) twice in a branch, nothing
// behind the addition, BatchNormalization and ReLU before the head. Where a stage begins, the
// shortcut is a 1x1 convolution of the pre-activated value, as in the authors' code
// (resnet-1k-layers, resnet-pre-act.lua). Scales of BatchNormalization start at 0.5, convolutions
// at He's fan-out case, as in Network Slimming (Liu et al., ICCV 2017, arXiv:1708.06519).
// Differs: basic blocks and 20 layers where the paper has bottlenecks and 110 and more; names after
// the usual PyTorch implementation.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

ValueId block(Builder& net, const std::string& name, ValueId x, int64_t filters, int64_t stride) {
  const ConvOptions first{.kernel = 3, .stride = stride, .padding = 1};
  const ValueId active = net.relu(name + ".relu1", net.batch_norm(name + ".bn1", x));
  ValueId y = net.conv(name + ".conv1", active, filters, first);
  y = net.relu(name + ".relu2", net.batch_norm(name + ".bn2", y));
  y = net.conv(name + ".conv2", y, filters, {.kernel = 3, .padding = 1});
  if (stride != 1) x = net.conv(name + ".downsample", active, filters, {.stride = stride});
  return net.add(name + ".add", y, x);
}

}  // namespace

Graph preresnet20(uint64_t seed) {
  Builder net("preresnet20", seed, {.conv = he_fan_out, .linear = he_fan_in, .norm_scale = 0.5f});
  ValueId x = net.conv("conv1", net.input({3, 32, 32}), 16, {.kernel = 3, .padding = 1});
  for (int64_t stage = 0; stage < 3; ++stage) {
    for (int64_t i = 0; i < 3; ++i) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      x = block(net, path, x, 16 << stage, stage > 0 && i == 0 ? 2 : 1);
    }
  }
  x = net.relu("relu", net.batch_norm("bn", x));
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("fc", x, 10));
}

}  // namespace coppice
