// Remove = mask on random graphs: the property that guards relations, surgery and repair at once,
// on combinations that nobody thought of. A failure names its seed.

#include <gtest/gtest.h>

#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "groups/cut/reached.h"
#include "prune/plan/plan.h"
#include "support/graphs/judged_cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

constexpr uint64_t kGraphs = 500;

TEST(RandomGraphs, cutting_equals_masking_twice_in_a_row) {
  int64_t units = 0, removed = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    if (seed % 2 == 0) loosen(graph);
    Random random(seed);
    for (int round = 0; round < 2; ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      if (seed % 3 == 0) add_selections(graph);
      const Groups groups = find_groups(graph);
      const Removal removal = random_removal(groups, random.uniform(), random);
      units += groups.unit_count;
      removed += std::ranges::count(removal, 1);
      ASSERT_NO_THROW(graph = expect_cut_equals_mask(graph, groups, removal, random));
      ASSERT_FALSE(HasFailure());
      settle_selections(graph);
    }
  }
  EXPECT_GT(units, 2000) << "nearly all is pinned, so little is tested";
  EXPECT_GT(removed, 700);
}

TEST(RandomGraphs, plans_with_selections_come_back_as_they_were) {
  int64_t selections = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    loosen(graph);
    add_selections(graph);
    selections += std::ranges::count_if(graph.nodes, is_selection);
    Random random(seed);
    const Groups groups = find_groups(graph);
    const Plan plan = plan_of(graph, groups, random_removal(groups, random.uniform(), random));
    ASSERT_NO_THROW(EXPECT_EQ(plan_of(graph, groups, removal_of(graph, groups, plan)), plan));
  }
  EXPECT_GT(selections, 25);
}

// What the values are where the graph is fed so, by the reference.
std::vector<Tensor> values_of(Graph graph, const std::vector<ValueId>& values,
                              const std::vector<Tensor>& inputs) {
  graph.outputs = values;
  return run_reference(graph, inputs);
}

TEST(RandomGraphs, the_part_that_a_group_reaches_computes_what_the_whole_cut_does) {
  int64_t parts = 0, smaller = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    if (seed % 2 == 0) loosen(graph);
    Random random(seed);
    const Groups groups = find_groups(graph);
    const Inferred inferred = infer(graph, {.inputs = {}, .batch = 3});
    const std::vector<Tensor> inputs = random_inputs(graph, 3, random);
    for (size_t g = 0; g < groups.free.size(); ++g) {
      Removal removal(groups.unit_count, 0);
      removal[groups.free[g].first_unit] = 1;
      refill_empty_axes(groups, removal);
      Graph cut = graph;
      remove_units(cut, groups, removal);
      const Reached reached = reached_by(graph, groups, g, inferred);
      const Graph part = reached_part(cut, reached, inferred);
      if (part.outputs.empty()) continue;
      const auto given = values_of(graph, part.inputs, inputs);
      const auto found = run_reference(part, given);
      const auto expected = values_of(cut, part.outputs, inputs);
      for (size_t o = 0; o < found.size(); ++o) {
        EXPECT_LT(difference(expected[o], found[o]), kCutTolerance);
      }
      ++parts;
      smaller += part.nodes.size() < cut.nodes.size();
    }
  }
  EXPECT_GT(parts, 500);
  EXPECT_GT(smaller, parts / 2);
}

TEST(RandomGraphs, onnx_runtime_agrees) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  for (uint64_t seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    if (seed % 2 == 0) loosen(graph);
    Random random(seed);
    const Groups groups = find_groups(graph);
    const Removal removal = random_removal(groups, 0.4, random);
    JudgedCut cut(*judge, graph, groups, removal);
    const std::vector<NamedTensor> inputs{{"x", random_inputs(graph, 3, random)[0]}};
    const auto expected = cut.expect_agreement(inputs);
    const auto ours = run_reference(cut.masked(), std::vector<Tensor>{inputs[0].tensor});
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LT(difference(expected[i].tensor, ours[i]), kCutTolerance) << "our own executor";
    }
  }
}

}  // namespace
}  // namespace coppice
