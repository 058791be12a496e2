// What a cost model says of a removal is what the cut graph costs, on combinations that nobody
// thought of. A failure names its seed.

#include "groups/cost_model.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "groups/traced.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

constexpr uint64_t kGraphs = 500;

Graph prepared(uint64_t seed) {
  Graph graph = RandomGraph(seed).build();
  remove_dead(graph);  // a cut drops what nobody reads
  loosen(graph);
  if (seed % 3 == 0) add_selections(graph);
  return graph;
}

void expect_equal(const Costs& found, const Costs& expected) {
  EXPECT_EQ(found.macs, expected.macs);
  EXPECT_EQ(found.parameters, expected.parameters);
}

// Node by node and tensor by tensor, each under its new shape.
Costs naive_costs(const Graph& graph, const Groups& groups, const Inferred& inferred,
                  const Removal& removal) {
  const std::vector<int64_t> counts = alive_counts(groups, removal);
  std::vector<Shape> shapes(graph.values.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (!inferred.types[i]) continue;
    shapes[i] = inferred.types[i]->shape;
    for (size_t axis = 0; axis < groups.axes[i].size(); ++axis) {
      const int32_t pooled = groups.axes[i][axis];
      if (pooled < 0) continue;
      // Samples and channels may be one axis, which is longer at the batch that was traced.
      const int64_t traced = std::ssize(groups.axis_pool[pooled].offsets) - 1;
      shapes[i][axis] = counts[pooled] * shapes[i][axis] / traced;
    }
  }
  Costs costs;
  const std::vector<char> parameters = parameter_flags(graph);
  std::vector<ValueId> original(graph.values.size(), kNoValue);
  for (size_t i = 0; i < original.size(); ++i) {
    const ValueId of = graph.values[i].copy_of;
    if (of != kNoValue) original[i] = original[of] = of;
  }
  std::set<std::pair<ValueId, std::vector<char>>> seen;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (!parameters[i]) continue;
    const auto id = static_cast<ValueId>(i);
    std::vector<char> kept;
    for (int64_t axis = 0; axis < graph.value(id).constant->rank(); ++axis) {
      const std::vector<char> stays = alive(groups, id, axis, removal);
      if (stays.empty()) kept.insert(kept.end(), graph.value(id).constant->shape()[axis], 1);
      kept.insert(kept.end(), stays.begin(), stays.end());
    }
    if (original[i] != kNoValue && !seen.emplace(original[i], kept).second) continue;
    costs.parameters += element_count(shapes[i]);
  }
  for (const Node& node : graph.nodes) costs.macs += node_macs(node, shapes);
  return costs;
}

TEST(CostModel, says_what_the_cut_graph_costs) {
  int64_t removed = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Traced traced(prepared(seed));
    Random random(seed);
    const Removal removal = random_removal(traced.groups(), random.uniform(), random);
    removed += std::ranges::count(removal, 1);
    Graph whole = traced.graph();
    merge_copies(whole);
    expect_equal(traced.costs().all(), costs_of(whole, infer(whole)));
    Graph cut = traced.graph();
    remove_units(cut, traced.groups(), removal);
    merge_copies(cut);
    settle_selections(cut);
    ASSERT_NO_FATAL_FAILURE(expect_equal(traced.costs().after(removal), costs_of(cut, infer(cut))));
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(removed, 1000);
}

TEST(CostModel, counts_any_removal_as_shape_by_shape) {
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Traced traced(prepared(seed));
    const Inferred at_one = infer(traced.graph());
    Random random(seed);
    for (const double share : {0.1, 0.5, 0.9, 1.0}) {
      Removal removal(traced.groups().unit_count, 0);
      for (char& leaves : removal) leaves = random.uniform() < share;
      expect_equal(traced.costs().after(removal),
                   naive_costs(traced.graph(), traced.groups(), at_one, removal));
    }
    ASSERT_FALSE(HasFailure());
  }
}

TEST(CostModel, widths_alone_give_the_same_or_nothing) {
  int64_t known = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Traced traced(prepared(seed));
    Random random(seed);
    const Removal removal = random_removal(traced.groups(), 0.5, random);
    const CostModel::Judged judged = traced.costs().judge(removal);
    ASSERT_EQ(judged.units.size(), traced.groups().free.size());
    for (size_t g = 0; g < judged.units.size(); ++g) {
      const Group& group = traced.groups().free[g];
      const auto first = removal.begin() + group.first_unit;
      EXPECT_EQ(judged.units[g], std::count(first, first + group.units(), 0));
    }
    const auto by_widths = traced.costs().after_widths(judged.units);
    if (!by_widths) continue;
    ++known;
    expect_equal(*by_widths, judged.costs);
  }
  EXPECT_GT(known, 100);
}

TEST(CostModel, a_layer_whose_count_is_no_product_is_asked_anew) {
  const Traced traced(parse_text_graph(R"(
    input x float32 [5, 2, 4]
    const w float32 [1, 18, 4] random
    const r float32 [1, 18, 6] random
    const v float32 [6, 3] random
    y, - = GRU(x, w, r) {hidden_size=6}
    z = MatMul(y, v)
    output z)"));
  ASSERT_EQ(traced.groups().unit_count, 6);
  const auto macs = [&](int64_t hidden) {
    return 5 * 2 * (3 * hidden * 4 + 3 * hidden * hidden) + 5 * 2 * hidden * 3;
  };
  EXPECT_EQ(traced.costs().all().macs, macs(6));
  EXPECT_EQ(traced.costs().after(Removal{1, 0, 0, 1, 0, 0}).macs, macs(4));
  ASSERT_TRUE(traced.costs().after_widths(std::vector<int64_t>{2}));
  EXPECT_EQ(traced.costs().after_widths(std::vector<int64_t>{2})->macs, macs(2));
  EXPECT_EQ(traced.costs().prunable_macs(), macs(6));
}

}  // namespace
}  // namespace coppice
