// Which units leave: budgets met to one unit, counts as the papers count, and what is left alone.

#include "prune/budget/allocate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/random.h"
#include "groups/cut/surgery.h"
#include "support/allocated.h"
#include "support/graphs/nets.h"

namespace coppice {
namespace {

using allocated::Case;
using allocated::chain;
using allocated::models;
using allocated::one_more_would_be_too_much;
using allocated::share;

AllocationOptions ratio(double removed, int64_t round_to = 1) {
  AllocationOptions options;
  options.budget = {Budget::Of::ratio, 1 - removed};
  options.rounding = Rounding(round_to);
  return options;
}

TEST(Allocate, budgets_are_never_exceeded_and_missed_by_one_unit_at_most) {
  for (const Graph& graph : models()) {
    const Case net(graph);
    for (const Budget::Of of : {Budget::Of::macs, Budget::Of::parameters}) {
      for (const double keep : {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) {
        for (const auto scope : {Criterion::Scope::group, Criterion::Scope::global}) {
          SCOPED_TRACE(graph.name + " keeps " + std::to_string(keep));
          AllocationOptions options;
          options.budget = {of, keep};
          options.scope = scope;
          const Allocation found = net.allocate(options);
          EXPECT_LE(share(found.after, found.before, of), keep);
          EXPECT_TRUE(one_more_would_be_too_much(net, found, options.budget));
          EXPECT_EQ(found.rounding_moved, 0);
        }
      }
    }
  }
}

TEST(Allocate, rounded_widths_keep_the_budget_too) {
  for (const Graph& graph : models()) {
    const Case net(graph);
    for (const double keep : {0.3, 0.5, 0.8}) {
      AllocationOptions options;
      options.budget = {Budget::Of::macs, keep};
      options.rounding = net.rounding_for("onnxruntime-avx512");
      const Allocation found = net.allocate(options);
      EXPECT_LE(share(found.after, found.before, Budget::Of::macs), keep) << graph.name;
    }
  }
}

TEST(Allocate, predicted_costs_are_those_of_the_really_cut_graph) {
  for (const Graph& graph : models()) {
    const Case net(graph);
    const Allocation found = net.allocate(ratio(0.37));
    Graph cut = graph;
    remove_units(cut, net.groups, found.removal);
    const Costs costs = costs_of(cut, infer(cut));
    EXPECT_EQ(costs.macs, found.after.macs) << graph.name;
    EXPECT_EQ(costs.parameters, found.after.parameters) << graph.name;
    const Costs before = costs_of(graph, net.at_one);
    EXPECT_EQ(before.macs, found.before.macs) << graph.name;
    EXPECT_EQ(before.parameters, found.before.parameters) << graph.name;
  }
}

TEST(Allocate, group_scope_takes_the_same_fraction_of_every_group) {
  const Case net(build_zoo_model("resnet56", 1));
  AllocationOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  const std::vector<int64_t> leave = net.counts(options);
  double most = 0, least_next = 1;
  for (size_t g = 0; g < leave.size(); ++g) {
    const auto units = static_cast<double>(net.groups.free[g].units());
    most = std::max(most, static_cast<double>(leave[g]) / units);
    least_next = std::min(least_next, static_cast<double>(leave[g] + 1) / units);
  }
  EXPECT_LE(most, least_next + 1e-12) << "some group could have given one first";
}

TEST(Allocate, global_scope_takes_the_lowest_scores_of_all) {
  Case net(chain({4, 4, 2}));
  net.scores.units = {5, 6, 7, 8, 1, 2, 3, 9};
  AllocationOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.scope = Criterion::Scope::global;
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{0, 3}));
}

TEST(Allocate, a_ratio_in_global_scope_is_of_all_units_that_compete) {
  Case net(chain({4, 4, 2}));
  net.scores.units = {5, 6, 7, 8, 1, 2, 3, 9};
  AllocationOptions options = ratio(0.5);
  options.scope = Criterion::Scope::global;
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{1, 3}));
  options.kept_groups = {1, 0};  // four units compete, and one must stay
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{0, 2}));
  options.most_of_group = 0.5;
  options.budget.kept = 0.25;
  try {
    net.allocate(options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what()).find("at most 50.00 %"), std::string::npos) << error.what();
  }
}

TEST(Allocate, no_group_loses_more_than_its_most) {
  Case net(chain({10, 10, 2}));
  for (int u = 0; u < 20; ++u) net.scores.units[u] = static_cast<float>(u);
  AllocationOptions options = ratio(0.5);
  options.scope = Criterion::Scope::global;
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{9, 1}));
  options.most_of_group = 0.6;
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{6, 4}));
  options.scope = Criterion::Scope::group;
  options.budget.kept = 0.2;
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{6, 6}));
}

