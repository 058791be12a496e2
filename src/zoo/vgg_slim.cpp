// VGG-19 for CIFAR as Network Slimming prunes it, and a VGG-11 of half its width for small grey
// images: convolutions with BatchNormalization, an average pool and one linear layer.
//
// Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
// Recognition", ICLR 2015, arXiv:1409.1556, columns E and A, with the head, initialisation (He's
// fan-out case; linear N(0, 0.01); scales of BatchNormalization 0.5) and names of the code of Liu
// et al., "Learning Efficient Convolutional Networks through Network Slimming", ICCV 2017,
// arXiv:1708.06519. Of the five pools of VGG the last is the average pool.
// Differs: VGG-11 has half as many channels as column A and three pools for 28x28 (28, 14, 7, 3):
// behind a fourth, 3x3 kernels would see a single pixel.

#include <span>

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {
namespace {

struct Stage {
  int64_t filters, layers;
};
constexpr Stage kVgg19[] = {{64, 2}, {128, 2}, {256, 4}, {512, 4}, {512, 4}};
constexpr Stage kVgg11Half[] = {{32, 1}, {64, 1}, {128, 2}, {256, 4}};

Graph vgg(const std::string& name, uint64_t seed, const Shape& image,
          std::span<const Stage> stages) {
  Builder net(name, seed, {.conv = he_fan_out, .linear = normal_0_01, .norm_scale = 0.5f});
  ValueId x = net.input(image);
  int position = 0;  // counted over all layers, as in an nn.Sequential
  const auto next = [&] { return "feature." + std::to_string(position++); };
  for (const Stage& stage : stages) {
    if (position > 0) x = net.max_pool(next(), x, 2);
    for (int64_t layer = 0; layer < stage.layers; ++layer) {
      x = net.conv(next(), x, stage.filters, {.kernel = 3, .padding = 1});
      x = net.batch_norm(next(), x);
      x = net.relu(next(), x);
    }
  }
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("classifier", x, 10));
}

}  // namespace

Graph vgg19_bn(uint64_t seed) { return vgg("vgg19-bn", seed, {3, 32, 32}, kVgg19); }
Graph vgg11_bn_half(uint64_t seed) { return vgg("vgg11-bn-half", seed, {1, 28, 28}, kVgg11Half); }

}  // namespace coppice
