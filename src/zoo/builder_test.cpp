// The builder, apart from any network: parameter names and shapes against small nets, and the
// message for a layer that doesn't fit.

#include "zoo/builder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "graph/op.h"

namespace coppice {
namespace {

Builder small_net(uint64_t seed = 1) {
  return Builder("small", seed, {.conv = he_fan_in, .linear = he_fan_in});
}

TEST(Builder, layers_take_their_input_sizes_from_the_graph) {
  Builder net = small_net();
  ValueId x = net.conv("conv", net.input({3, 9, 9}), 8, {.kernel = 3, .stride = 2, .padding = 1});
  EXPECT_EQ(net.shape(x), (Shape{1, 8, 5, 5}));
  x = net.average_pool("pool", x, 2);
  EXPECT_EQ(net.shape(x), (Shape{1, 8, 2, 2}));
  x = net.linear("fc", net.flatten("flatten", x), 7);
  EXPECT_EQ(net.shape(x), (Shape{1, 7}));
  const Graph graph = net.finish(x);
  EXPECT_EQ(graph.value(*find_value(graph, "conv.weight")).constant->shape(), (Shape{8, 3, 3, 3}));
  EXPECT_EQ(graph.value(*find_value(graph, "fc.weight")).constant->shape(), (Shape{7, 32}));
}

TEST(Builder, grouped_convolution_has_input_channels_of_one_group) {
  Builder net = small_net();
  const ValueId x = net.conv("conv", net.input({6, 4, 4}), 12, {.groups = 3, .bias = Bias::zero});
  const Graph graph = net.finish(x);
  EXPECT_EQ(graph.value(*find_value(graph, "conv.weight")).constant->shape(), (Shape{12, 2, 1, 1}));
  EXPECT_EQ(graph.value(*find_value(graph, "conv.bias")).constant->shape(), (Shape{12}));
}

TEST(Builder, batch_norm_starts_as_the_identity) {
  Builder net = small_net();
  const Graph graph = net.finish(net.batch_norm("bn", net.input({2, 4, 4})));
  const std::pair<const char*, float> expected[] = {
      {"bn.weight", 1}, {"bn.bias", 0}, {"bn.running_mean", 0}, {"bn.running_var", 1}};
  for (const auto& [name, value] : expected) {
    const Tensor& tensor = *graph.value(*find_value(graph, name)).constant;
    EXPECT_EQ(tensor, (Tensor::of<float>({2}, {value, value}))) << name;
  }
}

TEST(Builder, batch_norm_scales_start_where_the_initialisation_says) {
  Builder net("small", 1, {.conv = he_fan_in, .linear = he_fan_in, .norm_scale = 0.5f});
  const Graph graph = net.finish(net.batch_norm("bn", net.input({2, 4, 4})));
  EXPECT_EQ(*graph.value(*find_value(graph, "bn.weight")).constant,
            Tensor::of<float>({2}, {0.5f, 0.5f}));
  EXPECT_EQ(*graph.value(*find_value(graph, "bn.bias")).constant, Tensor::of<float>({2}, {0, 0}));
}

TEST(Builder, relu6_clips_to_0_and_6_with_one_pair_of_bounds) {
  Builder net = small_net();
  const ValueId x = net.relu6("a", net.input({2, 4, 4}));
  const Graph graph = net.finish(net.relu6("b", x));
  const Node &a = graph.nodes[0], &b = graph.nodes[1];
  EXPECT_EQ(graph.value(a.inputs[1]).constant->as<float>()[0], 0);
  EXPECT_EQ(graph.value(a.inputs[2]).constant->as<float>()[0], 6);
  EXPECT_EQ(a.inputs[1], b.inputs[1]);
  EXPECT_EQ(a.inputs[2], b.inputs[2]);
}

TEST(Builder, a_parameter_does_not_depend_on_the_size_of_those_before_it) {
  const auto second = [](int64_t width) {
    Builder net = small_net();
    const ValueId x = net.input({3, 4, 4});
    const ValueId wide = net.conv("first", x, width, {});
    net.conv("second", x, 5, {});
    const Graph graph = net.finish(wide);
    return *graph.value(*find_value(graph, "second.weight")).constant;
  };
  EXPECT_EQ(second(4), second(40));
}

TEST(Builder, a_layer_that_does_not_fit_throws_with_its_name) {
  Builder net = small_net();
  const ValueId x = net.input({3, 4, 4});
  const ValueId pooled = net.max_pool("too_large", x, 5);
  try {
    net.conv("conv", pooled, 4, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'too_large' (MaxPool)"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace coppice