TEST(Allocate, a_ratio_takes_the_whole_number_below_it) {
  const Case net(chain({20, 10, 16, 64, 100, 9, 2}));
  EXPECT_EQ(net.counts(ratio(0.1)), (std::vector<int64_t>{2, 1, 1, 6, 10, 0}));
  EXPECT_EQ(net.counts(ratio(1 - 0.9)), (std::vector<int64_t>{2, 1, 1, 6, 10, 0}));
  EXPECT_EQ(net.counts(ratio(1 - 0.8)), (std::vector<int64_t>{4, 2, 3, 12, 20, 1}));
  EXPECT_EQ(net.counts(ratio(0.3)), (std::vector<int64_t>{6, 3, 4, 19, 30, 2}));
  EXPECT_EQ(net.counts(ratio(0.4)), (std::vector<int64_t>{8, 4, 6, 25, 40, 3}));
}

TEST(Allocate, a_tenth_and_at_least_one_unit_of_every_group_stay) {
  const Case net(chain({20, 10, 16, 101, 2, 3, 2}));
  EXPECT_EQ(net.counts(ratio(1)), (std::vector<int64_t>{18, 9, 14, 90, 1, 2}));
}

TEST(Allocate, widths_become_multiples_of_what_the_runtime_computes_together) {
  const Case net(chain({64, 256, 6, 128, 2}));
  // Kept without rounding: 41, 162, 4, 81.
  AllocationOptions options = ratio(0.37);
  options.rounding = net.rounding_for("onnxruntime-avx2");
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{64 - 40, 256 - 160, 0, 128 - 80}));
  EXPECT_EQ(net.allocate(options).rounding_moved, 1 + 2 + 2 + 1);
  options.rounding = net.rounding_for("onnxruntime-avx512");
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{64 - 48, 256 - 160, 0, 128 - 80}));
  options.rounding = net.rounding_for("opencv");
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{23, 94, 2, 47}));
  EXPECT_EQ(net.counts(ratio(0.37, 32)), (std::vector<int64_t>{32, 96, 0, 32}));
  EXPECT_EQ(net.counts(ratio(0.37, 1)), (std::vector<int64_t>{23, 94, 2, 47}));
}

TEST(Allocate, a_rounded_ratio_is_met_by_all_groups_together) {
  for (const char* name : {"resnet20", "resnet56", "vgg16-bn"}) {
    const Case net(build_zoo_model(name, 1));
    for (const double removed : {0.1, 0.2, 0.3, 0.4}) {
      SCOPED_TRACE(std::string(name) + " loses " + std::to_string(removed));
      const std::vector<int64_t> plain = net.counts(ratio(removed));
      const std::vector<int64_t> rounded = net.counts(ratio(removed, 8));
      int64_t units = 0, wanted = 0, left = 0;
      for (size_t g = 0; g < plain.size(); ++g) {
        EXPECT_LE(std::abs(plain[g] - rounded[g]), 8) << net.groups.free[g].name;
        EXPECT_EQ(rounded[g] % 8, 0) << net.groups.free[g].name;
        units += net.groups.free[g].units();
        wanted += plain[g];
        left += rounded[g];
      }
      EXPECT_LE(std::abs(left - wanted), 4) << "of " << units << ": half a step";
    }
  }
}

TEST(Allocate, rounding_under_a_budget_raises_the_widths_that_most_tensors_share_first) {
  const Case net(build_zoo_model("resnet56", 1));
  AllocationOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.rounding = net.rounding_for("onnxruntime-avx2");
  const Allocation found = net.allocate(options);
  const std::vector<int64_t> leave = net.counts(found.removal);
  size_t most = 0;
  for (size_t g = 0; g < leave.size(); ++g) {
    const Group& group = net.groups.free[g];
    EXPECT_EQ((group.units() - leave[g]) % 8, 0) << group.name;
    if (group.slices.size() > net.groups.free[most].slices.size()) most = g;
  }
  EXPECT_EQ(net.groups.free[most].units(), 16) << "the first stage's spine";
  EXPECT_EQ(leave[most], 0);
  EXPECT_GT(share(found.after, found.before, Budget::Of::macs), 0.48) << "the room is used";
}

TEST(Allocate, equal_scores_leave_by_unit_number) {
  Case net(chain({6, 2}));
  net.scores.units.assign(6, 1.0f);
  EXPECT_EQ(net.allocate(ratio(0.5)).removal, (Removal{1, 1, 1, 0, 0, 0}));
}

