// Weights that aren't stored as the layer reads them: computed from constants, in half precision,
// as codes of integers.

#include <gtest/gtest.h>

#include "core/numbers/half.h"
#include "graph/cost.h"
#include "graph/passes/fold_weights.h"
#include "graph/passes/halves.h"
#include "graph/passes/loosen.h"
#include "graph/views/quantised.h"
#include "groups/cut/cut_out.h"
#include "prune/scores/criterion.h"
#include "support/graphs/judged_cut.h"
#include "verify/compare.h"

namespace coppice {
namespace {

constexpr char kWeightNorm[] = R"(
      input x float32 [N, 3, 8]
      const v1 float32 [4, 3, 3] random
      const g1 float32 [4, 1, 1] positive
      const b1 float32 [4] random
      const v2 float32 [2, 4, 1] random
      const g2 float32 [2, 1, 1] positive
      n1 = ReduceL2(v1) {axes=[1, 2], keepdims=1}
      d1 = Div(v1, n1)
      w1 = Mul(d1, g1)
      a = Conv(x, w1, b1)
      n2 = ReduceL2(v2) {axes=[1, 2], keepdims=1}
      d2 = Div(v2, n2)
      w2 = Mul(d2, g2)
      r = Relu(a)
      y = Conv(r, w2)
      output y)";

TEST(ComputedWeights, are_constants_while_channels_are_traced_and_cut) {
  Graph graph = parse_text_graph(kWeightNorm);
  const Graph original = graph;
  loosen(graph);
  EXPECT_EQ(groups_of(graph), "4: w1.0 b1.0 w2.1\n");
  expect_cut_equals_mask(graph);
  EXPECT_EQ(costs_of(graph, infer(graph)).parameters, 36 + 4 + 8);
  Random random(2);
  const std::vector<Tensor> inputs = random_inputs(original, 2, random);
  EXPECT_LT(difference(run_reference(original, inputs)[0], run_reference(graph, inputs)[0]), 1e-6);
}

TEST(ComputedWeights, stay_computed_where_nothing_of_them_is_cut) {
  Graph graph = parse_text_graph(kWeightNorm);
  const size_t nodes = graph.nodes.size();
  loosen(graph);
  Graph whole = graph;
  unfold_weights(whole);
  EXPECT_EQ(whole.nodes.size(), nodes);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[0] = 1;
  Graph cut = graph;
  remove_units(cut, groups, removal);
  cut.value(*find_value(cut, "v1")).constant.reset();  // as whoever reads the file sees it
  unfold_weights(cut);
  EXPECT_EQ(cut.nodes.size(), 3u) << "both weights changed";
}

TEST(ComputedWeights, of_a_matrix_product_are_folded_too) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const k float32 [4, 3] random
      const u float32 [4] random
      const v float32 [3] random
      const out float32 [4, 2] random
      p = MatMul(k, v)
      s = MatMul(u, p)
      w = Div(k, s)
      a = Gemm(x, w) {transB=1}
      y = MatMul(a, out)
      output y)");
  loosen(graph);
  EXPECT_EQ(groups_of(graph), "4: w.0 out.0\n");
}

// --- half precision

constexpr char kNet[] = R"(
      input x float32 [N, 3, 6, 6]
      const w1 float32 [6, 3, 3, 3] random
      const b1 float32 [6] random
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1, b1)
      r = Relu(a)
      y = Conv(r, w2)
      output y)";

Graph in_halves(DType type) {
  Graph graph = parse_text_graph(kNet);
  for (Value& value : graph.values) {
    if (value.constant) value.constant = narrowed(*value.constant, type);
    if (value.dtype == DType::f32) value.dtype = type;
  }
  return graph;
}

TEST(HalfPrecision, is_computed_in_float32_and_goes_back_bit_by_bit) {
  for (const DType type : {DType::f16, DType::bf16}) {
    const Graph halves = in_halves(type);
    Graph graph = halves;
    widen_halves(graph);
    EXPECT_EQ(graph.value(graph.inputs[0]).dtype, DType::f32);
    EXPECT_EQ(groups_of(graph), "6: w1.0 b1.0 w2.1\n");
    expect_cut_equals_mask(graph);
    narrow_halves(graph);
    for (size_t i = 0; i < graph.values.size(); ++i) {
      EXPECT_EQ(graph.values[i].constant, halves.values[i].constant);
      EXPECT_EQ(graph.values[i].dtype, halves.values[i].dtype);
    }
  }
}

