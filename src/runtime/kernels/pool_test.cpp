// Pools of every geometry: compiled equals reference.

#include "support/test_net.h"

namespace coppice {
namespace {

Attributes draw(Random& random, const std::string& type, Shape& spatial) {
  Shape kernel, strides, dilations, pads(2 * spatial.size());
  for (size_t i = 0; i < spatial.size(); ++i) {
    kernel.push_back(1 + static_cast<int64_t>(random.below(4)));
    strides.push_back(1 + static_cast<int64_t>(random.below(3)));
    dilations.push_back(type == "MaxPool" && random.below(4) == 0 ? 2 : 1);
    pads[i] = static_cast<int64_t>(random.below(kernel[i]));
    pads[spatial.size() + i] = static_cast<int64_t>(random.below(kernel[i]));
    spatial[i] = (kernel[i] - 1) * dilations[i] + 1 + static_cast<int64_t>(random.below(9));
  }
  Attributes attributes{{"kernel_shape", kernel},
                        {"strides", strides},
                        {"pads", pads},
                        {"ceil_mode", static_cast<int64_t>(random.below(2))}};
  if (type == "MaxPool") attributes.set("dilations", dilations);
  if (type == "AveragePool") {
    attributes.set("count_include_pad", static_cast<int64_t>(random.below(2)));
  }
  return attributes;
}

// The pool on the input as it is, and behind a convolution, whose layout is blocked.
void expect_pools(const std::string& type, size_t axes, uint64_t seed) {
  Random random(seed);
  Shape spatial(axes);
  const Attributes attributes = draw(random, type, spatial);
  const int64_t channels = 1 + static_cast<int64_t>(random.below(20));
  for (const bool blocked : {false, true}) {
    TestNet net(seed);
    Shape shape{1 + static_cast<int64_t>(random.below(3)), channels};
    shape.insert(shape.end(), spatial.begin(), spatial.end());
    SCOPED_TRACE(type + " seed " + std::to_string(seed) + " on " + to_string(shape));
    ValueId x = net.input(shape);
    if (blocked) x = net.conv(x, channels, 1);
    net.output(net.add(type, {x}, attributes));
    expect_fast_equals_reference(net.graph, Fallbacks::allowed);
  }
}

TEST(FastPool, equals_reference) {
  for (const char* type : {"MaxPool", "AveragePool"}) {
    for (uint64_t seed = 0; seed < 60; ++seed) expect_pools(type, 2, seed);
    for (uint64_t seed = 0; seed < 10; ++seed) {
      expect_pools(type, 1, seed);
      expect_pools(type, 3, seed);
    }
  }
}

TEST(FastPool, ceil_mode_needs_no_reference_kernel) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({1, 3, 14, 14}), 10);
  const Attributes attributes{
      {"kernel_shape", Shape{3, 3}}, {"strides", Shape{2, 2}}, {"ceil_mode", int64_t{1}}};
  net.output(net.add("MaxPool", {x}, attributes));
  net.output(net.add("AveragePool", {x}, attributes));
  expect_fast_equals_reference(net.graph);
}

TEST(FastPool, equals_reference_over_whole_images) {
  for (const int64_t channels : {1, 3, 8, 13, 16}) {
    for (const char* type : {"GlobalAveragePool", "GlobalMaxPool", "ReduceMean"}) {
      TestNet net(channels);
      const ValueId x = net.same_conv(net.input({2, 3, 6, 5}), channels);
      Attributes attributes;
      if (std::string(type) == "ReduceMean") attributes = {{"axes", Shape{2, 3}}};
      net.output(net.add(type, {x}, attributes));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastPool, a_mean_over_pixels_may_drop_its_axes) {
  for (const int64_t channels : {8, 13}) {
    TestNet net(channels);
    const ValueId x = net.same_conv(net.input({3, 3, 6, 5}), channels);
    const ValueId mean =
        net.add("ReduceMean", {x}, {{"axes", Shape{-1, -2}}, {"keepdims", int64_t{0}}});
    net.output(net.add("Gemm", {mean, net.weight({channels, 4})}));
    expect_fast_equals_reference(net.graph);
  }
}

TEST(FastPool, other_means_use_the_reference_kernel) {
  for (const Shape& axes : {Shape{1}, Shape{0, 2}, Shape{1, 2, 3}}) {
    TestNet net(1);
    net.output(net.add("ReduceMean", {net.input({2, 3, 4, 5})}, {{"axes", axes}}));
    expect_fast_equals_reference(net.graph, Fallbacks::allowed);
  }
}

}  // namespace
}  // namespace coppice
