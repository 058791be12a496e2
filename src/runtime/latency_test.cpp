// What times say, and when they say nothing.

#include "runtime/latency.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

// Runs of so many ms for which the thread had its core.
std::vector<RunTime> undisturbed(const std::vector<double>& ms) {
  std::vector<RunTime> times;
  for (const double time : ms) times.push_back({time, time});
  return times;
}

TEST(LatencyOf, takes_minimum_median_and_percentiles_of_the_runs_in_any_order) {
  std::vector<double> ms;
  for (int i = 100; i > 0; --i) ms.push_back(i);
  const Latency found = latency_of(undisturbed(ms), 1);
  EXPECT_EQ(found.min_ms, 1);
  EXPECT_EQ(found.median_ms, 51);
  EXPECT_EQ(found.p95_ms, 96);
  EXPECT_DOUBLE_EQ(found.spread, 75.0 / 51);
  EXPECT_EQ(found.runs, 100);
  EXPECT_EQ(found.threads, 1);
}

TEST(LatencyOf, one_run_has_no_spread) {
  const Latency found = latency_of({{2, 2}}, 1);
  EXPECT_EQ(found.median_ms, 2);
  EXPECT_EQ(found.spread, 0);
  EXPECT_TRUE(steady(found));
}

TEST(LatencyOf, a_few_disturbed_runs_do_not_count) {
  const Latency found =
      latency_of(undisturbed({10, 10.5, 10, 10.2, 10.1, 10, 10, 10.1, 10.3, 90}), 2);
  EXPECT_TRUE(steady(found));
  EXPECT_NEAR(found.median_ms, 10.1, 1e-9);
}

TEST(LatencyOf, a_quarter_of_the_runs_disturbed_is_too_much) {
  EXPECT_FALSE(steady(latency_of(undisturbed({10, 10, 10, 10, 10, 10, 13, 14}), 2)));
}

// Every run is slowed alike, so they agree with each other; one thread's clock still tells.
TEST(LatencyOf, a_thread_that_waits_for_a_core_is_not_steady_however_even_its_runs_are) {
  const std::vector<RunTime> even{{40, 10}, {41, 10}, {40, 10}, {42, 11}};
  EXPECT_NEAR(latency_of(even, 1).waited.value(), 0.75, 0.01);
  EXPECT_FALSE(steady(latency_of(even, 1)));
  EXPECT_FALSE(latency_of(even, 2).waited.has_value());  // they wait for each other
}

TEST(Speedup, is_of_medians_and_only_of_steady_ones) {
  const Latency slow = latency_of(undisturbed({10, 10, 11, 10}), 1),
                fast = latency_of(undisturbed({5, 5, 5, 5}), 1),
                wild = latency_of(undisturbed({5, 300, 5, 680}), 1);
  EXPECT_DOUBLE_EQ(*speedup(slow, fast), 2);
  EXPECT_FALSE(speedup(slow, wild));
  EXPECT_FALSE(speedup(wild, fast));
}

}  // namespace
}  // namespace coppice
