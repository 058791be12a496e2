// What curves foretell between and behind their points, and whose curves they must be.
#include "prune/sensitivity/predicted_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using Losses = std::vector<double>;

// The losses, at so many units that left.
GroupSensitivity curve(int64_t units, const std::vector<std::pair<int64_t, double>>& points) {
  GroupSensitivity group{.name = "w", .units = units, .done = true};
  for (const auto& [leaving, loss] : points) group.points.push_back({0, leaving, 0, loss});
  return group;
}

TEST(PredictedLosses, lie_on_the_line_between_points_and_begin_at_the_original) {
  EXPECT_EQ(predicted_losses(curve(4, {{2, 1.5}, {4, 2.5}}), 0.5, 4), (Losses{0.5, 1, 1.5, 2}));
}

TEST(PredictedLosses, never_fall) {
  EXPECT_EQ(predicted_losses(curve(4, {{1, -3}, {2, 1}, {3, 0.5}, {4, 2}}), 0, 4),
            (Losses{0, 1, 1, 2}));
}

TEST(PredictedLosses, behind_the_last_point_are_as_steep_as_ever_before) {
  EXPECT_EQ(predicted_losses(curve(4, {{1, 2}, {2, 2.5}}), 0, 4), (Losses{2, 2.5, 4.5, 6.5}));
}

TEST(PredictedLosses, are_infinite_from_a_loss_that_is_no_number_on) {
  const Losses losses = predicted_losses(curve(4, {{1, 1}, {3, std::nan("")}}), 0, 4);
  EXPECT_EQ(losses[0], 1);
  for (const int i : {1, 2, 3}) EXPECT_TRUE(std::isinf(losses[i]) && losses[i] > 0) << i;
}

TEST(PredictedLosses, count_the_units_that_left_before) {
  EXPECT_EQ(predicted_losses(curve(4, {{2, 2}, {4, 6}}), 0, 2), (Losses{4, 6}));
}

TEST(PricesOf, are_the_loss_added_for_what_is_saved_and_never_fall) {
  EXPECT_EQ(prices_of({0, 1, 4, 5}, 0.5), (Losses{0, 2, 6, 6}));
  EXPECT_TRUE(std::isinf(prices_of({1}, 0)[0])) << "it would cost, and bring nothing";
  EXPECT_EQ(prices_of({0}, 0)[0], 0);
  EXPECT_TRUE(std::isinf(prices_of({1, INFINITY, INFINITY}, 1)[2]));
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "not refused";
}

class PredictedLossesOfATable : public testing::Test {
 protected:
  const Graph graph_ = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const w float32 [4, 3, 1, 1] random
      const v float32 [5, 4, 1, 1] random
      const u float32 [2, 5, 1, 1] random
      a = Conv(x, w)
      b = Conv(a, v)
      y = Conv(b, u)
      output y)");
  const Groups groups_ = find_groups(graph_);
  SensitivityTable table_ = [] {
    SensitivityTable table;
    table.groups = {curve(4, {{2, 1}}), {.name = "v", .units = 5, .done = true}};
    return table;
  }();
};

TEST_F(PredictedLossesOfATable, are_asked_for_of_the_groups_that_may_lose_units_alone) {
  const auto losses = predicted_losses(table_, groups_, {1, 0});
  ASSERT_EQ(losses.size(), 2u);
  EXPECT_EQ(losses[0], (Losses{0.5, 1, 1.5, 2}));
  EXPECT_TRUE(losses[1].empty());
}

TEST_F(PredictedLossesOfATable, are_refused_by_the_name_of_a_group_that_is_missing) {
  const auto message = refusal([&] { predicted_losses(table_, groups_, {1, 1}); });
  EXPECT_NE(message.find("nothing of group 'v'"), std::string::npos) << message;
  table_.groups.front().name = "other";
  EXPECT_NE(refusal([&] {
              predicted_losses(table_, groups_, {1, 0});
            }).find("of group 'w'"),
            std::string::npos);
}

TEST_F(PredictedLossesOfATable,
       are_refused_for_a_narrower_group_an_unfinished_table_and_an_oracle) {
  table_.groups.front().units = 3;
  EXPECT_NE(refusal([&] {
              predicted_losses(table_, groups_, {1, 0});
            }).find("3 of the 4 units"),
            std::string::npos);
  table_.groups.front().done = false;
  EXPECT_NE(refusal([&] {
              predicted_losses(table_, groups_, {1, 0});
            }).find("isn't finished"),
            std::string::npos);
  table_.kind = SensitivityTable::Kind::ablations;
  EXPECT_NE(refusal([&] {
              predicted_losses(table_, groups_, {1, 0});
            }).find("single units"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
