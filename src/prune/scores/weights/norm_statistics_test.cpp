#include "prune/scores/weights/norm_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Filters of norms 5, 10, 13 and 1 on two inputs, and a head of one channel, which is no group.
constexpr char kNet[] = R"(
    input x float32 [N, 2, 1, 1]
    const w float32 [4, 2, 1, 1] = 3 4 -6 8 5 -12 0 1
    const head float32 [1, 4, 1, 1] ones
    a = Conv(x, w)
    y = Conv(a, head)
    output y)";

TEST(NormStatistics, are_those_of_the_filters) {
  const Graph graph = parse_text_graph(kNet);
  const auto found = norm_statistics(graph, find_groups(graph), 0.5);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(graph.value(found[0].weight).name, "w");
  EXPECT_EQ(found[0].units, 4);
  EXPECT_DOUBLE_EQ(found[0].mean, 7.25);
  EXPECT_DOUBLE_EQ(found[0].deviation, std::sqrt((25 + 100 + 169 + 1) / 4.0 - 7.25 * 7.25));
  EXPECT_DOUBLE_EQ(found[0].least, 1);
  EXPECT_DOUBLE_EQ(found[0].most, 13);
  EXPECT_TRUE(found[0].spread());
  EXPECT_TRUE(found[0].reaches_zero());
}

TEST(NormStatistics, equal_norms_tell_nothing) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 2, 1, 1]
    const w float32 [4, 2, 1, 1] = 3 4 4 3 5 0 0 5
    const head float32 [1, 4, 1, 1] ones
    a = Conv(x, w)
    y = Conv(a, head)
    output y)");
  const auto found = norm_statistics(graph, find_groups(graph), 0.5);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].spread());
  EXPECT_FALSE(found[0].reaches_zero());
}

TEST(NormStatistics, overlap_is_the_share_of_the_norms_choice_that_fpgm_shares) {
  // By norm the last filter goes first; by FPGM one of the three near-duplicates.
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 2, 1, 1]
    const w float32 [4, 2, 1, 1] = 10 0 10 0.1 10 0.2 -1 0
    const head float32 [1, 4, 1, 1] ones
    a = Conv(x, w)
    y = Conv(a, head)
    output y)");
  const Groups groups = find_groups(graph);
  EXPECT_EQ(norm_statistics(graph, groups, 0.25)[0].overlap, 0);
  EXPECT_EQ(norm_statistics(graph, groups, 0.5)[0].overlap, 0.5);
  EXPECT_EQ(norm_statistics(graph, groups, 1)[0].overlap, 1);
}

TEST(NormStatistics, every_layer_of_a_coupled_group_has_its_own) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 1, 1, 1]
    const small float32 [2, 1, 1, 1] = 1 3
    const large float32 [2, 1, 1, 1] = 90 30
    const head float32 [1, 2, 1, 1] ones
    a = Conv(x, small)
    b = Conv(x, large)
    c = Add(a, b)
    y = Conv(c, head)
    output y)");
  const auto found = norm_statistics(graph, find_groups(graph), 0.5);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].mean, 2);
  EXPECT_EQ(found[1].mean, 60);
  EXPECT_EQ(found[0].overlap, found[1].overlap);
}

}  // namespace
}  // namespace coppice
