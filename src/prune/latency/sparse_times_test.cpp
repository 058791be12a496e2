// Shares of zeros by layer within a time: times are written by hand, or only their form counts.
#include "prune/latency/sparse_times.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Two layers of equal work and one that must not be masked.
constexpr char kNet[] = R"(
  input x float32 [N, 16, 8, 8]
  const a float32 [16, 16, 3, 3] random
  const b float32 [16, 16, 3, 3] random
  const head float32 [4, 16, 1, 1] random
  u = Conv(x, a) {pads=[1, 1, 1, 1]}
  v = Relu(u)
  w = Conv(v, b) {pads=[1, 1, 1, 1]}
  y = Conv(w, head)
  output y)";

SparseTimes times_of(double fastest_a, double fastest_b) {
  return {.whole_ms = 21,
          .other_ms = 1,
          .layers = {{"a", {{0, 10}, {0.5, (10 + fastest_a) / 2}, {0.9, fastest_a}}},
                     {"b", {{0, 10}, {0.5, (10 + fastest_b) / 2}, {0.9, fastest_b}}}}};
}

TEST(SparseTimes, lie_on_straight_lines_between_what_was_measured) {
  const std::vector<SparsePoint> points = {{0, 10}, {0.5, 8}, {0.9, 2}};
  EXPECT_DOUBLE_EQ(time_at_zeros(points, 0), 10);
  EXPECT_DOUBLE_EQ(time_at_zeros(points, 0.25), 9);
  EXPECT_DOUBLE_EQ(time_at_zeros(points, 0.5), 8);
  EXPECT_DOUBLE_EQ(time_at_zeros(points, 0.7), 5);
  EXPECT_DOUBLE_EQ(time_at_zeros(points, 0.99), 2);
}

TEST(SparseTimes, what_is_chosen_is_foretold_to_take_the_time_at_most_and_nearly_that) {
  const Graph graph = parse_text_graph(kNet);
  const SparseTimes times = times_of(2, 3);
  for (const double ms : {20.0, 15.0, 10.0, 7.0}) {
    const double foretold = foretold_ms(times, sparsity_by_time(graph, times, ms));
    EXPECT_LE(foretold, ms);
    EXPECT_GT(foretold, ms - 0.5);
  }
}

TEST(SparseTimes, a_layer_that_zeros_make_no_faster_keeps_all_its_weights) {
  const Graph graph = parse_text_graph(kNet);
  const auto zeros = sparsity_by_time(graph, times_of(2, 10), 15);
  EXPECT_GT(zeros.at("a"), 0.3);
  EXPECT_EQ(zeros.at("b"), 0);
}

TEST(SparseTimes, of_layers_that_save_alike_the_one_with_more_small_weights_loses_more) {
  Graph graph = parse_text_graph(kNet);
  const auto weights = graph.value(*find_value(graph, "b")).constant->mutate<float>();
  for (size_t i = 0; i < weights.size(); i += 2) weights[i] *= 0.01f;
  const auto zeros = sparsity_by_time(graph, times_of(2, 2), 15);
  EXPECT_LT(zeros.at("a"), zeros.at("b"));
}

TEST(SparseTimes, weights_a_hundred_times_as_large_make_no_difference) {
  Graph graph = parse_text_graph(kNet);
  const auto before = sparsity_by_time(graph, times_of(2, 3), 12);
  for (float& w : graph.value(*find_value(graph, "b")).constant->mutate<float>()) w *= 128;
  EXPECT_EQ(sparsity_by_time(graph, times_of(2, 3), 12), before);
}

TEST(SparseTimes, less_time_than_can_be_had_is_refused_with_the_least) {
  try {
    sparsity_by_time(parse_text_graph(kNet), times_of(2, 3), 2.1);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what()).find("can't keep only 10.00 % of the latency: 28.57 %"),
              std::string::npos)
        << error.what();
  }
}

TEST(SparseTimes, are_measured_of_every_layer_that_may_be_masked_and_sink_with_zeros) {
  const Graph graph = parse_text_graph(kNet);
  const SparseTimes times = measure_sparse(graph, {.keep = {"^head$"}}, {});
  ASSERT_EQ(times.layers.size(), 2u);
  EXPECT_GT(times.other_ms, 0);
  EXPECT_GT(times.whole_ms, times.other_ms);
  for (const auto& [name, points] : times.layers) {
    ASSERT_EQ(points.size(), 7u) << name;
    EXPECT_TRUE(std::ranges::is_sorted(points, {}, &SparsePoint::zeros)) << name;
    EXPECT_TRUE(std::ranges::is_sorted(points, std::ranges::greater(), &SparsePoint::ms)) << name;
  }
}

}  // namespace
}  // namespace coppice
