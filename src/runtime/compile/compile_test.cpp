// What compilation fuses, folds and reuses: the plan's layers are the expected ones, and the
// numbers stay those of the reference on graphs made to break them.

#include "core/error.h"
#include "support/test_net.h"

namespace coppice {
namespace {

using Kinds = std::vector<std::string>;

TEST(Compile, convolution_normalisation_sum_and_activation_are_one_layer) {
  for (const int64_t channels : {5, 8, 16}) {
    TestNet net(channels);
    const ValueId x =
        net.add("Relu", {net.batch_norm(net.same_conv(net.input({2, 3, 9, 9}), channels))});
    const ValueId y = net.add("Relu", {net.batch_norm(net.same_conv(x, channels))});
    net.output(net.add("Relu", {net.add("Add", {net.batch_norm(net.same_conv(y, channels)), x})}));
    EXPECT_EQ(kinds_of(expect_fast_equals_reference(net.graph)),
              (Kinds{"Conv+BatchNormalization+Relu", "Conv+BatchNormalization+Relu",
                     "Conv+BatchNormalization+Add+Relu"}));
  }
}

TEST(Compile, the_order_of_a_sums_operands_does_not_matter) {
  for (const bool swapped : {false, true}) {
    TestNet net(1);
    const ValueId x = net.same_conv(net.input({1, 3, 7, 7}), 6), y = net.same_conv(x, 6);
    net.output(net.add("Add", swapped ? std::vector{x, y} : std::vector{y, x}));
    expect_fast_equals_reference(net.graph);
  }
}

TEST(Compile, a_projected_shortcut_sums_two_convolutions) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({2, 3, 8, 8}), 12);
  const ValueId y = net.batch_norm(net.conv(x, 20, 1, {{"strides", Shape{2, 2}}}));
  const ValueId z =
      net.batch_norm(net.conv(x, 20, 3, {{"strides", Shape{2, 2}}, {"pads", Shape{1, 1, 1, 1}}}));
  net.output(net.add("Relu", {net.add("Add", {z, y})}));
  EXPECT_EQ(kinds_of(expect_fast_equals_reference(net.graph)).size(), 3u);
}

TEST(Compile, a_summed_operand_that_is_read_again_is_not_written_over) {
  for (const int64_t channels : {6, 8}) {
    TestNet net(channels);
    const ValueId x = net.same_conv(net.input({1, 3, 7, 7}), channels);
    const ValueId sum = net.add("Relu", {net.add("Add", {x, net.same_conv(x, channels)})});
    const ValueId later = net.add("Add", {net.same_conv(sum, channels), x});
    net.output(net.add("Mul", {later, sum}));
    net.output(x);
    expect_fast_equals_reference(net.graph);
  }
}

TEST(Compile, a_convolution_that_is_added_to_its_own_input_does_not_write_over_it) {
  TestNet net(1);
  const ValueId x = net.add("Relu", {net.same_conv(net.input({1, 3, 7, 7}), 8)});
  net.output(net.add("Add", {x, net.same_conv(x, 8)}));
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, an_operand_that_is_added_twice_is_not_written_over_in_between) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({1, 3, 7, 7}), 48);
  const ValueId y = net.add("Relu", {x}), z = net.same_conv(x, 48);
  net.output(net.add("Add", {net.add("Add", {z, y}), y}));
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, an_alias_keeps_its_memory_from_being_written_over) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({2, 3, 1, 1}), 8, 1);
  const ValueId flat = net.add("Flatten", {x});
  const ValueId sum = net.add("Add", {net.conv(net.add("Relu", {x}), 8, 1), x});
  net.output(net.add("Gemm", {flat, net.weight({8, 4})}));
  net.output(sum);
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, a_sum_with_the_graphs_input_leaves_the_input_alone) {
  TestNet net(1);
  const ValueId x = net.input({1, 8, 5, 5});
  net.output(net.add("Relu", {net.add("Add", {net.same_conv(x, 8), x})}));
  net.output(net.add("Abs", {x}));
  Executable executable = compile(net.graph);
  const std::vector<Tensor> inputs = random_inputs(executable, 3);
  const Tensor before = Tensor::of<float>(inputs[0].shape(), inputs[0].as<float>());
  expect_close(executable.run(inputs), run_reference(net.graph, inputs));
  EXPECT_EQ(inputs[0], before);
}

