// The reference kernels against ONNX Runtime, one operator at a time: what the reference computes
// is what ONNX means.

#include "support/onnxruntime.h"

#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "support/test_net.h"

namespace coppice {
namespace {

class Judged : public testing::Test {
 protected:
  void SetUp() override {
    judge_ = OnnxRuntime::start();
    if (!judge_) GTEST_SKIP() << kNoOnnxRuntime;
  }

  void expect_same(const Graph& graph) {
    const std::filesystem::path path = folder_ / "model.onnx";
    write_onnx(graph, path);
    std::vector<Tensor> inputs, expected;
    std::vector<NamedTensor> named;
    for (const ValueId id : graph.inputs) {
      inputs.push_back(Tensor::zeros(DType::f32, input_shape(graph, id, {})));
      Random(7).fill_normal(inputs.back().mutate<float>(), 1);
      named.push_back({graph.value(id).name, inputs.back()});
    }
    for (NamedTensor& output : judge_->run(path, named)) {
      expected.push_back(std::move(output.tensor));
    }
    expect_close(run_reference(graph, inputs), expected);
  }

  std::optional<OnnxRuntime> judge_;
  TempDir folder_;
};

using Reference = Judged;

TEST_F(Reference, pools_count_padding_as_onnxruntime_does) {
  for (const int64_t opset : {13, 19}) {
    for (const int64_t ceil : {0, 1}) {
      for (const int64_t include : {0, 1}) {
        for (const Shape& pads : {Shape{0, 0, 0, 0}, Shape{1, 1, 1, 1}, Shape{1, 0, 0, 1}}) {
          SCOPED_TRACE("opset " + std::to_string(opset) + " ceil " + std::to_string(ceil) +
                       " include " + std::to_string(include) + " pads " + to_string(pads));
          TestNet net(1, opset);
          const ValueId x = net.input({1, 2, 8, 7});
          net.output(net.add("AveragePool", {x},
                             {{"kernel_shape", Shape{3, 2}},
                              {"strides", Shape{2, 2}},
                              {"pads", pads},
                              {"ceil_mode", ceil},
                              {"count_include_pad", include}}));
          expect_same(net.graph);
        }
      }
    }
  }
}

TEST_F(Reference, pads_copy_what_onnxruntime_copies) {
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    for (const Shape& pads : {Shape{0, 0, 2, 3, 0, 0, 1, 0}, Shape{0, 1, 0, -1, 0, 1, 2, 2}}) {
      SCOPED_TRACE(std::string(mode) + " " + to_string(pads));
      TestNet net(1, 19);
      const ValueId x = net.input({2, 3, 4, 5});
      net.output(net.add("Pad", {x, net.ints(pads)}, {{"mode", std::string(mode)}}));
      expect_same(net.graph);
    }
  }
}

TEST_F(Reference, maxima_take_dilations_and_ceil_mode) {
  for (const int64_t ceil : {0, 1}) {
    TestNet net(1);
    const ValueId x = net.input({2, 3, 11, 10});
    net.output(net.add("MaxPool", {x},
                       {{"kernel_shape", Shape{3, 2}},
                        {"strides", Shape{2, 3}},
                        {"dilations", Shape{2, 1}},
                        {"pads", Shape{1, 0, 2, 1}},
                        {"ceil_mode", ceil}}));
    net.output(net.add("GlobalMaxPool", {x}));
    net.output(net.add("GlobalAveragePool", {x}));
    expect_same(net.graph);
  }
}

TEST_F(Reference, convolutions_of_every_kind) {
  TestNet net(1);
  const ValueId x = net.input({2, 6, 9, 8}), signal = net.input({1, 3, 12});
  net.output(net.add("Conv", {x, net.weight({4, 3, 3, 2}), net.weight({4})},
                     {{"group", int64_t{2}},
                      {"dilations", Shape{2, 1}},
                      {"strides", Shape{1, 2}},
                      {"pads", Shape{2, 0, 1, 1}}}));
  net.output(net.conv(x, 12, 3, {{"group", int64_t{6}}}));
  net.output(
      net.conv(x, 5, 4, {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Shape{2, 2}}}));
  net.output(
      net.conv(x, 5, 4, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Shape{2, 2}}}));
  net.output(net.conv(signal, 7, 5, {{"pads", Shape{4, 0}}}));
  net.output(net.conv(net.input({1, 2, 5, 4, 6}), 3, 3));
  expect_same(net.graph);
}

