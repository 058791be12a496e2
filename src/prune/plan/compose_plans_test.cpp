// Two cuts, one after the other, as one plan for the first model.
#include "prune/plan/compose_plans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/random.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// What every node reads: constants themselves, for one that a repair made anew has a new name.
std::vector<Tensor> constants_of(const Graph& graph) {
  std::vector<Tensor> constants;
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && graph.value(id).constant) {
        constants.push_back(*graph.value(id).constant);
      }
    }
  }
  return constants;
}

// A third of the units, never the first of a group.
Plan cut_at_random(Graph& graph, uint64_t seed) {
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  Random random(seed);
  for (const Group& group : groups.free) {
    for (int64_t u = 1; u < group.units(); ++u) {
      removal[group.first_unit + u] = random.below(3) == 0;
    }
  }
  const Plan plan = plan_of(graph, groups, removal);
  remove_units(graph, groups, removal);
  return plan;
}

void replay(Graph& graph, const Plan& plan) {
  const Groups groups = find_groups(graph);
  remove_units(graph, groups, removal_of(graph, groups, plan));
}

// Their order is by what was cut first.
std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> by_axis(const Plan& plan) {
  std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> kept;
  for (const PlanSlice& slice : plan.slices) kept[{slice.tensor, slice.axis}] = slice.keep;
  return kept;
}

TEST(ComposePlans, three_cuts_in_a_row_leave_the_constants_that_one_cut_leaves) {
  for (const char* name : {"lenet5", "resnet20", "mobilenetv2"}) {
    SCOPED_TRACE(name);
    const Graph original = build_zoo_model(name, 1);
    Graph cut = original, replayed = original;
    Plan plan = cut_at_random(cut, 3);
    plan = compose(plan, cut_at_random(cut, 4));
    plan = compose(plan, cut_at_random(cut, 5));
    replay(replayed, plan);
    EXPECT_TRUE(constants_of(replayed) == constants_of(cut));
  }
}

TEST(ComposePlans, says_what_a_plan_of_the_whole_cut_says) {
  const Graph original = build_zoo_model("resnet20", 1);
  Graph cut = original;
  const Plan first = cut_at_random(cut, 3);
  const Plan plan = compose(first, cut_at_random(cut, 4));
  const Groups groups = find_groups(original);
  const Plan once = plan_of(original, groups, removal_of(original, groups, plan));
  EXPECT_EQ(by_axis(plan), by_axis(once));
}

TEST(ComposePlans, indices_are_the_first_models) {
  Plan first, then;
  first.slices = {{"w", 0, 6, {0, 2, 3, 5}, 0}, {"d", 0, 6, {0, 2, 3, 5}, 1}};
  then.slices = {{"w", 0, 4, {1, 3}, 0}, {"w", 1, 3, {0}, 0}, {"d", 0, 4, {1, 3}, 1}};
  const std::vector<PlanSlice> expected{
      {"w", 0, 6, {2, 5}, 0}, {"d", 0, 6, {2, 5}, 1}, {"w", 1, 3, {0}, 0}};
  EXPECT_EQ(compose(first, then).slices, expected);
}

TEST(ComposePlans, uses_that_were_cut_for_themselves_are_cut_further_with_all) {
  const Use one{"n", 1}, other{"m", 1};
  Plan first, then;
  first.slices = {{"ones", 0, 4, {0, 1, 2}, 0, one}, {"ones", 0, 4, {1, 2, 3}, 0, other}};
  then.slices = {{"ones", 0, 3, {0, 2}, 0}};
  const std::vector<PlanSlice> expected{{"ones", 0, 4, {0, 2}, 0, one},
                                        {"ones", 0, 4, {1, 3}, 0, other}};
  EXPECT_EQ(compose(first, then).slices, expected);
}

// Two layers whose vectors an exporter merged lose the same channels, then others, and then the
// same ones.
TEST(ComposePlans, replay_where_merged_vectors_were_cut_apart_and_then_alike) {
  Graph original = parse_text_graph(R"(
    input x float32 [N, 2, 4, 4]
    const w float32 [5, 2, 1, 1] random
    const v float32 [5, 5, 1, 1] random
    const f float32 [2, 5, 1, 1] random
    const ones float32 [5] ones
    const zeros float32 [5] zeros
    a = Conv(x, w)
    n = BatchNormalization(a, ones, zeros, zeros, ones)
    b = Conv(n, v)
    m = BatchNormalization(b, ones, zeros, zeros, ones)
    y = Conv(m, f)
    output y)");
  separate_vectors(original);
  Graph cut = original;
  Plan plan;
  const std::vector<std::vector<int32_t>> rounds{{0, 5}, {0}, {5}, {0, 3}};  // units that leave
  for (const std::vector<int32_t>& units : rounds) {
    const Groups groups = find_groups(cut);
    Removal removal(groups.unit_count, 0);
    for (const int32_t unit : units) removal[unit] = 1;
    plan = compose(plan, plan_of(cut, groups, removal));
    remove_units(cut, groups, removal);
  }
  Graph replayed = original;
  replay(replayed, plan);
  EXPECT_TRUE(constants_of(replayed) == constants_of(cut));
}

TEST(ComposePlans, with_an_empty_plan_changes_nothing) {
  Graph graph = build_zoo_model("lenet5", 1);
  Plan plan = cut_at_random(graph, 3);
  plan.model_file = "net.onnx";
  plan.model_sha256 = "abc";
  plan.method = "l1";
  EXPECT_EQ(compose(plan, {}), plan);
  EXPECT_EQ(compose({}, plan).slices, plan.slices);
}

TEST(ComposePlans, the_model_and_its_masks_are_the_first_ones_and_the_method_the_last) {
  Plan first, then;
  first.model_file = "net.onnx";
  first.method = "l1";
  first.masks["w"] = Tensor::zeros(DType::f32, {2});
  then.method = "taylor";
  const Plan plan = compose(first, then);
  EXPECT_EQ(plan.model_file, "net.onnx");
  EXPECT_EQ(plan.masks, first.masks);
  EXPECT_EQ(plan.method, "taylor");
}

void expect_refused(const Plan& first, const Plan& then) {
  try {
    compose(first, then);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal) << error.what();
  }
}

TEST(ComposePlans, plans_that_do_not_follow_each_other_are_refused) {
  Plan first, then, masked;
  first.slices = {{"w", 0, 6, {0, 2, 3, 5}, 0}};
  then.slices = {{"w", 0, 6, {1}, 0}};
  expect_refused(first, then);
  then.slices = {{"w", 0, 4, {4}, 0}};
  expect_refused(first, then);
  masked.masks["w"] = Tensor::zeros(DType::f32, {4});
  expect_refused(first, masked);
}

}  // namespace
}  // namespace coppice