TEST(Compile, two_readers_keep_normalisation_and_activation_apart) {
  TestNet net(1);
  const ValueId y = net.same_conv(net.input({1, 3, 6, 6}), 5);
  net.output(net.add("Relu", {net.batch_norm(y)}));
  net.output(net.add("Sigmoid", {y}));
  const Kinds kinds = kinds_of(expect_fast_equals_reference(net.graph));
  EXPECT_EQ(kinds[0], "Conv");
  EXPECT_EQ(kinds[1], "BatchNormalization+Relu");
}

TEST(Compile, an_output_of_the_graph_is_not_fused_away) {
  TestNet net(1);
  const ValueId y = net.same_conv(net.input({1, 3, 6, 6}), 5), z = net.batch_norm(y);
  net.output(y);
  net.output(z);
  net.output(net.add("Relu", {z}));
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, several_activations_and_sums_follow_in_order) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({2, 3, 6, 6}), 10);
  ValueId y = net.add("LeakyRelu", {net.same_conv(x, 10)});
  y = net.add("Add", {y, net.weight({10, 1, 1})});
  y = net.add("Add", {x, y});
  y = net.add("Clip", {y, net.number(-1), net.number(1)});
  net.output(net.add("Add", {y, net.same_conv(net.add("Relu", {x}), 10)}));
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, a_sum_behind_an_activation_stays_in_the_layer) {
  TestNet net(1);
  const ValueId x = net.same_conv(net.input({1, 3, 6, 6}), 12);
  const ValueId y = net.add("LeakyRelu", {net.batch_norm(net.same_conv(x, 12))});
  net.output(net.add("Sigmoid", {net.add("Add", {x, y})}));
  const Kinds kinds = kinds_of(expect_fast_equals_reference(net.graph));
  EXPECT_EQ(kinds[1], "Conv+BatchNormalization+LeakyRelu+Add+Sigmoid");
}

