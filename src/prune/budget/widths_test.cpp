#include "prune/budget/widths.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "groups/cut/surgery.h"
#include "groups/traced.h"
#include "prune/budget/allocate.h"
#include "support/graphs/nets.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// Of unit u, u.
Scores by_number(const Groups& groups) {
  Scores scores;
  for (int32_t unit = 0; unit < groups.unit_count; ++unit) {
    scores.units.push_back(static_cast<float>(unit));
  }
  return scores;
}

Widths all_of(const Groups& groups) { return widths_after(groups, Removal(groups.unit_count, 0)); }

template <typename Body>
std::string message_of(ErrorKind kind, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "(no error)";
}

TEST(Widths, that_an_allocation_came_to_give_its_removal_again) {
  const Traced traced(build_zoo_model("resnet20", 1));
  const Groups& groups = traced.groups();
  for (const char* criterion : {"l2", "fpgm", "random"}) {
    const Scores scores =
        score_units(traced.graph(), groups, find_criterion(criterion), {.seed = 3});
    const Removal removal = allocate(groups, traced.costs(), scores, {}).removal;
    const Widths widths = widths_after(groups, removal);
    EXPECT_NE(widths, all_of(groups));
    EXPECT_EQ(removal_for(groups, scores, widths), removal) << criterion;
  }
}

TEST(Widths, are_those_of_the_cut_graph_and_the_best_units_stay) {
  Graph graph = build_zoo_model("resnet20", 1);
  const Groups groups = find_groups(graph);
  Widths widths = all_of(groups);
  for (int64_t& width : widths) width = 1 + width / 3;
  const Removal removal = removal_for(groups, by_number(groups), widths);
  for (const Group& group : groups.free) {
    EXPECT_FALSE(removal[group.first_unit + group.units() - 1]) << group.name;
    EXPECT_TRUE(removal[group.first_unit]) << group.name;
  }
  remove_units(graph, groups, removal);
  EXPECT_EQ(all_of(find_groups(graph)), widths);
}

TEST(Widths, of_all_units_remove_nothing) {
  const Groups groups = find_groups(parse_text_graph(kSplitNet));
  EXPECT_EQ(removal_for(groups, by_number(groups), all_of(groups)), Removal(groups.unit_count, 0));
}

TEST(Widths, that_no_group_can_have_are_refused_by_its_name) {
  const Groups groups = find_groups(parse_text_graph(kSplitNet));
  ASSERT_EQ(groups.free.front().name, "w1");
  const std::string units = std::to_string(groups.free.front().units());
  for (const int64_t width : {int64_t{0}, int64_t{-3}, groups.free.front().units() + 1}) {
    Widths widths = all_of(groups);
    widths.front() = width;
    EXPECT_EQ(message_of(ErrorKind::input, [&] { removal_for(groups, by_number(groups), widths); }),
              "width of 'w1': " + std::to_string(width) + ", expected 1 to " + units);
  }
}

TEST(Widths, that_leave_nothing_of_one_piece_of_a_split_are_refused) {
  const Groups groups = find_groups(parse_text_graph(kSplitNet));
  Widths widths = all_of(groups);
  widths.front() = 3;  // the last of the eight: all of them in the piece of four
  EXPECT_EQ(message_of(ErrorKind::target, [&] { removal_for(groups, by_number(groups), widths); }),
            "widths: of 'w1' nothing is left in a part that is read by itself; keep more of it");
}

TEST(Widths, by_ratios_are_exact_and_the_last_ratio_that_matches_counts) {
  const Traced traced(build_zoo_model("lenet5", 1));
  const Groups& groups = traced.groups();
  const auto widths = [&](const std::vector<LayerRatio>& ratios, double otherwise) {
    return widths_by_ratios(traced.graph(), groups, ratios, otherwise,
                            std::vector<char>(groups.free.size(), 0), "layer-ratio");
  };
  const Widths all = all_of(groups);
  Widths expected = all;
  for (size_t g = 0; g < all.size(); ++g) {
    const bool first = groups.free[g].name.find("conv1") != std::string::npos;
    expected[g] = all[g] - (first ? all[g] * 3 / 10 : all[g] / 2);
  }
  EXPECT_NE(expected, all);
  EXPECT_EQ(widths({{"conv1", 0.3}}, 0.5), expected);
  EXPECT_EQ(widths({{".", 0.9}, {".", 0.5}, {"conv1", 0.3}}, 0), expected);
  for (const int64_t width : widths({{".", 0.999}}, 0)) EXPECT_GE(width, 1);
  EXPECT_NE(message_of(ErrorKind::usage,
                       [&] {
                         widths({{"nowhere", 0.5}}, 0);
                       })
                .find("'nowhere' matches no group"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
