// The reference executor on numbers small enough to be worked out by hand.

#include "runtime/reference.h"

#include <cmath>

#include "core/error.h"
#include "support/test_net.h"

namespace coppice {
namespace {

Tensor floats(const Shape& shape, const std::vector<float>& values) {
  return Tensor::of<float>(shape, values);
}

// One operator on the given tensors, of which only the first is an input of the graph.
std::vector<float> result_of(const std::string& op, const std::vector<Tensor>& tensors,
                             Attributes attributes = {}, int64_t opset = 13) {
  TestNet net(1, opset);
  std::vector<ValueId> inputs{net.input(tensors[0].shape())};
  for (size_t i = 1; i < tensors.size(); ++i) {
    inputs.push_back(add_constant(net.graph, "c" + std::to_string(i), tensors[i]));
  }
  net.output(net.add(op, inputs, std::move(attributes)));
  const auto outputs = run_reference(net.graph, std::span(tensors).first(1));
  const auto values = outputs[0].as<float>();
  return {values.begin(), values.end()};
}

using Floats = std::vector<float>;

TEST(RunReference, convolves) {
  const Tensor x = floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor weight = floats({1, 1, 2, 2}, {1, 0, 0, -1}), bias = floats({1}, {10});
  EXPECT_EQ(result_of("Conv", {x, weight, bias}), (Floats{6, 6, 6, 6}));
  EXPECT_EQ(result_of("Conv", {x, weight}, {{"dilations", Shape{2, 2}}}), Floats{-8});
  EXPECT_EQ(result_of("Conv", {x, weight}, {{"strides", Shape{2, 2}}, {"pads", Shape{1, 1, 0, 0}}}),
            (Floats{-1, -3, -7, 1 - 9 + 4}));
}

TEST(RunReference, convolves_each_group_with_its_own_filters) {
  const Tensor x = floats({1, 2, 1, 1}, {3, 5});
  const Tensor weight = floats({4, 1, 1, 1}, {1, 2, 10, 20});
  EXPECT_EQ(result_of("Conv", {x, weight}, {{"group", int64_t{2}}}), (Floats{3, 6, 50, 100}));
}

TEST(RunReference, multiplies_matrices) {
  const Tensor a = floats({2, 2}, {1, 2, 3, 4}), b = floats({2, 2}, {5, 6, 7, 8});
  EXPECT_EQ(result_of("MatMul", {a, b}), (Floats{19, 22, 43, 50}));
  EXPECT_EQ(result_of("Gemm", {a, b, floats({2}, {1, 2})},
                      {{"transA", int64_t{1}}, {"alpha", 2.0f}, {"beta", 3.0f}}),
            (Floats{2 * 26 + 3, 2 * 30 + 6, 2 * 38 + 3, 2 * 44 + 6}));
}

TEST(RunReference, normalises_by_channel) {
  const Tensor x = floats({1, 2, 2}, {1, 2, 3, 4});
  const Floats y = result_of(
      "BatchNormalization",
      {x, floats({2}, {2, 1}), floats({2}, {0, 1}), floats({2}, {1, 3}), floats({2}, {4, 0.25f})},
      {{"epsilon", 0.0f}});
  EXPECT_EQ(y, (Floats{0, 1, 1, 3}));
}

// A scale of more axes than are normalised once was written past the end of one run.
TEST(RunReference, scales_of_a_layer_normalisation_may_differ_from_run_to_run) {
  const Tensor x = floats({2, 2}, {-1, 1, -1, 1});
  const Floats y =
      result_of("LayerNormalization", {x, floats({2, 1}, {2, 3})}, {{"epsilon", 0.0f}}, 17);
  EXPECT_EQ(y, (Floats{-2, 2, -3, 3}));
}

TEST(RunReference, pools_with_padding_and_ceil_mode) {
  const Tensor x = floats({1, 1, 4}, {1, 2, 3, 4});
  const Attributes padded{{"kernel_shape", Shape{2}}, {"strides", Shape{2}}, {"pads", Shape{1, 1}}};
  EXPECT_EQ(result_of("MaxPool", {x}, padded), (Floats{1, 3, 4}));
  EXPECT_EQ(result_of("AveragePool", {x}, padded), (Floats{1, 2.5f, 4}));
  Attributes counted = padded;
  counted.set("count_include_pad", int64_t{1});
  EXPECT_EQ(result_of("AveragePool", {x}, counted), (Floats{0.5f, 2.5f, 2}));
  // The last window reaches two beyond the end, which is neither pixel nor padding.
  const Attributes ceil{{"kernel_shape", Shape{3}},
                        {"strides", Shape{3}},
                        {"ceil_mode", int64_t{1}},
                        {"count_include_pad", int64_t{1}}};
  EXPECT_EQ(result_of("AveragePool", {x}, ceil), (Floats{2, 4}));
  EXPECT_EQ(result_of("GlobalAveragePool", {x}), Floats{2.5f});
  EXPECT_EQ(result_of("GlobalMaxPool", {x}), Floats{4});
}

TEST(RunReference, reduces) {
  const Tensor x = floats({2, 2}, {3, -4, 1, 5});
  EXPECT_EQ(result_of("ReduceMean", {x}), Floats{1.25f});
  EXPECT_EQ(result_of("ReduceMax", {x}, {{"axes", Shape{0}}}), (Floats{3, 5}));
  EXPECT_EQ(result_of("ReduceMin", {x}, {{"axes", Shape{1}}}), (Floats{-4, 1}));
  EXPECT_EQ(result_of("ReduceL1", {x}, {{"axes", Shape{1}}}), (Floats{7, 6}));
  EXPECT_EQ(result_of("ReduceL2", {x}, {{"axes", Shape{1}}})[0], 5.0f);
  EXPECT_EQ(result_of("ReduceSum", {x, Tensor::vector({-1})}), (Floats{-1, 6}));
}

TEST(RunReference, sums_and_extremes_of_one_input_are_that_input) {
  for (const char* type : {"Sum", "Min", "Max"}) {
    EXPECT_EQ(result_of(type, {floats({2}, {1, -2})}), (Floats{1, -2})) << type;
  }
}

TEST(RunReference, softmax_normalises_rows_before_opset_13_and_an_axis_since) {
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(result_of("Softmax", {x}, {}, 11), Floats(4, 0.25f));
  EXPECT_EQ(result_of("Softmax", {x}, {}, 13), Floats(4, 0.5f));
  EXPECT_FLOAT_EQ(result_of("LogSoftmax", {x})[0], -std::log(2.0f));
  // Large inputs don't overflow.
  EXPECT_EQ(result_of("Softmax", {floats({2}, {1000, 1000})}), Floats(2, 0.5f));
}

TEST(RunReference, watched_values_follow_the_outputs) {
  TestNet net(1);
  const ValueId x = net.input({2}), hidden = net.add("Neg", {x}), constant = net.weight({1});
  net.output(net.add("Relu", {hidden}));
  const std::vector<Tensor> inputs{floats({2}, {1, -2})};
  const std::vector<ValueId> watch{hidden, x, constant};
  const auto values = run_reference(net.graph, inputs, watch);
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0], floats({2}, {0, 2}));
  EXPECT_EQ(values[1], floats({2}, {-1, 2}));
  EXPECT_EQ(values[2], inputs[0]);
  EXPECT_EQ(values[3], *net.graph.value(constant).constant);
}

std::string message_of(const Graph& graph, const std::vector<Tensor>& inputs) {
  try {
    run_reference(graph, inputs);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "it ran";
}

TEST(RunReference, says_which_input_does_not_fit) {
  TestNet net(1);
  net.output(net.add("Relu", {net.input({2, 3})}));
  EXPECT_EQ(message_of(net.graph, {}), "the model has 1 inputs, given are 0");
  EXPECT_EQ(message_of(net.graph, {Tensor::zeros(DType::f32, {3, 2})}),
            "input 'input0' is given as float32 3x2, expected float32 2x3");
  EXPECT_EQ(message_of(net.graph, {Tensor::zeros(DType::i64, {2, 3})}),
            "input 'input0' is given as int64 2x3, expected float32 2x3");
}

TEST(RunReference, says_what_it_does_not_implement) {
  TestNet training(1);
  const ValueId x = training.input({1, 2, 3});
  training.output(training.batch_norm(x));
  training.graph.nodes[0].attributes.set("training_mode", int64_t{1});
  const std::vector<Tensor> inputs{Tensor::zeros(DType::f32, {1, 2, 3})};
  EXPECT_NE(message_of(training.graph, inputs).find("(BatchNormalization): is in training mode"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