TEST(HalfPrecision, what_is_cut_is_written_in_the_type_it_came_in) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  // Halves within, floats at the edges, as converters write it.
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 6, 6]
      const w1 float32 [6, 3, 3, 3] random
      const b1 float32 [6] random
      const w2 float32 [2, 6, 1, 1] random
      h = Cast(x) {to=10}
      a = Conv(h, w1, b1)
      r = Relu(a)
      c = Conv(r, w2)
      y = Cast(c) {to=1}
      output y)");
  for (const char* name : {"w1", "b1", "w2"}) {
    Value& value = graph.value(*find_value(graph, name));
    value.constant = narrowed(*value.constant, DType::f16);
    value.dtype = DType::f16;
  }
  widen_halves(graph);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[1] = removal[4] = 1;
  JudgedCut cut(*judge, graph, groups, removal);
  Random random(3);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  const std::vector<NamedTensor> given{{"x", inputs[0]}};
  Graph smaller = graph;
  remove_units(smaller, groups, removal);
  write_onnx(smaller, folder / "cut.onnx");
  Graph again = read_onnx(folder / "cut.onnx");
  EXPECT_EQ(half_type(again), DType::f16);
  const auto found = judge->run(folder / "cut.onnx", given);
  EXPECT_LT(difference(found[0].tensor, run_reference(smaller, inputs)[0]), 5e-3) << "half steps";
}

TEST(HalfPrecision, stored_behind_a_cast_it_is_traced_and_scored) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      c1 = Cast(w1) {to=1}
      c2 = Cast(w2) {to=1}
      a = MatMul(x, c1)
      r = Relu(a)
      y = MatMul(r, c2)
      output y)");
  for (const char* name : {"w1", "w2"}) {
    Value& value = graph.value(*find_value(graph, name));
    value.constant = narrowed(*value.constant, DType::f16);
    value.dtype = DType::f16;
  }
  widen_halves(graph);
  loosen(graph);
  const Groups groups = find_groups(graph);
  EXPECT_EQ(text_of(graph, groups), "4: w1.1 w2.0\n");
  EXPECT_EQ(groups.free[0].slices[0].role, Role::filter);
  const Scores scores = score_units(graph, groups, find_criterion("l2"), {});
  const Tensor& w = *graph.value(*find_value(graph, "w1")).constant;
  const float expected = std::hypot(w.as<float>()[0], w.as<float>()[4], w.as<float>()[8]);
  const float other = std::hypot(w.as<float>()[1], w.as<float>()[5], w.as<float>()[9]);
  EXPECT_NEAR(scores.units[0] / scores.units[1], expected / other, 1e-4);
  Graph back = graph;
  narrow_halves(back);
  EXPECT_EQ(back.nodes.size(), 5u) << "its casts are no no-ops";
}

// --- codes

constexpr char kCodes[] = R"(
      opset 13
      input x float32 [N, 2, 4, 4]
      const c1 uint8 [4, 2, 1, 1] = 128 128 255 0 120 136 200 56
      const s1 float32 [4] = 0.5 0.001 0.02 0.01
      const z1 uint8 [4] = 128 128 128 128
      const c2 int8 [3, 4, 1, 1] = 1 2 3 4 5 6 7 8 9 10 11 12
      const s2 float32 [] = 0.1
      const z2 int8 [] = 3
      const sx float32 [] = 0.05
      const zx uint8 [] = 120
      w1 = DequantizeLinear(c1, s1, z1) {axis=0}
      w2 = DequantizeLinear(c2, s2, z2)
      a = Conv(x, w1)
      q = QuantizeLinear(a, sx, zx)
      d = DequantizeLinear(q, sx, zx)
      y = Conv(d, w2)
      output y)";

TEST(Codes, channels_steps_and_zero_points_go_together) {
  const Graph graph = parse_text_graph(kCodes);
  EXPECT_EQ(groups_of(graph), "4: c1.0 s1.0 z1.0 c2.1\n");
  expect_cut_equals_mask(graph);
  EXPECT_EQ(costs_of(graph, infer(graph)).parameters, 8 + 12);
}

TEST(Codes, criteria_see_what_they_stand_for) {
  const Graph graph = parse_text_graph(kCodes);
  const Groups groups = find_groups(graph);
  const Scores scores = score_units(graph, groups, find_criterion("l2"), {});
  // (code - zero point) * step: 0 0; 0.127 -0.128; -0.16 0.16; 0.72 -0.72.
  EXPECT_EQ(scores.units[0], 0);
  EXPECT_LT(scores.units[1], scores.units[2]);
  EXPECT_LT(scores.units[2], scores.units[3]);
}

TEST(Codes, what_stays_is_bit_equal_and_onnxruntime_agrees) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Graph graph = parse_text_graph(kCodes);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[1] = removal[2] = 1;
  JudgedCut cut(*judge, graph, groups, removal);
  Random random(4);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  cut.expect_agreement({{"x", inputs[0]}});
  Graph smaller = graph;
  remove_units(smaller, groups, removal);
  const std::vector<int64_t> kept{0, 3};
  const auto codes = [](const Graph& of) { return *of.value(*find_value(of, "c1")).constant; };
  EXPECT_EQ(codes(smaller), take(codes(graph), 0, kept));
  EXPECT_TRUE(require_cut(graph, groups, removal, smaller, 1).comparison.equal());
}