TEST(Compile, any_two_activations_may_stand_around_a_sum) {
  const char* const types[] = {"Relu", "LeakyRelu", "Clip",        "Sigmoid",  "Elu",
                               "Tanh", "HardSwish", "HardSigmoid", "Identity", "Abs"};
  for (const char* before : types) {
    for (const char* after : types) {
      SCOPED_TRACE(std::string(before) + " + " + after);
      TestNet net(1);
      const auto activate = [&](const std::string& type, ValueId value) {
        std::vector<ValueId> inputs{value};
        if (type == "Clip") inputs.insert(inputs.end(), {net.number(-1), net.number(0.7f)});
        return net.add(type, inputs);
      };
      const ValueId x = net.same_conv(net.input({1, 3, 6, 6}), 12);
      const ValueId y = net.add("Add", {activate(before, net.same_conv(x, 12)), x});
      net.output(activate(after, y));
      net.output(activate(after, activate(before, net.same_conv(y, 5))));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(Compile, gates_are_one_activation) {
  TestNet net(1);
  const ValueId x = net.batch_norm(net.same_conv(net.input({1, 3, 6, 6}), 9));
  const ValueId swish = net.add("Mul", {x, net.add("Sigmoid", {x})});
  const ValueId y = net.same_conv(swish, 9);
  const ValueId gate = net.add("HardSigmoid", {y}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}});
  net.output(net.add("Mul", {gate, y}));
  const Kinds kinds = kinds_of(expect_fast_equals_reference(net.graph));
  EXPECT_EQ(kinds[0], "Conv+BatchNormalization+Sigmoid+Mul");
  EXPECT_EQ(kinds[1], "Conv+HardSigmoid+Mul");
}

TEST(Compile, shape_arithmetic_and_constant_subgraphs_disappear) {
  TestNet net(1);
  const ValueId x = net.conv(net.input({2, 3, 6, 6}), 8, 6);
  const ValueId sizes = net.add("Shape", {x});
  const ValueId batch = net.add("Gather", {sizes, net.ints({0})});
  const ValueId target = net.add("Concat", {batch, net.ints({-1})}, {{"axis", int64_t{0}}});
  const ValueId flat = net.add("Reshape", {x, target});
  // Weights standardised by the graph, as some nets are exported.
  const ValueId weight = net.weight({8, 4});
  const ValueId mean = net.add("ReduceMean", {weight}, {{"axes", Shape{0}}});
  net.output(net.add("Gemm", {flat, net.add("Sub", {weight, mean})}));
  EXPECT_EQ(kinds_of(expect_fast_equals_reference(net.graph)), (Kinds{"Conv", "Gemm"}));
}

TEST(Compile, operators_that_do_nothing_disappear) {
  TestNet net(1);
  ValueId x = net.same_conv(net.input({1, 3, 6, 6}), 8);
  x = net.add("Dropout", {net.add("Identity", {x})});
  x = net.add("Pad", {x, net.ints({0, 0, 0, 0, 0, 0, 0, 0})});
  net.output(net.add("Relu", {net.add("Cast", {x}, {{"to", int64_t{1}}})}));
  EXPECT_EQ(kinds_of(expect_fast_equals_reference(net.graph)), (Kinds{"Conv+Relu"}));
}

TEST(Compile, outputs_may_be_inputs_constants_aliases_and_named_twice) {
  TestNet net(1);
  const ValueId x = net.input({2, 8});
  const ValueId constant = net.weight({3});
  net.output(x);
  net.output(constant);
  net.output(net.add("Identity", {constant}));
  const ValueId y = net.add("Relu", {x});
  net.output(y);
  net.output(y);
  net.output(net.add("Reshape", {y, net.ints({4, 4})}));
  expect_fast_equals_reference(net.graph);
}

TEST(Compile, weights_that_two_layers_share_stay_for_the_second) {
  TestNet net(1);
  const ValueId x = net.input({1, 4, 6, 6}), weight = net.weight({4, 4, 3, 3});
  const ValueId y = net.batch_norm(net.add("Conv", {x, weight}));
  net.output(net.add("Conv", {net.add("Relu", {y}), weight}));
  expect_fast_equals_reference(net.graph);
}

// A chain of random layers with random joins, over widths that don't fill a block.
void expect_random_net(uint64_t seed, int threads) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  TestNet net(seed);
  constexpr int64_t kWidths[] = {3, 8, 10, 16, 17};
  const auto width = [&] { return kWidths[random.below(std::size(kWidths))]; };
  std::vector<ValueId> values{net.same_conv(net.input({2, 3, 8, 8}), width())};
  for (int i = 0; i < 12; ++i) {
    const ValueId x = values[random.below(values.size())];
    const int64_t channels = net.shape(x)[1];
    switch (random.below(8)) {
      case 0: values.push_back(net.same_conv(x, width())); break;
      case 1:
        values.push_back(net.add("Relu", {net.batch_norm(net.same_conv(x, width(), 1))}));
        break;
      case 2: values.push_back(net.add("Add", {net.same_conv(x, channels), x})); break;
      case 3:
        values.push_back(
            net.add("Relu", {net.add("Add", {x, net.batch_norm(net.same_conv(x, channels))})}));
        break;
      case 4:
        values.push_back(net.add("Concat", {x, values.back()}, {{"axis", int64_t{1}}}));
        break;
      case 5: values.push_back(net.batch_norm(x)); break;
      case 6: values.push_back(net.add("Clip", {x, net.number(-1), net.number(2)})); break;
      default:
        values.push_back(
            net.add("MaxPool", {x}, {{"kernel_shape", Shape{3, 3}}, {"pads", Shape{1, 1, 1, 1}}}));
    }
  }
  net.output(values.back());
  net.output(net.add("GlobalAveragePool", {values[values.size() / 2]}));
  expect_fast_equals_reference(net.graph, Fallbacks::none, threads);
}

TEST(Compile, random_nets_equal_the_reference) {
  for (uint64_t seed = 0; seed < 60; ++seed) expect_random_net(seed, seed < 10 ? 2 : 1);
}

TEST(Compile, names_the_operator_that_cannot_be_run) {
  TestNet net(1);
  const ValueId x = net.input({1, 3, 4, 4}), y = add_value(net.graph, "y", DType::f32);
  add_node(net.graph, "NonZero", {x}, {y}, {}, "places");
  net.output(y);
  try {
    compile(net.graph);
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target) << "the file is sound";
    EXPECT_STREQ(error.what(),
                 "node 'places' (NonZero): coppice can't run this operator; "
                 "export the model without it");
  }
}

TEST(Compile, names_the_attribute_that_it_does_not_know) {
  TestNet net(1);
  net.output(net.add("Relu", {net.input({1, 3})}, {{"negative_slope", 0.5f}}));
  try {
    compile(net.graph);
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("attribute 'negative_slope'"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
