// What ONNX Runtime's quantiser writes around QLinearConv (domain com.microsoft): channels pass,
// and ONNX Runtime computes what the reference does. Codes by blocks are read as ONNX means them.

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "support/graphs/judged_cut.h"
#include "verify/compare.h"

namespace coppice {
namespace {

Graph of_microsoft(const std::string& text) {
  Graph graph = parse_text_graph(text);
  for (Node& node : graph.nodes) {
    const OpDef* known = find_operator("com.microsoft", node.op_type);
    if (!known || find_operator("", node.op_type)) continue;
    node.domain = "com.microsoft";
    node.op = known;
  }
  return graph;
}

// Two branches that are added, one that is gated, a concatenation, a mean and two layers.
constexpr char kNet[] = R"(
      opset 13
      input x float32 [2, 2, 4, 4]
      const s float32 [] = 0.02
      const z uint8 [] = 128
      const z0 uint8 [] = 0
      const zw int8 [] = 0
      const w1 int8 [4, 2, 1, 1] = 60 -20 55 40 -72 -13 100 -100
      const s1 float32 [4] = 0.01 0.02 0.01 0.03
      const z1 int8 [4] = 0 0 0 0
      const b1 int32 [4] = 100 -50 20 300
      const w2 int8 [4, 4, 1, 1] = 10 20 30 40 -50 60 70 -80 90 100 -110 120 5 -6 70 80
      const w3 int8 [3, 4, 1, 1] = 10 -20 30 40 50 60 -70 -80 90 -100 110 12
      const w4 int8 [5, 7] = 1 20 -3 4 50 6 7 80 9 -10 11 12 13 14 15 -16 17 18 19 20 21 -22 23 24 25 26 27 28 90 30 31 -32 33 34 35
      const s4 float32 [5] = 0.01 0.02 0.01 0.03 0.01
      const z4 int8 [5] = 0 0 0 0 0
      const b4 int32 [5] = 10 -50 20 30 0
      const w5 int8 [5, 2] = 60 20 -30 40 50 60 70 -80 90 100
      q = QuantizeLinear(x, s, z)
      a = QLinearConv(q, s, z, w1, s1, z1, s, z, b1)
      b = QLinearConv(a, s, z, w2, s, zw, s, z)
      c = QLinearAdd(a, s, z, b, s, z, s, z)
      d = QLinearLeakyRelu(c, s, z, s, z) {alpha=0.1}
      e = QLinearSigmoid(d, s, z, s, z0)
      f = QLinearMul(d, s, z, e, s, z0, s, z)
      g = QLinearConv(f, s, z, w3, s, zw, s, z)
      h = QLinearConcat(s, z, f, s, z, g, s, z) {axis=1}
      m = QLinearGlobalAveragePool(h, s, z, s, z) {channels_last=0}
      n = Flatten(m) {axis=1}
      o = QGemm(n, s, z, w4, s4, z4, b4, s, z) {transB=1, alpha=1.0}
      p = QLinearMatMul(o, s, z, w5, s, zw, s, z)
      y = DequantizeLinear(p, s, z)
      output y)";

TEST(IntegerOperators, channels_pass_them) {
  const Graph graph = of_microsoft(kNet);
  EXPECT_EQ(groups_of(graph),
            "4: w1.0 w2.0 s1.0 z1.0 b1.0 w2.1 w3.1 w4.1\n"
            "3: w3.0 w4.1=4|5|6\n"
            "5: w4.0 s4.0 z4.0 b4.0 w5.0\n");
  expect_cut_equals_mask(graph);
}

TEST(IntegerOperators, layers_of_codes_have_costs) {
  const Graph graph = of_microsoft(kNet);
  EXPECT_EQ(costs_of(graph, infer(graph)).macs, 256 + 512 + 384 + 70 + 20);
}

TEST(IntegerOperators, onnxruntime_computes_what_the_reference_does) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Graph graph = of_microsoft(kNet);
  const TempDir folder;
  write_onnx(graph, folder / "model.onnx");
  Random random(4);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  const auto found = judge->run(folder / "model.onnx", {{"x", inputs[0]}});
  EXPECT_LT(difference(found[0].tensor, run_reference(graph, inputs)[0]), 0.041) << "two steps";
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  for (const Group& group : groups.free) removal[group.first_unit + 1] = 1;
  Graph cut = graph;
  remove_units(cut, groups, removal);
  EXPECT_TRUE(require_cut(graph, groups, removal, cut, 1).comparison.equal());
  JudgedCut(*judge, graph, groups, removal).expect_agreement({{"x", inputs[0]}});
}

TEST(IntegerOperators, codes_by_blocks_are_what_onnx_means) {
  const Graph graph = parse_text_graph(R"(
      opset 21
      input x float32 [2, 4]
      const codes int8 [4, 2] = 1 2 3 4 5 6 7 8
      const steps float32 [2, 2] = 0.5 1 2 4
      const zeros int8 [2, 2] = 0 1 2 3
      w = DequantizeLinear(codes, steps, zeros) {axis=0, block_size=2}
      y = MatMul(x, w)
      output y)");
  const Tensor x = Tensor::of<float>({2, 4}, std::vector<float>{1, 0, 0, 0, 0, 0, 0, 1});
  const std::vector<float> expected = {0.5f, 1, 10, 20};  // (1 - 0) / 2, 2 - 1; (7 - 2) * 2, ...
  EXPECT_EQ(run_reference(graph, std::vector<Tensor>{x})[0], Tensor::of<float>({2, 2}, expected));
}

}  // namespace
}  // namespace coppice
