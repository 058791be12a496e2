// Convolutions of every geometry: compiled equals reference.

#include "support/test_net.h"

namespace coppice {
namespace {

constexpr int64_t kChannels[] = {1, 3, 5, 7, 8, 10, 16, 17, 20, 32};

int64_t pick(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random.below(high - low + 1));
}
int64_t pick_channels(Random& random) { return kChannels[random.below(std::size(kChannels))]; }

struct Drawn {
  Shape x, weight;
  Attributes attributes;
};

// A convolution on `axes` spatial axes in `group` groups whose window fits its input.
Drawn draw(Random& random, size_t axes, int64_t group, int64_t in, int64_t out) {
  Drawn drawn{{pick(random, 1, 3), in * group}, {out * group, in}, {}};
  Shape kernel, strides, dilations, pads(2 * axes);
  for (size_t i = 0; i < axes; ++i) {
    kernel.push_back(pick(random, 1, 5));
    strides.push_back(pick(random, 1, 3));
    dilations.push_back(pick(random, 1, 2));
    pads[i] = pick(random, 0, 3);
    pads[axes + i] = pick(random, 0, 3);
    const int64_t extent = (kernel[i] - 1) * dilations[i] + 1;
    drawn.x.push_back(std::max<int64_t>(1, extent - pads[i]) + pick(random, 0, 9));
    drawn.weight.push_back(kernel[i]);
  }
  drawn.attributes = {{"kernel_shape", kernel},
                      {"strides", strides},
                      {"dilations", dilations},
                      {"pads", pads},
                      {"group", group}};
  return drawn;
}

void expect_equal(uint64_t seed, size_t axes, int64_t group, int64_t in, int64_t out) {
  Random random(seed);
  const Drawn drawn = draw(random, axes, group, in, out);
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + to_string(drawn.x) + " * " +
               to_string(drawn.weight) + ", group " + std::to_string(group));
  TestNet net(seed);
  std::vector<ValueId> inputs{net.input(drawn.x), net.weight(drawn.weight)};
  if (seed % 2 == 0) inputs.push_back(net.weight({drawn.weight[0]}));
  net.output(net.add("Conv", inputs, drawn.attributes));
  expect_fast_equals_reference(net.graph);
}

TEST(FastConv, equals_reference_on_images) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    Random random(seed + 1000);
    expect_equal(seed, 2, 1, pick_channels(random), pick_channels(random));
  }
}

TEST(FastConv, equals_reference_on_signals_and_volumes) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed + 2000);
    expect_equal(seed, 1, 1, pick_channels(random), pick_channels(random));
    expect_equal(seed, 3, 1, pick(random, 1, 9), pick(random, 1, 9));
  }
}

TEST(FastConv, equals_reference_in_groups) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed + 3000);
    expect_equal(seed, 2, pick(random, 2, 5), pick(random, 1, 9), pick(random, 1, 9));
  }
}

TEST(FastConv, equals_reference_by_depth_with_and_without_multiplier) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed + 4000);
    expect_equal(seed, 2, pick_channels(random), 1, pick(random, 1, 3));
  }
}

// A convolution of any geometry with up to five followers that may be fused, one of them a sum with
// another convolution of the same shape.
void expect_equal_with_followers(uint64_t seed) {
  Random random(seed + 5000);
  const int64_t group = random.below(2) ? 1 : pick(random, 2, 8);
  const int64_t in = group == 1 ? pick_channels(random) : 1,
                out = group == 1 ? pick_channels(random) : 1;
  const Drawn drawn = draw(random, 2, group, in, out);
  SCOPED_TRACE("seed " + std::to_string(seed));
  TestNet net(seed);
  const ValueId x = net.input(drawn.x);
  // Variances near 1: a Clip of large sums would leave more of their rounding than of themselves.
  const Shape per_filter(drawn.weight.begin() + 1, drawn.weight.end());
  const float deviation = 1 / std::sqrt(static_cast<float>(element_count(per_filter)));
  ValueId y = net.add("Conv", {x, net.weight(drawn.weight, deviation)}, drawn.attributes);
  const ValueId other = net.add("Conv", {x, net.weight(drawn.weight, deviation)}, drawn.attributes);
  for (int64_t followers = pick(random, 1, 5); followers > 0; --followers) {
    switch (random.below(6)) {
      case 0: y = net.batch_norm(y); break;
      case 1: y = net.add("Relu", {y}); break;
      case 2: y = net.add("Add", {net.weight({1, drawn.weight[0], 1, 1}), y}); break;
      case 3: y = net.add("Clip", {y, net.number(-1), net.number(3)}); break;
      case 4: y = net.add("Mul", {y, net.add("Sigmoid", {y})}); break;
      default: y = net.add("Add", {y, other}); break;
    }
  }
  net.output(y);
  if (random.below(2)) net.output(other);
  expect_fast_equals_reference(net.graph);
}

TEST(FastConv, equals_reference_with_whatever_follows_it) {
  for (uint64_t seed = 0; seed < 250; ++seed) expect_equal_with_followers(seed);
}

TEST(FastConv, equals_reference_with_automatic_padding) {
  for (const char* padding : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    for (const int64_t stride : {1, 2, 3}) {
      TestNet net(stride);
      const ValueId x = net.input({2, 5, 11, 14});
      net.output(net.conv(
          x, 9, 4, {{"auto_pad", std::string(padding)}, {"strides", Shape{stride, stride}}}));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastConv, equals_reference_with_weights_that_the_graph_computes) {
  for (const int64_t group : {1, 2}) {
    TestNet net(group);
    const ValueId x = net.input({1, 6, 8, 8}), weight = net.input({10, 6 / group, 3, 3});
    net.output(net.add("Conv", {x, net.add("Relu", {weight})}, {{"group", group}}));
    expect_fast_equals_reference(net.graph);
  }
}

TEST(FastConv, negative_padding_crops_by_the_reference_kernel) {
  TestNet net(1);
  net.output(net.conv(net.input({1, 3, 9, 9}), 4, 3, {{"pads", Shape{-1, 0, -2, 1}}}));
  expect_fast_equals_reference(net.graph, Fallbacks::allowed);
}

}  // namespace
}  // namespace coppice
