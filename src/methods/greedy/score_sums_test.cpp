// Scores that are added up: means over updates, shares of the rounds before, and both in a state.
#include "methods/greedy/score_sums.h"

#include <gtest/gtest.h>

#include "groups/cut/surgery.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

const EvidenceRequest kGates{"a", Reduction::batch_gate_gradients};

std::vector<EvidenceRequest> needs(const GroupView& view) {
  return view.activations.empty() ? std::vector<EvidenceRequest>() : std::vector{kGates};
}
std::vector<std::vector<double>> members(const GroupView& view) {
  const auto numbers = view.evidence->numbers(kGates);
  return {{numbers.begin(), numbers.end()}};
}
std::vector<float> together(const GroupView&, std::vector<std::vector<double>> members) {
  return {members.front().begin(), members.front().end()};
}
const Criterion kAdded{.name = "added",
                       .paper = "",
                       .about = "what is added",
                       .needs = needs,
                       .members = members,
                       .together = together};

struct Net {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 2, 1, 1]
    const w float32 [4, 2, 1, 1] random
    const v float32 [2, 4, 1, 1] random
    a = Conv(x, w)
    y = Conv(a, v)
    output y)");
  Groups groups = find_groups(graph);
  ScoreOptions options = {};

  GroupViews views() const { return {graph, groups, kAdded, options}; }
  void add(ScoreSums& sums, const std::vector<double>& numbers) const {
    Evidence evidence;
    evidence.add(kGates, Tensor::of<double>({1, std::ssize(numbers)}, numbers));
    sums.add(groups, views(), kAdded, evidence);
  }
  std::vector<float> scores(ScoreSums& sums, double smoothing) const {
    return sums.scores(graph, groups, views(), kAdded, smoothing).units;
  }
  void remove(ScoreSums& sums, int32_t unit) {
    Removal removal(groups.unit_count, 0);
    removal[unit] = 1;
    sums.next_round(graph, groups, removal);
    remove_units(graph, groups, removal);
    groups = find_groups(graph);
  }
};

TEST(ScoreSums, give_the_mean_of_the_updates_and_begin_anew_after_a_round) {
  Net net;
  ScoreSums sums{MethodState()};
  net.add(sums, {1, 2, 3, 4});
  net.add(sums, {3, 2, 1, 0});
  EXPECT_EQ(sums.updates(), 2);
  EXPECT_EQ(net.scores(sums, 0), (std::vector<float>{2, 2, 2, 2}));
  net.remove(sums, 1);
  EXPECT_EQ(sums.updates(), 0);
  EXPECT_EQ(sums.removed(), 1);
  net.add(sums, {5, 6, 7});
  EXPECT_EQ(net.scores(sums, 0), (std::vector<float>{5, 6, 7}));
}

TEST(ScoreSums, keep_a_share_of_the_rounds_before_for_the_units_that_stay) {
  Net net;
  ScoreSums sums{MethodState()};
  net.add(sums, {10, 20, 30, 40});
  EXPECT_EQ(net.scores(sums, 0.75), (std::vector<float>{10, 20, 30, 40})) << "the first round";
  net.remove(sums, 1);
  net.add(sums, {0, 0, 100});
  EXPECT_EQ(net.scores(sums, 0.75), (std::vector<float>{7.5, 22.5, 55}));
}

TEST(ScoreSums, are_the_same_from_a_state) {
  Net net;
  ScoreSums sums{MethodState()};
  net.add(sums, {10, 20, 30, 40});
  net.scores(sums, 0.5);
  net.remove(sums, 3);
  net.add(sums, {1, 2, 3});
  ScoreSums again(sums.kept());
  EXPECT_EQ(again.kept(), sums.kept());
  EXPECT_EQ(again.updates(), 1);
  EXPECT_EQ(again.removed(), 1);
  EXPECT_EQ(net.scores(again, 0.5), net.scores(sums, 0.5));
}

}  // namespace
}  // namespace coppice
