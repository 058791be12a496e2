// An operator without a rule pins what it touches, and nothing else: what is behind it is traced by
// the file's own word, by its shape rule, or with sizes assumed; and the proof goes around it.

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "groups/cost_model.h"
#include "support/graphs/cut.h"
#include "verify/compare.h"

namespace coppice {
namespace {

Graph with_declared(const std::string& text, const std::string& name, Dims declared) {
  Graph graph = parse_text_graph(text);
  Value& value = graph.value(*find_value(graph, name));
  value.dtype = DType::f32;
  value.declared = std::move(declared);
  return graph;
}

Proof proved(const Graph& graph, const Groups& groups) {
  Random random(3);
  const Removal removal = random_removal(groups, 0.5, random);
  Graph cut = graph;
  remove_units(cut, groups, removal);
  return require_cut(graph, groups, removal, cut, 1);
}

constexpr char kBehind[] = R"(
      input x float32 [N, 3, 8, 8]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [6, 4, 3, 3] random
      const w3 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      m = Mystery(a)
      b = Conv(m, w2)
      c = Relu(b)
      y = Conv(c, w3)
      output y)";

TEST(UnknownShapes, what_the_file_declares_is_believed) {
  const Graph graph = with_declared(kBehind, "m", {{-1, "N"}, {4, ""}, {8, ""}, {8, ""}});
  const Groups groups = find_groups(graph);
  EXPECT_EQ(text_of(graph, groups), "6: w2.0 w3.1\n");
  EXPECT_EQ(costs_of(graph, infer(graph)).unknown, 0);
}

TEST(UnknownShapes, a_convolution_says_what_it_reads) {
  const Graph graph = parse_text_graph(kBehind);
  const Groups groups = find_groups(graph);
  EXPECT_EQ(text_of(graph, groups), "6: w2.0 w3.1\n");
  const Inferred inferred = infer(graph);
  EXPECT_TRUE(inferred.is_assumed(*find_value(graph, "y")));
  const Costs costs = costs_of(graph, inferred);
  EXPECT_EQ(costs.unknown, 2) << "both layers behind it";
  EXPECT_EQ(costs.macs, 8 * 8 * 4 * 3);
  const CostModel model(graph, groups, inferred);
  EXPECT_EQ(model.all().unknown, 2);
  EXPECT_EQ(model.all().macs, costs.macs);
}

TEST(UnknownShapes, what_is_declared_wrongly_is_not_followed) {
  const Graph graph = with_declared(kBehind, "m", {{-1, "N"}, {5, ""}, {8, ""}, {8, ""}});
  EXPECT_EQ(find_groups(graph).unit_count, 0);
}

TEST(UnknownShapes, the_proof_goes_around_what_cannot_be_run) {
  const Graph graph = with_declared(kBehind, "m", {{-1, "N"}, {4, ""}, {8, ""}, {8, ""}});
  const Proof proof = proved(graph, find_groups(graph));
  EXPECT_EQ(proof.around, (std::vector<std::string>{"'m' (Mystery)"}));
  EXPECT_TRUE(proof.comparison.equal());
  EXPECT_FALSE(proof.comparison.blind());
}

TEST(UnknownShapes, a_wrong_cut_behind_what_cannot_be_run_is_found) {
  const Graph graph = with_declared(kBehind, "m", {{-1, "N"}, {4, ""}, {8, ""}, {8, ""}});
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0), other = removal;
  removal[0] = other[1] = 1;
  Graph cut = graph;
  remove_units(cut, groups, other);
  EXPECT_FALSE(prove_removal(graph, groups, removal, cut, 1).comparison.equal());
}

// As many rows as there are boxes.
TEST(UnknownShapes, heads_of_found_regions_are_traced) {
  const Graph graph = parse_text_graph(R"(
      opset 16
      input x float32 [N, 3, 16, 16]
      input scores float32 [1, 1, 9]
      const w1 float32 [4, 3, 1, 1] random
      const boxes float32 [1, 9, 4] positive
      const table float32 [9, 4] positive
      const most int64 [1] = 5
      const from int64 [1] = 0
      const to int64 [1] = 1
      const axis int64 [1] = 1
      const flat int64 [2] = -1 16
      const w2 float32 [16, 6] random
      const w3 float32 [6, 2] random
      a = Conv(x, w1)
      found = NonMaxSuppression(boxes, scores, most)
      images = Slice(found, from, to, axis)
      image = Squeeze(images, axis)
      picked = GatherND(table, images)
      crop = RoiAlign(a, picked, image) {output_height=2, output_width=2}
      f = Reshape(crop, flat)
      h = MatMul(f, w2)
      r = Relu(h)
      y = MatMul(r, w3)
      output y)");
  const Inferred inferred = infer(graph);
  ASSERT_TRUE(inferred.has(*find_value(graph, "h")));
  EXPECT_TRUE(inferred.is_assumed(*find_value(graph, "h")));
  const Groups groups = find_groups(graph);
  EXPECT_EQ(text_of(graph, groups),
            "4: w1.0 w2.0=0,1,2,3|4,5,6,7|8,9,10,11|12,13,14,15\n6: w2.1 w3.0\n");
  EXPECT_EQ(costs_of(graph, inferred).unknown, 2);
  EXPECT_TRUE(proved(graph, groups).comparison.equal());
}

TEST(UnknownShapes, helpers_without_weights_are_no_wall) {
  expect_groups(R"(
      opset 17
      input x float32 [N, 4, 6]
      const w1 float32 [6, 8] random
      const w2 float32 [8, 6] random
      const k int64 [] = 0
      const none float32 [] = 0
      a = MatMul(x, w1)
      n = IsNaN(a)
      g = Where(n, none, a)
      b = MatMul(g, w2)
      t = Transpose(b) {perm=[0, 2, 1]}
      s = MatMul(b, t)
      low = Trilu(s, k) {upper=0}
      y = Softmax(low) {axis=-1}
      output y)",
                "8: w1.1 w2.0\n6: w2.1\n");
}

}  // namespace
}  // namespace coppice