TEST_F(Reference, products) {
  TestNet net(1);
  const ValueId a = net.input({3, 4}), b = net.input({2, 1, 3, 4}), row = net.input({4});
  net.output(net.add("Gemm", {a, net.weight({5, 4}), net.weight({3, 1})},
                     {{"transB", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}}));
  net.output(net.add("Gemm", {a, net.weight({3, 5}), net.weight({5})}, {{"transA", int64_t{1}}}));
  net.output(net.add("MatMul", {b, net.weight({5, 4, 2})}));
  net.output(net.add("MatMul", {row, net.weight({2, 4, 3})}));
  net.output(net.add("MatMul", {b, row}));
  expect_same(net.graph);
}

TEST_F(Reference, normalisation_and_softmax_of_both_kinds) {
  for (const int64_t opset : {9, 13}) {
    TestNet net(1, opset);
    const ValueId x = net.input({2, 3, 4, 5});
    net.output(net.add("BatchNormalization",
                       {x, net.weight({3}), net.weight({3}), net.weight({3}), net.positive({3})},
                       {{"epsilon", 0.1f}}));
    for (const char* type : {"Softmax", "LogSoftmax"}) {
      net.output(net.add(type, {x}));
      net.output(net.add(type, {x}, {{"axis", int64_t{2}}}));
    }
    expect_same(net.graph);
  }
}