TEST(Allocate, the_lowest_scores_leave) {
  Case net(chain({6, 2}));
  net.scores.units = {3, 1, 2, 6, 5, 4};
  EXPECT_EQ(net.allocate(ratio(0.5)).removal, (Removal{1, 1, 1, 0, 0, 0}));
  net.scores.units = {3, 9, 2, 1, 5, 4};
  EXPECT_EQ(net.allocate(ratio(0.34)).removal, (Removal{0, 0, 1, 1, 0, 0}));
}

TEST(Allocate, a_budget_out_of_reach_names_the_least_share) {
  const Case net(chain({4, 4, 2}));
  AllocationOptions options;
  options.budget = {Budget::Of::parameters, 0.05};
  try {
    net.allocate(options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    // One unit of each group left: 3 + 1 + 2 of 12 + 16 + 8.
    EXPECT_NE(
        std::string(error.what()).find("can't keep only 5.00 % of the parameters: 16.67 % is"),
        std::string::npos)
        << error.what();
  }
}

TEST(Allocate, nothing_free_is_an_error_of_its_own) {
  const Case net(parse_text_graph("input x float32 [N, 3]\ny = Relu(x)\noutput y"));
  try {
    net.allocate(ratio(0.5));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what()).find("no channel of the model is free"), std::string::npos);
    ASSERT_EQ(error.hints().size(), 1u);
    EXPECT_EQ(error.hints()[0].name, "inspect");
  }
}

TEST(Allocate, a_ratio_too_small_for_any_unit_is_an_error) {
  const Case net(chain({4, 4, 2}));
  EXPECT_THROW(net.allocate(ratio(0.1)), Error);
  EXPECT_THROW(net.allocate(ratio(0)), Error);
}

TEST(Allocate, kept_and_unscored_groups_lose_nothing) {
  Case net(chain({8, 8, 8, 2}));
  AllocationOptions options = ratio(0.5);
  options.kept_groups = {0, 1, 0};
  net.scores.unscored = {1, 0, 0};
  EXPECT_EQ(net.counts(options), (std::vector<int64_t>{0, 0, 4}));
}

TEST(Allocate, no_piece_of_a_split_runs_empty) {
  Case net(parse_text_graph(kSplitNet));
  ASSERT_EQ(net.groups.free.size(), 1u);
  net.scores.units = {1, 2, 5, 6, 7, 8, 4, 3};
  const Removal removal = net.allocate(ratio(0.75)).removal;
  const std::vector<int64_t> counts = alive_counts(net.groups, removal);
  EXPECT_EQ(std::ranges::count(counts, 0), 0);
  EXPECT_EQ(removal[1], 0) << "the better unit of the piece comes back";
}

TEST(Allocate, the_same_input_gives_the_same_removal) {
  const Case net(build_zoo_model("resnet20", 1));
  AllocationOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  EXPECT_EQ(net.allocate(options).removal, net.allocate(options).removal);
}

TEST(SelectGroups, a_residual_stage_is_a_spine_and_an_inner_layer_is_not) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const stem float32 [4, 3, 1, 1] random
      const inner float32 [5, 4, 1, 1] random
      const outer float32 [4, 5, 1, 1] random
      const shift float32 [5, 1, 1] random
      const head float32 [2, 4, 1, 1] random
      s = Conv(x, stem)
      a = Conv(s, inner)
      b = Add(a, shift)
      c = Conv(b, outer)
      sum = Add(s, c)
      y = Conv(sum, head)
      output y)");
  const Groups groups = find_groups(graph);
  EXPECT_EQ(spine_groups(graph, groups), (std::vector<char>{1, 0}));
}

TEST(SelectGroups, patterns_match_tensors_and_the_nodes_that_read_them) {
  Graph graph = chain({4, 4, 4, 2});
  graph.nodes[1].name = "stage1/conv";
  const Groups groups = find_groups(graph);
  EXPECT_EQ(matching_groups(graph, groups, "^w0$", "keep"), (std::vector<char>{1, 0, 0}));
  EXPECT_EQ(matching_groups(graph, groups, "stage1", "keep"), (std::vector<char>{0, 1, 0}));
  EXPECT_EQ(matching_groups(graph, groups, "w[02]", "keep"), (std::vector<char>{1, 0, 1}));
}

TEST(SelectGroups, a_pattern_that_matches_nothing_or_is_none_is_a_usage_error) {
  const Graph graph = chain({4, 2});
  const Groups groups = find_groups(graph);
  for (const char* pattern : {"nowhere", "("}) {
    try {
      matching_groups(graph, groups, pattern, "keep");
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(std::string("'") + pattern + "'"),
                std::string::npos);
    }
  }
}

}  // namespace
}  // namespace coppice
