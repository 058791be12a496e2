// A budget shared by measured curves: met as every other, and dear groups keep more.
#include <gtest/gtest.h>

#include <memory>

#include "core/error.h"
#include "support/allocated.h"
#include "support/curves.h"

namespace coppice {
namespace {

using allocated::Case;
using allocated::chain;

TEST(AllocateBySensitivity, meets_every_budget_rounded_or_not) {
  for (const Graph& graph : allocated::models()) {
    const Case net(graph);
    const auto table = curves_of(net.groups, [](size_t g) { return g % 3 == 0 ? 10 : 1; });
    for (const Budget::Of of : {Budget::Of::macs, Budget::Of::parameters}) {
      for (const double keep : {0.3, 0.5, 0.7}) {
        for (const bool rounded : {false, true}) {
          SCOPED_TRACE(graph.name + " keeps " + std::to_string(keep));
          AllocationOptions options{.budget = {of, keep}};
          if (rounded) options.rounding = net.rounding_for("onnxruntime-avx512");
          options.sensitivity = table;
          const Allocation found = net.allocate(options);
          EXPECT_LE(allocated::share(found.after, found.before, of), keep);
          if (!rounded) {
            EXPECT_TRUE(allocated::one_more_would_be_too_much(net, found, options.budget));
          }
        }
      }
    }
  }
}

TEST(AllocateBySensitivity, sensitive_groups_keep_more) {
  const Case net(chain({32, 32, 32, 32, 8}));
  AllocationOptions options{.budget = {Budget::Of::macs, 0.5}};
  const auto even = net.counts(options);
  options.sensitivity = curves_of(net.groups, [](size_t g) { return g == 1 ? 50 : 1; });
  const auto leave = net.counts(options);
  for (const size_t g : {0, 2, 3}) {
    EXPECT_LT(leave[1], leave[g]);
    EXPECT_GE(leave[g], even[g]);
  }
  EXPECT_LT(leave[1], even[1]);
}

TEST(AllocateBySensitivity, a_smaller_budget_removes_more_of_the_same) {
  const Case net(build_zoo_model("resnet20", 1));
  AllocationOptions options{.budget = {}};
  options.sensitivity =
      curves_of(net.groups, [](size_t g) { return 1 + static_cast<double>(g % 5); });
  for (const Budget::Of of : {Budget::Of::macs, Budget::Of::parameters, Budget::Of::ratio}) {
    Removal before(net.groups.unit_count, 0);
    for (const double keep : {0.9, 0.75, 0.6, 0.45, 0.3}) {
      options.budget = {of, keep};
      const Removal removal = net.allocate(options).removal;
      for (size_t u = 0; u < removal.size(); ++u) EXPECT_LE(before[u], removal[u]);
      before = removal;
    }
  }
}

TEST(AllocateBySensitivity, a_group_that_costs_much_work_gives_more_where_both_are_as_sensitive) {
  // Of 2x2 pixels: 64 channels that 64 read, and 64 that 2 read.
  const Case net(chain({64, 64, 2}));
  AllocationOptions options{.budget = {Budget::Of::macs, 0.6}};
  options.sensitivity = curves_of(net.groups, [](size_t) { return 1; });
  const auto leave = net.counts(options);
  EXPECT_NEAR(leave[0], leave[1], 6) << "both are read or given by the same 64 x 64 weights";
}

TEST(AllocateBySensitivity, groups_left_alone_need_no_curve_and_others_do) {
  const Case net(chain({16, 16, 8}));
  AllocationOptions options{.budget = {Budget::Of::macs, 0.8}};
  SensitivityTable table = *curves_of(net.groups, [](size_t) { return 1; });
  table.groups.pop_back();
  options.sensitivity = std::make_shared<const SensitivityTable>(table);
  EXPECT_THROW(net.allocate(options), Error);
  options.kept_groups = {0, 1};
  EXPECT_EQ(net.counts(options)[1], 0);
}

}  // namespace
}  // namespace coppice
