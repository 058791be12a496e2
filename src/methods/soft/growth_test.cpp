// The schedule of Asymptotic Soft Filter Pruning against the values of its curve.
#include "methods/soft/growth.h"

#include <gtest/gtest.h>

#include <vector>

namespace coppice {
namespace {

TEST(Growth, has_the_values_of_the_paper_s_curve) {
  const Growth growth(0, 200);
  const std::vector<std::pair<int64_t, double>> expected = {
      {0, 0}, {1, 0.0162}, {10, 0.1277}, {25, 0.2250}, {50, 0.2813}, {100, 0.2988}, {200, 0.3}};
  for (const auto& [epoch, share] : expected) {
    EXPECT_NEAR(0.3 * growth.after(epoch), share, 1e-4) << epoch;
  }
}

TEST(Growth, goes_through_its_three_points_wherever_it_starts) {
  for (const double start : {0.0, 0.1, 0.4, 0.7}) {
    const Growth growth(start, 16);
    EXPECT_DOUBLE_EQ(growth.after(0), start);
    EXPECT_NEAR(growth.after(2), 0.75, 1e-9) << start;
    EXPECT_EQ(growth.after(16), 1);
    for (int64_t e = 1; e <= 16; ++e) EXPECT_GE(growth.after(e), growth.after(e - 1));
  }
}

TEST(Growth, of_one_epoch_is_all_at_its_end) {
  EXPECT_EQ(Growth(0, 1).after(0), 0);
  EXPECT_EQ(Growth(0, 1).after(1), 1);
}

}  // namespace
}  // namespace coppice