TEST_F(Reference, reductions_over_axes_from_attributes_and_inputs) {
  for (const char* type :
       {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"}) {
    SCOPED_TRACE(type);
    TestNet net(1, 18);
    const ValueId x = net.input({2, 3, 4, 5});
    net.output(net.add(type, {x}));
    net.output(net.add(type, {x, net.ints({1, -1})}, {{"keepdims", int64_t{0}}}));
    net.output(net.add(type, {x}, {{"noop_with_empty_axes", int64_t{1}}}));
    expect_same(net.graph);
    TestNet old(1, 11);
    old.output(old.add(type, {old.input({2, 3, 4})}, {{"axes", Shape{0, 2}}}));
    expect_same(old.graph);
  }
}

TEST_F(Reference, elementwise_functions) {
  TestNet net(1, 14);
  const ValueId x = net.input({2, 3, 4});
  const ValueId positive = net.add("Add", {net.add("Abs", {x}), net.number(0.1f)});
  for (const char* type : {"Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid",
                           "HardSwish", "Tanh", "Erf", "Exp", "Neg", "Floor", "Ceil", "Reciprocal",
                           "Softplus", "Softsign", "Identity", "Dropout"}) {
    net.output(net.add(type, {x}));
  }
  for (const char* type : {"Log", "Sqrt"}) net.output(net.add(type, {positive}));
  net.output(net.add("Clip", {x, net.number(-0.5f), net.number(0.25f)}));
  for (const char* type : {"Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu"}) {
    net.output(net.add(type, {x, net.weight({3, 1})}));
  }
  net.output(net.add("Pow", {positive, net.weight({4})}));
  net.output(net.add("Sum", {x, net.weight({3, 1}), net.weight({4})}));
  expect_same(net.graph);
}

TEST_F(Reference, attention_of_every_form) {
  TestNet net(1, 23);
  const ValueId q = net.input({2, 3, 5, 4}), k = net.input({2, 3, 6, 4}),
                v = net.input({2, 3, 6, 2});
  const ValueId joined_q = net.input({2, 5, 12}), joined_k = net.input({2, 6, 12}),
                joined_v = net.input({2, 6, 6});
  const Attributes heads{{"q_num_heads", int64_t{3}}, {"kv_num_heads", int64_t{3}}};
  const ValueId seen = add_value(net.graph, "seen", DType::boolean);
  add_node(net.graph, "Less", {net.weight({5, 6}), net.number(0.5f)}, {seen}, {}, "less");
  net.output(net.add("Attention", {q, k, v}));
  net.output(net.add("Attention", {q, k, v}, {{"scale", 0.3f}}));
  net.output(net.add("Attention", {q, k, v}, {{"is_causal", int64_t{1}}}));
  net.output(net.add("Attention", {q, k, v, net.weight({5, 6})}));
  net.output(net.add("Attention", {q, k, v, seen}));
  net.output(net.add("Attention", {q, k, v, net.weight({2, 1, 5, 6})}));
  net.output(net.add("Attention", {q, k, v, net.weight({1, 3, 5, 6})}));
  net.output(net.add("Attention", {joined_q, joined_k, joined_v}, heads));
  net.output(net.add("Attention", {joined_q, joined_k, joined_v, net.weight({5, 6})}, heads));
  expect_same(net.graph);
}

TEST_F(Reference, movement) {
  TestNet net(1);
  const ValueId x = net.input({2, 6, 5});
  net.output(net.add(
      "Slice", {x, net.ints({4, 1}), net.ints({-7, 4}), net.ints({1, 2}), net.ints({-2, 1})}));
  net.output(net.add("Pad", {x, net.ints({0, 1, 2, 0, 0, -1}), net.number(3)}));
  net.output(net.add("Transpose", {x}, {{"perm", Shape{2, 0, 1}}}));
  net.output(net.add("Concat", {x, x}, {{"axis", int64_t{-2}}}));
  net.output(net.add("Gather", {x, net.ints({5, -6, 0})}, {{"axis", int64_t{1}}}));
  net.output(net.add("Flatten", {x}, {{"axis", int64_t{2}}}));
  net.output(net.add("Reshape", {x, net.ints({0, -1, 3})}));
  net.output(net.add("Squeeze", {net.add("Unsqueeze", {x, net.ints({0, 2})}), net.ints({0})}));
  std::vector<ValueId> pieces;
  for (const char* name : {"a", "b", "c"}) {
    pieces.push_back(add_value(net.graph, name, DType::f32));
    net.output(pieces.back());
  }
  add_node(net.graph, "Split", {x, net.ints({1, 3, 2})}, pieces, {{"axis", int64_t{1}}}, "split");
  expect_same(net.graph);
}

// One operator on x, written as in text graphs.
Graph one(const std::string& opset, const std::string& constants, const std::string& statement) {
  return parse_text_graph("opset " + opset + "\ninput x float32 [2, 3, 5, 6]\n" + constants +
                          "\ny = " + statement + "\noutput y");
}

TEST_F(Reference, positions_of_maxima_put_them_back) {
  expect_same(parse_text_graph(R"(
      input x float32 [2, 3, 6, 4]
      p, places = MaxPool(x) {kernel_shape=[2, 2], strides=[2, 2]}
      y = MaxUnpool(p, places) {kernel_shape=[2, 2], strides=[2, 2]}
      output y
      output places int64 places)"));
}

TEST_F(Reference, regions_and_places_between_pixels) {
  const std::string regions =
      "const r float32 [2, 4] = 0.5 1 4 5 -1 0 9 3\nconst of int64 [2] = 1 0";
  for (const char* more : {"", ", sampling_ratio=2", ", mode=\"max\"", ", spatial_scale=0.5"}) {
    for (const char* opset : {"10", "16"}) {
      expect_same(
          one(opset, regions,
              "RoiAlign(x, r, of) {output_height=2, output_width=3" + std::string(more) + "}"));
    }
  }
  const std::string grid = "const g float32 [2, 2, 3, 2] random";
  for (const char* attributes :
       {"{mode=\"bilinear\"}", "{align_corners=1}", "{padding_mode=\"border\"}",
        "{mode=\"nearest\", padding_mode=\"border\"}", "{padding_mode=\"reflection\"}"}) {
    SCOPED_TRACE(attributes);
    expect_same(one("16", grid, std::string("GridSample(x, g) ") + attributes));
  }
}

TEST_F(Reference, seldom_functions) {
  for (const char* statement :
       {"Asinh(x)", "Atan(x)", "Cosh(x)", "Sinh(x)", "Tan(x)", "Shrink(x) {lambd=0.3, bias=0.1}",
        "LpPool(x) {kernel_shape=[2, 2], p=2}", "GlobalLpPool(x) {p=1}"}) {
    SCOPED_TRACE(statement);
    expect_same(one("18", "", statement));
  }
  expect_same(one("14", "const k int64 [] = -1", "Trilu(x, k) {upper=0}"));
  expect_same(one("14", "const k int64 [] = 1", "Trilu(x, k)"));
}

}  // namespace
}  // namespace coppice
