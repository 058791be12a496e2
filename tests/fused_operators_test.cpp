// What ONNX Runtime's optimiser fuses (domain com.microsoft): heads and feed-forward widths are
// free, and ONNX Runtime computes what the reference does.

#include <gtest/gtest.h>

#include "support/graphs/judged_cut.h"
#include "verify/compare.h"

namespace coppice {
namespace {

Graph of_microsoft(const std::string& text) {
  Graph graph = parse_text_graph(text);
  for (Node& node : graph.nodes) {
    const OpDef* fused = find_operator("com.microsoft", node.op_type);
    if (!fused) continue;
    node.domain = "com.microsoft";
    node.op = fused;
  }
  return graph;
}

constexpr char kEncoder[] = R"(
      opset 17
      input x float32 [N, 3, 6]
      const wq float32 [6, 8] random
      const wk float32 [6, 8] random
      const wv float32 [6, 8] random
      const bias float32 [24] random
      const wo float32 [8, 6] random
      const scale float32 [6] positive
      const shift float32 [6] random
      const more float32 [6] random
      const up float32 [6, 5] random
      const b1 float32 [5] random
      const down float32 [5, 6] random
      q = MatMul(x, wq)
      k = MatMul(x, wk)
      v = MatMul(x, wv)
      a = MultiHeadAttention(q, k, v, bias) {num_heads=2}
      o = MatMul(a, wo)
      s = SkipLayerNormalization(o, x, scale, shift, more) {epsilon=0.00001}
      h = MatMul(s, up)
      g = BiasGelu(h, b1)
      d = MatMul(g, down)
      y = Add(d, s)
      output y)";

TEST(FusedOperators, heads_their_widths_and_feed_forward_widths_are_free) {
  const Graph graph = of_microsoft(kEncoder);
  EXPECT_EQ(groups_of(graph),
            "2: wq.1=0,1,2,3|4,5,6,7 wk.1=0,1,2,3|4,5,6,7 wv.1=0,1,2,3|4,5,6,7 "
            "bias.0=0,1,2,3,8,9,10,11,16,17,18,19|4,5,6,7,12,13,14,15,20,21,22,23 "
            "wo.0=0,1,2,3|4,5,6,7\n"
            "4: wq.1=0,4|1,5|2,6|3,7 wk.1=0,4|1,5|2,6|3,7 bias.0=0,4,8,12|1,5,9,13|2,6,10,14|"
            "3,7,11,15\n"
            "4: wv.1=0,4|1,5|2,6|3,7 bias.0=16,20|17,21|18,22|19,23 wo.0=0,4|1,5|2,6|3,7\n"
            "5: up.1 b1.0 down.0\n");
}

TEST(FusedOperators, a_cut_is_proved_and_loads_in_onnxruntime) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Graph graph = of_microsoft(kEncoder);
  const Groups groups = find_groups(graph);
  Random random(5);
  for (const double share : {0.3, 0.6}) {
    Removal removal(groups.unit_count, 0);
    for (const Group& group : groups.free) {
      // Queries and keys must stay as wide as values: ONNX Runtime asks for it of biases.
      if (group.name == "wq" || group.name == "wv") continue;
      for (int64_t u = 0; u < group.units(); ++u) {
        removal[group.first_unit + u] = random.uniform() < share;
      }
    }
    refill_empty_axes(groups, removal);
    removal[0] = 1;
    removal[1] = 0;
    JudgedCut cut(*judge, graph, groups, removal);
    const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
    cut.expect_agreement({{"x", inputs[0]}});
    Graph smaller = graph;
    remove_units(smaller, groups, removal);
    EXPECT_TRUE(require_cut(graph, groups, removal, smaller, 1).comparison.equal());
  }
}

TEST(FusedOperators, attention_with_one_weight_for_all_three) {
  const Graph graph = of_microsoft(R"(
      opset 17
      input x float32 [N, 3, 6]
      const w float32 [6, 24] random
      const b float32 [24] random
      const wo float32 [8, 6] random
      a = Attention(x, w, b) {num_heads=2}
      y = MatMul(a, wo)
      output y)");
  expect_cut_equals_mask(graph);
}

TEST(FusedOperators, what_runs_is_what_onnxruntime_computes) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  for (const char* text :
       {"opset 17\ninput x float32 [2, 3, 6]\nconst w float32 [6, 24] random\n"
        "const b float32 [24] random\ny = Attention(x, w, b) {num_heads=2}\noutput y",
        "opset 17\ninput x float32 [2, 3, 6]\nconst b float32 [6] random\ny = FastGelu(x, b)\n"
        "output y",
        "opset 17\ninput x float32 [2, 3, 6]\ny = QuickGelu(x)\noutput y",
        "opset 17\ninput x float32 [2, 3, 4, 4]\nconst w float32 [5, 3, 2, 2] random\n"
        "const b float32 [5] random\ny = FusedConv(x, w, b) {activation=\"Relu\"}\noutput y"}) {
    const Graph graph = of_microsoft(text);
    write_onnx(graph, folder / "model.onnx");
    Random random(9);
    const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
    const auto expected = judge->run(folder / "model.onnx", {{"x", inputs[0]}});
    EXPECT_LT(difference(expected[0].tensor, run_reference(graph, inputs)[0]), kCutTolerance)
        << text;
  }
}

TEST(FusedOperators, a_fused_convolution_loses_filters_with_what_is_added) {
  const Graph graph = of_microsoft(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 3, 1, 1] random
      const b2 float32 [4] random
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = FusedConv(x, w2, b2, a) {activation="Relu"}
      y = Conv(b, w3)
      output y)");
  EXPECT_EQ(groups_of(graph), "4: w1.0 w2.0 b2.0 w3.1\n");
  expect_cut_equals_mask(graph);
}

}  // namespace
}  // namespace coppice
