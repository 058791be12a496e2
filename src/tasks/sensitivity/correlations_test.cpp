// Criteria beside the oracle: what a correlation is of.
#include "tasks/sensitivity/correlations.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

TEST(CorrelationOf, is_the_mean_over_groups_and_over_all_units_raw_and_normalised) {
  const Groups groups = find_groups(parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const w float32 [3, 3, 1, 1] random
      const v float32 [3, 3, 1, 1] random
      const u float32 [2, 3, 1, 1] random
      a = Conv(x, w)
      b = Conv(a, v)
      y = Conv(b, u)
      output y)"));
  SensitivityTable table;
  table.kind = SensitivityTable::Kind::ablations;
  table.loss = 1;
  table.groups = {{.name = "w", .units = 3, .losses = {1.1, 0.8, 1.3}},
                  {.name = "v", .units = 3, .losses = {1.4, 1.5, 1.6}}};
  // Both in the right order, but those of `w` a hundred times too large.
  const Scores scores{{100, 200, 300, 4, 5, 6}, {0, 0}};
  const CriterionCorrelation found = correlation_of(groups, table, scores);
  EXPECT_EQ(found.by_group, 1);
  EXPECT_NEAR(*found.all, 1 - 6.0 * 6 * 9 / (6 * 35), 1e-12);
  EXPECT_GT(*found.all_normalised, *found.all);
  const CriterionCorrelation one = correlation_of(groups, table, {scores.units, {0, 1}});
  EXPECT_EQ(one.by_group, 1);
  EXPECT_EQ(one.all, 1);
  EXPECT_FALSE(one.groups[1]);
}

}  // namespace
}  // namespace coppice
