// Each statement of the text form, and each way to get one wrong: the wrong line always stands
// third, after a comment and an input 'x', and the message must say so and name what was found.
// Two outputs, omitted inputs and names that are also keywords are ordinary cases here.

#include "support/graphs/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "graph/infer.h"
#include "graph/op.h"

namespace coppice {
namespace {

const Value& value_of(const Graph& graph, const std::string& name) {
  return graph.value(find_value(graph, name).value());
}

const Tensor& tensor_of(const Graph& graph, const std::string& name) {
  return value_of(graph, name).constant.value();
}

TEST(TextGraph, the_example_in_the_header_is_a_sound_graph) {
  const Graph graph = parse_text_graph(R"(
    opset 11
    input x float32 [N, 3, 8, 8]
    const w float32 [4, 3, 3, 3] random
    const six float32 [] 6
    c1 = Conv(x, w) {pads=[1, 1, 1, 1], group=1}
    a, b = Split(c1) {axis=1}
    y = Clip(a, -, six)
    output y b
  )");
  EXPECT_NO_THROW(verify(graph));
  EXPECT_EQ(graph.opset, 11);
  ASSERT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(infer(graph).shape(graph.outputs[0]), (Shape{1, 2, 8, 8}));
  EXPECT_EQ(graph.value(graph.outputs[1]).name, "b");
}

TEST(TextGraph, empty_text_is_an_empty_graph_of_opset_13) {
  const Graph graph = parse_text_graph("\n  # nothing here\n");
  EXPECT_TRUE(graph.values.empty());
  EXPECT_EQ(graph.opset, 13);
}

TEST(TextGraph, inputs_have_sizes_symbols_unknown_sizes_or_no_shape) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 3, ?]
    input scalar int64 []
    input free bool
  )");
  ASSERT_EQ(graph.inputs.size(), 3u);
  const Dims expected{
      {.size = -1, .symbol = "N"}, {.size = 3, .symbol = ""}, {.size = -1, .symbol = ""}};
  EXPECT_EQ(value_of(graph, "x").declared, expected);
  EXPECT_EQ(value_of(graph, "x").dtype, DType::f32);
  EXPECT_EQ(value_of(graph, "scalar").declared, Dims{});
  EXPECT_EQ(value_of(graph, "free").declared, std::nullopt);
  EXPECT_EQ(value_of(graph, "free").dtype, DType::boolean);
}

TEST(TextGraph, constants_are_listed_with_or_without_an_equals_sign) {
  const Graph graph = parse_text_graph(R"(
    const shape int64 [4] = 0 2 -1 9223372036854775807
    const half float32 [2] 0.5 -1e-3
    const wide float64 [] 0.1
    const bytes uint8 [2] 0 255   # a comment
    const small int8 [1] -128
    const none int32 [0]
  )");
  EXPECT_EQ(tensor_of(graph, "shape"), Tensor::vector({0, 2, -1, INT64_MAX}));
  EXPECT_EQ(tensor_of(graph, "half"), Tensor::of<float>({2}, {0.5f, -1e-3f}));
  EXPECT_EQ(tensor_of(graph, "wide"), Tensor::of<double>({}, {0.1}));
  EXPECT_EQ(tensor_of(graph, "bytes"), Tensor::of<uint8_t>({2}, {0, 255}));
  EXPECT_EQ(tensor_of(graph, "small"), Tensor::of<int8_t>({1}, {-128}));
  EXPECT_EQ(tensor_of(graph, "none"), Tensor::zeros(DType::i32, {0}));
  EXPECT_EQ(value_of(graph, "bytes").dtype, DType::u8);
}

TEST(TextGraph, constants_are_filled_by_a_word) {
  const Graph graph = parse_text_graph(R"(
    const z float16 [2] zeros
    const o float32 [2, 1] ones
    const r float32 [100] random
    const p float32 [100] positive
  )");
  EXPECT_EQ(tensor_of(graph, "z"), Tensor::zeros(DType::f16, {2}));
  EXPECT_EQ(tensor_of(graph, "o"), Tensor::of<float>({2, 1}, {1, 1}));
  const auto [lowest, highest] = std::ranges::minmax(tensor_of(graph, "r").as<float>());
  EXPECT_TRUE(-1 <= lowest && lowest < -0.5 && 0.5 < highest && highest <= 1);
  const auto [least, most] = std::ranges::minmax(tensor_of(graph, "p").as<float>());
  EXPECT_TRUE(0.5 <= least && least < 0.75 && 1.25 < most && most <= 1.5);
}

TEST(TextGraph, random_constants_depend_on_their_name_alone) {
  const Graph one = parse_text_graph("const a float32 [8] random");
  const Graph two = parse_text_graph("const b float32 [8] random\nconst a float32 [8] random");
  EXPECT_EQ(tensor_of(one, "a"), tensor_of(two, "a"));
  EXPECT_NE(tensor_of(two, "a").as<float>()[0], tensor_of(two, "b").as<float>()[0]);
}

