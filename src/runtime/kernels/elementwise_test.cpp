// Activations, sums and products, softmax and free-standing normalisation: compiled equals
// reference.

#include "support/test_net.h"

namespace coppice {
namespace {

const std::vector<std::pair<std::string, Attributes>> kActivations = {
    {"Relu", {}},
    {"LeakyRelu", {{"alpha", 0.1f}}},
    {"Elu", {{"alpha", 1.5f}}},
    {"Sigmoid", {}},
    {"HardSigmoid", {}},
    {"HardSigmoid", {{"alpha", 1.0f / 6}, {"beta", 0.5f}}},
    {"HardSwish", {}},
    {"Tanh", {}},
    {"Abs", {}},
};

TEST(FastElementwise, activations_run_alone_and_behind_convolutions_of_any_width) {
  for (const auto& [type, attributes] : kActivations) {
    for (const int64_t channels : {3, 8, 13}) {
      SCOPED_TRACE(type + " on " + std::to_string(channels));
      TestNet net(channels);
      const ValueId x = net.input({2, channels, 5, 4});
      net.output(net.add(type, {x}, attributes));
      const ValueId fused = net.add(type, {net.conv(x, channels, 1)}, attributes);
      net.output(net.add(type, {net.add("MaxPool", {fused}, {{"kernel_shape", Shape{2, 2}}})},
                         attributes));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastElementwise, clip_takes_bounds_from_inputs_attributes_or_one_side) {
  TestNet net(1);
  const ValueId x = net.input({2, 5, 4, 4});
  net.output(net.add("Clip", {net.conv(x, 7, 1), net.number(0), net.number(1)}));
  net.output(net.add("Clip", {net.conv(x, 7, 1), net.number(-0.5f)}));
  net.output(net.add("Clip", {net.conv(x, 7, 1), kNoValue, net.number(0.25f)}));
  expect_fast_equals_reference(net.graph);
  TestNet old(1, 6);
  old.output(
      old.add("Clip", {old.conv(old.input({1, 3, 4, 4}), 5, 1)}, {{"min", 0.0f}, {"max", 6.0f}}));
  expect_fast_equals_reference(old.graph);
}

TEST(FastElementwise, others_use_their_definition) {
  TestNet net(1);
  const ValueId x = net.conv(net.input({1, 3, 4, 4}), 5, 1);
  net.output(net.add("Erf", {x}));
  net.output(net.add("PRelu", {x, net.weight({5, 1, 1})}));
  net.output(net.add("Sqrt", {net.add("Abs", {x})}));
  expect_fast_equals_reference(net.graph, Fallbacks::allowed);
}

TEST(FastElementwise, binary_operators_broadcast) {
  const std::vector<Shape> others = {{2, 10, 4, 3}, {1, 10, 1, 1}, {10, 1, 1},  {1}, {},
                                     {2, 10, 1, 1}, {4, 3},        {2, 1, 4, 3}};
  for (const char* type : {"Add", "Sub", "Mul", "Div"}) {
    for (const Shape& other : others) {
      for (const bool constant : {false, true}) {
        SCOPED_TRACE(std::string(type) + " with " + to_string(other));
        TestNet net(5);
        const ValueId x =
            net.add("Relu", {net.add("MaxPool", {net.conv(net.input({2, 3, 5, 4}), 10, 1)},
                                     {{"kernel_shape", Shape{2, 2}}})});
        const ValueId y = constant ? net.positive(other) : net.add("Sigmoid", {net.input(other)});
        net.output(net.add(type, {x, y}));
        expect_fast_equals_reference(net.graph, Fallbacks::allowed);
        TestNet plain(6);
        const ValueId a = plain.input({2, 10, 4, 3});
        const ValueId b =
            constant ? plain.positive(other) : plain.add("Sigmoid", {plain.input(other)});
        plain.output(plain.add("Relu", {plain.add(type, {a, b})}));
        plain.output(plain.add(type, {b, a}));
        expect_fast_equals_reference(plain.graph, Fallbacks::allowed);
      }
    }
  }
}

// The gate's one channel lies in a block whose other channels are nothing.
TEST(FastElementwise, a_gate_of_one_channel_scales_images_of_any_width) {
  for (int64_t channels = 1; channels <= 18; ++channels) {
    for (const char* type : {"Mul", "Add", "Sub", "Div"}) {
      SCOPED_TRACE(std::string(type) + " on " + std::to_string(channels) + " channels");
      TestNet net(channels);
      const ValueId x = net.conv(net.input({1 + channels % 2, 8, 5, 4}), channels, 1);
      const ValueId gate = net.add("Sigmoid", {net.conv(x, 1, 1)});
      const ValueId y = net.conv(net.add(type, {x, gate}), 7, 1);
      const ValueId mean = net.add("GlobalAveragePool", {y});
      net.output(net.add("Gemm", {net.add("Flatten", {mean}), net.weight({7, 3})}));
      net.output(net.conv(net.add(type, {gate, net.add("Sigmoid", {x})}), 3, 1));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastElementwise, a_sum_of_images_of_any_width_is_activated) {
  for (const int64_t channels : {5, 7, 8, 20}) {
    for (const char* activation : {"Relu", "Sigmoid", "LeakyRelu"}) {
      TestNet net(channels);
      const ValueId x = net.input({2, 3, 5, 4});
      const ValueId a = net.same_conv(x, channels), b = net.same_conv(x, channels);
      net.output(a);
      net.output(b);
      net.output(net.add(activation, {net.add("Add", {a, b})}));
      net.output(net.add(activation, {net.add("Mul", {b, a})}));
      expect_fast_equals_reference(net.graph);
    }
  }
}

// Convolutions in groups of 4 or 8 leave blocks that are narrower than a vector.
TEST(FastElementwise, a_sum_of_groups_of_channels_is_activated) {
  for (const size_t axes : {1, 2, 3}) {
    for (const int64_t group : {2, 3}) {
      for (const int64_t channels : {4 * group, 8 * group}) {
        TestNet net(channels);
        Shape shape{2, channels};
        shape.resize(2 + axes, 3);
        const ValueId x = net.input(shape);
        const ValueId a = net.conv(x, channels, 1, {{"group", group}});
        const ValueId b = net.conv(net.add("Relu", {a}), channels, 1, {{"group", group}});
        net.output(a);
        net.output(b);
        net.output(net.add("LeakyRelu", {net.add("Add", {a, b})}));
        net.output(net.conv(net.add("Sigmoid", {net.add("Mul", {a, b})}), 3, 1));
        expect_fast_equals_reference(net.graph);
      }
    }
  }
}

TEST(FastElementwise, channels_are_scaled_by_what_is_squeezed_out_of_them) {
  for (const int64_t channels : {8, 12}) {
    TestNet net(channels);
    const ValueId x = net.same_conv(net.input({2, 3, 6, 6}), channels);
    const ValueId squeezed = net.add("Relu", {net.conv(net.add("GlobalAveragePool", {x}), 4, 1)});
    const ValueId gate = net.add("HardSigmoid", {net.conv(squeezed, channels, 1)});
    const ValueId gated = net.add("Mul", {x, gate});
    const ValueId shifted =
        net.add("Relu", {net.add("Add", {gated, net.weight({channels, 1, 1})})});
    net.output(net.conv(net.add("Sub", {shifted, net.number(0.5f)}), 5, 1));
    expect_fast_equals_reference(net.graph);
  }
}

TEST(FastElementwise, normalisation_before_a_convolution_keeps_its_place) {
  for (const int64_t channels : {3, 8, 13}) {
    TestNet net(channels);
    const ValueId x = net.same_conv(net.input({2, 3, 6, 6}), channels);
    const ValueId y = net.add("Relu", {net.batch_norm(x)});
    net.output(net.add("Add", {x, net.same_conv(y, channels)}));
    net.output(net.batch_norm(net.input({4, 6})));
    const auto layers = expect_fast_equals_reference(net.graph);
    EXPECT_EQ(kinds_of(layers)[1], "BatchNormalization+Relu");
  }
}

TEST(FastElementwise, softmax_follows_the_opset) {
  for (const int64_t opset : {9, 13}) {
    for (const int64_t axis : {1, 2, -1}) {
      for (const char* type : {"Softmax", "LogSoftmax"}) {
        TestNet net(opset, opset);
        const ValueId x = net.conv(net.input({2, 3, 4, 5}), 7, 1);
        net.output(net.add(type, {x}, {{"axis", axis}}));
        net.output(net.add(type, {x}));
        expect_fast_equals_reference(net.graph);
      }
    }
  }
}

}  // namespace
}  // namespace coppice
