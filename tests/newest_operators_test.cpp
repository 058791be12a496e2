// What opsets 23 to 26 brought: heads, heads of keys, rotary pairs and widths are free, and ONNX
// Runtime computes what the reference does.

#include <gtest/gtest.h>

#include <set>

#include "support/graphs/judged_cut.h"

namespace coppice {
namespace {

// Four heads of queries, two of keys, width 4; the tables of angles are the layer's own.
constexpr char kDecoder[] = R"(
      opset 23
      input x float32 [N, 3, 5]
      const wq float32 [5, 16] random
      const wk float32 [5, 8] random
      const wv float32 [5, 8] random
      const wo float32 [16, 5] random
      const cosine float32 [6, 2] random
      const sine float32 [6, 2] random
      const places int64 [1, 3] = 0 1 2
      const n int64 [2] = 2 3
      const norm float32 [5] positive
      const up float32 [5, 6] random
      const down float32 [6, 5] random
      p = Expand(places, n)
      r = RMSNormalization(x, norm) {axis=-1}
      q0 = MatMul(r, wq)
      k0 = MatMul(r, wk)
      v = MatMul(r, wv)
      q = RotaryEmbedding(q0, cosine, sine, p) {num_heads=4}
      k = RotaryEmbedding(k0, cosine, sine, p) {num_heads=2}
      a = Attention(q, k, v) {q_num_heads=4, kv_num_heads=2, is_causal=1}
      o = MatMul(a, wo)
      s = Add(x, o)
      h = MatMul(s, up)
      g = Swish(h) {alpha=1.5}
      d = MatMul(g, down)
      y = Add(s, d)
      output y)";

Graph decoder(int64_t opset = 24) {
  Graph graph = parse_text_graph(kDecoder);
  graph.opset = opset;
  (*graph.value(graph.inputs[0]).declared)[0] = {2, ""};  // `places` are of two images
  return graph;
}

TEST(NewestOperators, heads_of_keys_rotary_pairs_and_widths_are_free) {
  const Graph graph = decoder();
  const Groups groups = find_groups(graph);
  std::multiset<int64_t> units;
  for (const Group& group : groups.free) units.insert(group.units());
  // Two heads of keys, two places among the heads that they serve, two pairs, four widths of
  // values, six of the feed-forward layer.
  EXPECT_EQ(units, (std::multiset<int64_t>{2, 2, 2, 4, 6})) << text_of(graph, groups);
  expect_cut_equals_mask(graph);
}

TEST(NewestOperators, interleaved_pairs_leave_together) {
  Graph graph = decoder();
  for (Node& node : graph.nodes) {
    if (node.op_type == "RotaryEmbedding") node.attributes.set("interleaved", int64_t{1});
  }
  expect_cut_equals_mask(graph);
}

TEST(NewestOperators, onnxruntime_computes_the_same_and_loads_the_cut) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Graph graph = decoder();
  const Groups groups = find_groups(graph);
  Random random(5);
  const Removal removal = random_removal(groups, 0.4, random);
  JudgedCut cut(*judge, graph, groups, removal);
  const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
  const auto expected = cut.expect_agreement({{"x", inputs[0]}});
  EXPECT_LT(difference(expected[0].tensor, run_reference(cut.masked(), inputs)[0]), kCutTolerance);
}

}  // namespace
}  // namespace coppice