TEST(TextGraph, nodes_have_attributes_of_every_kind) {
  const Graph graph = parse_text_graph(R"(
    input x float32
    y = Anything(x) {i=-3, f=0.5, e=1e-05, s="a, #b}", is=[1, 2], fs=[1.0, 2], ss=["p", "q"], no=[]}
  )");
  const Attributes& attributes = graph.nodes[0].attributes;
  EXPECT_EQ(attributes.integer("i", 0), -3);
  EXPECT_EQ(attributes.real("f", 0), 0.5f);
  EXPECT_EQ(attributes.real("e", 0), 1e-5f);
  EXPECT_EQ(attributes.text("s", ""), "a, #b}");
  EXPECT_EQ(attributes.integers("is"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(attributes.reals("fs"), (std::vector<float>{1, 2}));
  EXPECT_EQ(std::get<std::vector<std::string>>(*attributes.find("ss")),
            (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(attributes.integers("no"), std::vector<int64_t>{});
  EXPECT_EQ(graph.nodes[0].op, nullptr);
}

TEST(TextGraph, inputs_and_outputs_of_nodes_may_be_left_out) {
  const Graph graph = parse_text_graph(R"(
    input x float32
    a = Clip(x, -, x)
    b = Clip(a, , x)
    c, - = Dropout(b)
    d = Constant() {value_float=1.0}
  )");
  const ValueId x = *find_value(graph, "x"), a = *find_value(graph, "a");
  EXPECT_EQ(graph.nodes[0].inputs, (std::vector<ValueId>{x, kNoValue, x}));
  EXPECT_EQ(graph.nodes[1].inputs, (std::vector<ValueId>{a, kNoValue, x}));
  EXPECT_EQ(graph.nodes[2].outputs, (std::vector<ValueId>{*find_value(graph, "c"), kNoValue}));
  EXPECT_TRUE(graph.nodes[3].inputs.empty());
  EXPECT_EQ(graph.nodes[0].op, find_operator("", "Clip"));
}

TEST(TextGraph, outputs_are_float32_or_what_is_said) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 3]
    input i int64
    y = Relu(x)
    n = Shape(x)
    output y n int64 [2] i
  )");
  ASSERT_EQ(graph.outputs.size(), 3u);
  EXPECT_EQ(value_of(graph, "y").dtype, DType::f32);
  EXPECT_EQ(value_of(graph, "y").declared, std::nullopt);
  EXPECT_EQ(value_of(graph, "n").dtype, DType::i64);
  EXPECT_EQ(value_of(graph, "n").declared, (Dims{{.size = 2, .symbol = ""}}));
  EXPECT_EQ(value_of(graph, "i").dtype, DType::i64);
}

TEST(TextGraph, a_keyword_is_a_good_name_for_a_value) {
  const Graph graph = parse_text_graph("input input float32\noutput = Relu(input)\noutput output");
  EXPECT_EQ(graph.value(graph.outputs.at(0)).name, "output");
}

struct Wrong {
  const char* line;
  const char* message;
};

class TextGraphError : public testing::TestWithParam<Wrong> {};

TEST_P(TextGraphError, says_the_line_and_what_was_expected) {
  try {
    parse_text_graph(std::string("# first\ninput x float32 [2]\n") + GetParam().line + "\n");
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), std::string("text graph, line 3: ") + GetParam().message);
  }
}

const Wrong kWrong[] = {
    {"hello", "expected opset, input, const, output or 'y = Op(x)', found hello"},
    {"= Relu(x)", "expected a statement, found ="},
    {"opset new", "expected a number, found new"},
    {"opset 13 14", "expected the end of the line, found 14"},
    {"input x float32", "'x' is defined twice"},
    {"input y float", "expected an element type, found float"},
    {"input y", "expected an element type, found the end of the line"},
    {"input y float32 [2, -3]", "expected a size, found -3"},
    {"input y float32 [2", "expected ], found the end of the line"},
    {"const w float32", "expected [, found the end of the line"},
    {"const w float32 [N] ones", "expected a size, found N"},
    {"const w float32 [-1] ones", "shape -1 has a negative size"},
    {"const w float32 [3] 1 2", "expected 3 elements of float32, found the end of the line"},
    {"const w float32 [1] 1 2", "expected the end of the line, found 2"},
    {"const w int64 [1] 0.5", "expected 1 elements of int64, found 0.5"},
    {"const w uint8 [1] 256", "expected 1 elements of uint8, found 256"},
    {"const w int64 [1] random", "'w': only float32 can be random"},
    {"const w float16 [1] 1", "'w': float16 can only be zeros"},
    {"y = Relu(z)", "'z' is not defined"},
    {"y = Relu(y)", "'y' is not defined"},
    {"y, x = Split(x)", "'x' is defined twice"},
    {"y = Relu x", "expected (, found x"},
    {"y = Relu(x", "expected ), found the end of the line"},
    {"y = (x)", "expected an operator, found ("},
    {"y = Relu(x) {a}", "expected =, found }"},
    {"y = Relu(x) {a=}", "expected a number or a string, found }"},
    {"y = Relu(x) {a=b}", "expected a number or a string, found b"},
    {"y = Relu(x) {a=\"b}", "expected a number or a string, found \""},
    {"y = Relu(x) {a=[1, \"b\"]}", "expected a number or a string, found 1"},
    {"y = Relu(x) {a=1", "expected }, found the end of the line"},
    {"output y", "'y' is not defined"},
    {"output", "expected a name, found the end of the line"},
};

INSTANTIATE_TEST_SUITE_P(All, TextGraphError, testing::ValuesIn(kWrong));

}  // namespace
}  // namespace coppice