constexpr char kIntegers[] = R"(
      opset 13
      input x float32 [2, 2, 4, 4]
      const w uint8 [4, 2, 1, 1] = 128 128 255 0 120 136 200 56
      const zw uint8 [] = 128
      const sw float32 [1, 4, 1, 1] = 0.5 0.1 0.02 0.01
      const out float32 [3, 4, 1, 1] random
      c, s, z = DynamicQuantizeLinear(x)
      i = ConvInteger(c, w, z, zw)
      f = Cast(i) {to=1}
      b = Mul(sw, s)
      a = Mul(f, b)
      r = Relu(a)
      y = Conv(r, out)
      output y)";

TEST(Codes, of_integer_convolutions) {
  const Graph graph = parse_text_graph(kIntegers);
  EXPECT_EQ(groups_of(graph), "4: w.0 sw.1 out.1\n");
  expect_cut_equals_mask(graph);
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  write_onnx(graph, folder / "model.onnx");
  Random random(4);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  const auto found = judge->run(folder / "model.onnx", {{"x", inputs[0]}});
  EXPECT_LT(difference(found[0].tensor, run_reference(graph, inputs)[0]), kCutTolerance);
}

TEST(Codes, of_convolutions_between_codes) {
  const Graph graph = parse_text_graph(R"(
      opset 13
      input x float32 [2, 2, 4, 4]
      const sx float32 [] = 0.02
      const zx uint8 [] = 128
      const w1 int8 [4, 2, 1, 1] = 1 -20 55 0 12 -13 100 -100
      const s1 float32 [4] = 0.01 0.02 0.01 0.03
      const z1 int8 [4] = 0 0 0 0
      const b1 int32 [4] = 100 -50 20 300
      const w2 int8 [3, 4, 1, 1] = 10 20 30 40 -50 60 70 -80 90 100 -110 120
      const s2 float32 [] = 0.01
      const z2 int8 [] = 0
      const sy float32 [] = 0.05
      const zy uint8 [] = 100
      q = QuantizeLinear(x, sx, zx)
      a = QLinearConv(q, sx, zx, w1, s1, z1, sy, zy, b1)
      b = QLinearConv(a, sy, zy, w2, s2, z2, sy, zy)
      y = DequantizeLinear(b, sy, zy)
      output y)");
  EXPECT_EQ(groups_of(graph), "4: w1.0 s1.0 z1.0 b1.0 w2.1\n");
  expect_cut_equals_mask(graph);
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  write_onnx(graph, folder / "model.onnx");
  Random random(4);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  const auto found = judge->run(folder / "model.onnx", {{"x", inputs[0]}});
  EXPECT_LT(difference(found[0].tensor, run_reference(graph, inputs)[0]), 0.06) << "one step";
}

// A type whose elements nobody looks into, between layers that are cut; as a file carries one.
TEST(CarriedWeights, pin_what_reads_them_and_the_proof_goes_around) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [8, 3, 3, 3] random
      const w2 float32 [6, 8, 3, 3] random
      const codes int8 [6, 4] = 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
      const steps float32 [3, 4] positive
      a = Conv(x, w1)
      b = Relu(a)
      c = Conv(b, w2) {pads=[1, 1, 1, 1]}
      d = GlobalAveragePool(c)
      e = Flatten(d)
      w3 = DequantizeLinear(codes, steps) {axis=0, block_size=2}
      y = MatMul(e, w3)
      output y)");
  constexpr auto kInt4 = static_cast<DType>(22);
  const auto bytes = std::make_shared<std::vector<std::byte>>(12);
  const Tensor carried = Tensor::view(kInt4, {6, 4}, bytes, *bytes);
  Value& codes = graph.value(*find_value(graph, "codes"));
  codes.dtype = kInt4;
  codes.constant = carried;
  loosen(graph);
  EXPECT_EQ(groups_of(graph), "8: w1.0 w2.1\n");
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[2] = 1;
  const Graph cut = cut_out(graph, groups, removal);
  EXPECT_EQ(cut.value(*find_value(cut, "codes")).constant->bytes().data(), carried.bytes().data());
  const Proof proof = require_cut(graph, groups, removal, cut, {});
  EXPECT_TRUE(proof.comparison.equal());
  ASSERT_EQ(proof.around.size(), 1u);
  EXPECT_NE(proof.around[0].find("DequantizeLinear"), std::string::npos) << proof.around[0];
}

}  // namespace
}  // namespace coppice
