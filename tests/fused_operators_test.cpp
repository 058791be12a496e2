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

struct GroupQuery {
  const char* what;
  int64_t batch, places;  // with earlier keys ONNX Runtime takes one text, or one place of each
  const char *lengths, *total, *inputs, *attributes;

  bool packed() const { return std::string_view(what) == "packed"; }
};

constexpr GroupQuery kGroupQueries[] = {
    {"plain", 2, 3, "2 2", "3", "q, k, v, -, -, lengths, total", ""},
    {"turned", 2, 3, "2 2", "3", "q, k, v, -, -, lengths, total, c, s", "do_rotary=1, softcap=2.0"},
    {"with a bias", 2, 3, "2 2", "3", "q, k, v, -, -, lengths, total, -, -, -, bias", "scale=0.5"},
    {"after others", 1, 3, "6", "7", "q, k, v, past, other, lengths, total, c, s",
     "do_rotary=1, rotary_interleaved=1"},
    {"in a window", 2, 1, "4 2", "5", "q, k, v, past, other, lengths, total",
     "local_window_size=2"},
    {"packed", 2, 1, "4 2", "5", "p, -, -, past, other, lengths, total, c, s", "do_rotary=1"}};

// Four heads of queries, two of keys, sixteen wide.
Graph graph_of(const GroupQuery& of) {
  const std::string batch = std::to_string(of.batch), places = std::to_string(of.places);
  return of_microsoft("opset 17\ninput x float32 [" + batch + ", " + places +
                      ", 6]\nconst wq float32 [6, 64] random\nconst wk float32 [6, 32] random\n"
                      "const wv float32 [6, 32] random\nconst wo float32 [64, 5] random\n"
                      "const past float32 [" +
                      batch + ", 2, 4, 16] random\nconst other float32 [" + batch +
                      ", 2, 4, 16] random\nconst lengths int32 [" + batch + "] " + of.lengths +
                      "\nconst total int32 [] " + of.total +
                      "\nconst c float32 [9, 8] random\nconst s float32 [9, 8] random\n"
                      "const bias float32 [1, 4, 3, 3] random\n"
                      "q = MatMul(x, wq)\nk = MatMul(x, wk)\nv = MatMul(x, wv)\n" +
                      (of.packed() ? "p = Concat(q, k, v) {axis=2}\n" : "") +
                      "a, pk, pv = GroupQueryAttention(" + of.inputs +
                      ") {num_heads=4, kv_num_heads=2" + (*of.attributes ? ", " : "") +
                      of.attributes + "}\ny = MatMul(a, wo)\noutput y");
}

TEST(FusedOperators, grouped_queries_are_what_onnxruntime_computes) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  for (const GroupQuery& of : kGroupQueries) {
    Graph graph = graph_of(of);
    for (const char* present : {"pk", "pv"}) {
      graph.outputs.push_back(*find_value(graph, present));
      graph.value(graph.outputs.back()).dtype = DType::f32;
    }
    write_onnx(graph, folder / "model.onnx");
    Random random(9);
    const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
    const auto expected = judge->run(folder / "model.onnx", {{"x", inputs[0]}});
    const std::vector<Tensor> found = run_reference(graph, inputs);
    ASSERT_EQ(found.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LT(difference(expected[i].tensor, found[i]), kCutTolerance) << i << ": " << of.what;
    }
  }
}

TEST(FusedOperators, a_head_of_keys_leaves_with_the_queries_that_it_serves) {
  for (const GroupQuery& of : kGroupQueries) {
    SCOPED_TRACE(of.what);
    const Graph graph = graph_of(of);
    const Groups groups = find_groups(graph);
    ASSERT_EQ(groups.free.size(), 2u);
    for (const Group& group : groups.free) EXPECT_EQ(group.units(), 2);
    expect_cut_equals_mask(graph);
  }
}

TEST(FusedOperators, a_cut_of_grouped_queries_loads_in_onnxruntime) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  Random random(3);
  for (const GroupQuery& of : kGroupQueries) {
    const Graph graph = graph_of(of);
    const Groups groups = find_groups(graph);
    for (int32_t unit = 0; unit < groups.unit_count; ++unit) {
      Removal removal(groups.unit_count, 0);
      removal[unit] = 1;
      JudgedCut cut(*judge, graph, groups, removal);
      cut.expect_agreement({{"x", random_inputs(graph, 2, random)[0]}});
    }
  }
}

TEST(FusedOperators, embeddings_are_what_onnxruntime_computes) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  for (const char* call :
       {"e, m, sum = EmbedLayerNormalization(ids, -, words, places, -, scale, shift)",
        "e, m, sum = EmbedLayerNormalization(ids, kinds, words, places, parts, scale, shift, mask)",
        "e, m, sum = EmbedLayerNormalization(ids, -, words, places, -, scale, shift, -, where)"}) {
    const Graph graph = of_microsoft(
        "opset 17\ninput ids int32 [2, 3]\nconst words float32 [2, 6] random\n"
        "const places float32 [5, 6] random\nconst parts float32 [2, 6] random\n"
        "const scale float32 [6] positive\nconst shift float32 [6] random\n"
        "const kinds int32 [2, 3] 0 1 1 0 0 1\nconst mask int32 [2, 3] 1 1 0 1 1 1\n"
        "const where int32 [2, 3] 1 2 3 4 0 2\n" +
        std::string(call) + " {epsilon=0.0001}\noutput e m int32 sum");
    write_onnx(graph, folder / "model.onnx");
    const std::vector<Tensor> inputs{Tensor::of<int32_t>({2, 3}, std::vector{0, 1, 1, 1, 0, 0})};
    const auto expected = judge->run(folder / "model.onnx", {{"ids", inputs[0]}});
    const std::vector<Tensor> found = run_reference(graph, inputs);
    EXPECT_LT(difference(expected[0].tensor, found[0]), kCutTolerance) << call;
    EXPECT_LT(difference(expected[2].tensor, found[2]), kCutTolerance) << call;
    EXPECT_EQ(expected[1].tensor, found[1]) << call;
  }
}

TEST(FusedOperators, what_stands_between_an_embedding_and_grouped_queries_is_free) {
  const Graph graph = of_microsoft(R"(
      opset 17
      input ids int32 [2, 3]
      const words float32 [2, 6] random
      const places float32 [3, 6] random
      const scale float32 [6] positive
      const shift float32 [6] random
      const up float32 [6, 5] random
      const down float32 [5, 2] random
      e, m = EmbedLayerNormalization(ids, -, words, places, -, scale, shift)
      u = MatMul(e, up)
      g = FastGelu(u)
      y = MatMul(g, down)
      output y)");
  EXPECT_EQ(groups_of(graph), "5: up.1 down.0\n");
  expect_cut_equals_mask(graph);
}

}  // namespace
}  // namespace coppice
