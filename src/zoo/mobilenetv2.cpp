// MobileNetV2, width 1.0, for 224x224 ImageNet.
//
// Source: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks", CVPR 2018, arXiv:1801.04381, Table 2. A block widens by t (1x1), filters each
// channel apart (3x3), and narrows without an activation (1x1); it is added to its input where
// shapes agree. Weights are drawn as in the authors' TF-Slim code; names are torchvision's.
// Differs: padding is symmetric as in torchvision (TF-Slim's SAME pads strided layers on the far
// side), epsilon is 1e-5 (TF-Slim 1e-3), and the dropout before the classifier is left out.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

struct Row {
  int64_t expansion, filters, repeats, stride;  // t, c, n, s of Table 2
};
constexpr Row kTable2[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                           {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// Convolution, BatchNormalization, ReLU6; `name`.0 to .2.
ValueId conv_bn_relu6(Builder& net, const std::string& name, ValueId x, int64_t filters,
                      const ConvOptions& options) {
  x = net.conv(name + ".0", x, filters, options);
  return net.relu6(name + ".2", net.batch_norm(name + ".1", x));
}

ValueId inverted_residual(Builder& net, const std::string& name, ValueId x, const Row& row,
                          int64_t stride) {
  const int64_t narrow = net.channels(x), wide = narrow * row.expansion;
  int position = 0;
  const auto next = [&] { return name + ".conv." + std::to_string(position++); };
  ValueId y = x;
  if (row.expansion != 1) y = conv_bn_relu6(net, next(), y, wide, {.kernel = 1});
  const ConvOptions depthwise{.kernel = 3, .stride = stride, .padding = 1, .groups = wide};
  y = conv_bn_relu6(net, next(), y, wide, depthwise);
  y = net.conv(next(), y, row.filters, {.kernel = 1});
  y = net.batch_norm(next(), y);
  return stride == 1 && narrow == row.filters ? net.add(name + ".add", x, y) : y;
}

}  // namespace

Graph mobilenetv2(uint64_t seed) {
  Builder net("mobilenetv2", seed,
              {.conv = truncated_normal_0_09, .linear = truncated_normal_0_09});
  int position = 0;
  const auto next = [&] { return "features." + std::to_string(position++); };
  const ConvOptions stem{.kernel = 3, .stride = 2, .padding = 1};
  ValueId x = conv_bn_relu6(net, next(), net.input({3, 224, 224}), 32, stem);
  for (const Row& row : kTable2) {
    for (int64_t i = 0; i < row.repeats; ++i) {
      x = inverted_residual(net, next(), x, row, i == 0 ? row.stride : 1);
    }
  }
  x = conv_bn_relu6(net, next(), x, 1280, {.kernel = 1});
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("classifier.1", x, 1000));
}

}  // namespace coppice
