// Criteria on hand-made numbers: what a score is, not only that it is one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "prune/scores/criterion.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::vector<float> scores_of(const Graph& graph, const std::string& criterion,
                             const ScoreOptions& options = {}) {
  return score_units(graph, find_groups(graph), find_criterion(criterion), options).units;
}

// One convolution with these filters [O, I, 1, 1] and a head, so that the filters are the units.
Graph with_filters(const std::vector<std::vector<float>>& filters) {
  const auto count = static_cast<int64_t>(filters.size());
  const auto width = static_cast<int64_t>(filters[0].size());
  Graph graph =
      parse_text_graph("input x float32 [N, " + std::to_string(width) + ", 1, 1]\n" +
                       "const w float32 [" + std::to_string(count) + ", " + std::to_string(width) +
                       ", 1, 1] zeros\n" + "const head float32 [2, " + std::to_string(count) +
                       ", 1, 1] ones\n"
                       "a = Conv(x, w)\n"
                       "y = Conv(a, head)\n"
                       "output y\n");
  auto weights = graph.value(*find_value(graph, "w")).constant->mutate<float>();
  for (int64_t o = 0; o < count; ++o) {
    std::copy(filters[o].begin(), filters[o].end(), weights.begin() + o * width);
  }
  return graph;
}

std::vector<std::vector<float>> random_filters(int64_t count, int64_t width, uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<float>> filters(count, std::vector<float>(width));
  for (auto& filter : filters) random.fill_normal(filter, 1);
  return filters;
}

// Scores are normalised to mean 1.
void expect_scores(const std::vector<float>& found, std::vector<double> raw) {
  ASSERT_EQ(found.size(), raw.size());
  double mean = 0;
  for (const double score : raw) mean += score / static_cast<double>(raw.size());
  for (size_t u = 0; u < raw.size(); ++u) EXPECT_NEAR(found[u], raw[u] / mean, 1e-5) << u;
}

// Long enough for the loops over whole registers.
std::vector<float> wide(float weight) { return std::vector<float>(32, weight); }

size_t least(const std::vector<float>& scores) {
  return static_cast<size_t>(std::ranges::min_element(scores) - scores.begin());
}

TEST(Criteria, l1_is_the_sum_of_absolute_weights) {
  expect_scores(scores_of(with_filters({{1, -2}, {3, 4}, {0, 0.5}}), "l1"), {3, 7, 0.5});
}

TEST(Criteria, l2_is_the_euclidean_norm) {
  expect_scores(scores_of(with_filters({{1, -2}, {3, 4}, {0, 0.5}}), "l2"),
                {std::sqrt(5.0), 5, 0.5});
}

TEST(Criteria, fpgm_is_the_sum_of_distances_to_all_other_filters) {
  for (const int64_t width : {3, 16, 37}) {
    const auto filters = random_filters(9, width, 1);
    std::vector<double> sums(filters.size(), 0);
    for (size_t i = 0; i < filters.size(); ++i) {
      for (size_t j = 0; j < filters.size(); ++j) {
        double squared = 0;
        for (int64_t k = 0; k < width; ++k) squared += std::pow(filters[i][k] - filters[j][k], 2);
        sums[i] += std::sqrt(squared);
      }
    }
    expect_scores(scores_of(with_filters(filters), "fpgm"), sums);
  }
}

TEST(Criteria, fpgm_drops_a_large_near_duplicate_where_l2_drops_a_small_original) {
  const Graph graph =
      with_filters({{10, 10}, {10, 10.01f}, {10.01f, 10}, {9.99f, 10}, {-1, 0.5f}, {-9, 5}});
  EXPECT_EQ(least(scores_of(graph, "l2")), 4u);
  EXPECT_LT(least(scores_of(graph, "fpgm")), 4u);
}

TEST(Criteria, fpgm_tells_near_duplicates_apart) {
  // Distances of 1e-4 between filters of norm 1000: a squared norm in float has a step of 0.06.
  const Graph graph = with_filters({{1000, 0}, {1000, 0.0001f}, {1000, 0.0003f}, {1000, 0.0009f}});
  const std::vector<float> scores = scores_of(graph, "fpgm");
  expect_scores(scores, {13e-4, 11e-4, 11e-4, 23e-4});
}

// Units in the order in which they leave.
std::vector<size_t> order_of(const std::vector<float>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  return order;
}

// The share of fpgm's choices that goes by norm.
ScoreOptions sharing(const char* share) {
  Settings settings(find_criterion("fpgm").options);
  settings.set(*settings.options().front().option, share);
  return {.seed = 0, .own = settings};
}

TEST(Criteria, fpgm_mixed_with_norms_takes_norms_first_and_as_many_as_asked) {
  // Three near-duplicates of norm 10, two small originals, one large original.
  const Graph graph = with_filters({{10, 0}, {10, 0.1f}, {10, 0.2f}, {0, 1}, {0, -2}, {-30, 0}});
  const auto mixed = [&](const char* share) {
    return order_of(scores_of(graph, "fpgm", sharing(share)));
  };
  const auto by_norm = order_of(scores_of(graph, "l2"));
  EXPECT_EQ(mixed("1"), by_norm);
  EXPECT_EQ(mixed("0"), order_of(scores_of(graph, "fpgm")));
  for (const char* share : {"0.25", "0.5", "0.75"}) {
    const std::vector<size_t> order = mixed(share);
    EXPECT_EQ(order[0], by_norm[0]) << share;
    std::vector<size_t> all = order;
    std::ranges::sort(all);
    EXPECT_EQ(all, (std::vector<size_t>{0, 1, 2, 3, 4, 5})) << share;
  }
  // Half: the smallest norm, then the filter nearest to the rest without it, and so on.
  EXPECT_EQ(mixed("0.5")[0], 3u);
  EXPECT_LT(mixed("0.5")[1], 3u);
  EXPECT_EQ(mixed("0.5")[2], 4u);
}

TEST(Criteria, fpgm_measures_distances_to_what_the_norm_has_left) {
  // Without the small filters at the right, the one at 5 is nearest to all others.
  std::vector<std::vector<float>> filters = {{4}, {5}, {6.5f}, {9}, {-0.1f}, {-0.2f}, {-0.3f}};
  const auto order = order_of(scores_of(with_filters(filters), "fpgm", sharing("0.9")));
  EXPECT_EQ((std::vector<size_t>(order.begin(), order.begin() + 3)),
            (std::vector<size_t>{4, 5, 6}));
}

TEST(Criteria, bn_scale_is_the_absolute_scale_and_is_not_normalised) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 2, 1, 1]
      const w float32 [3, 2, 1, 1] random
      const scale float32 [3] = 0.5 -2 0
      const shift float32 [3] = 9 9 9
      const mean float32 [3] zeros
      const variance float32 [3] ones
      const head float32 [2, 3, 1, 1] random
      a = Conv(x, w)
      b = BatchNormalization(a, scale, shift, mean, variance)
      y = Conv(b, head)
      output y)");
  EXPECT_EQ(scores_of(graph, "bn-scale"), (std::vector<float>{0.5, 2, 0}));
}

TEST(Criteria, bn_scale_without_normalisation_says_what_to_do) {
  try {
    scores_of(with_filters({{1}, {2}}), "bn-scale");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what()).find("'bn-scale' finds nothing to look at"),
              std::string::npos)
        << error.what();
  }
}

TEST(Criteria, random_depends_on_the_seed_alone) {
  const Graph graph = with_filters(random_filters(20, 3, 1));
  const Graph other = with_filters(random_filters(20, 3, 2));
  EXPECT_EQ(scores_of(graph, "random", {.seed = 7}), scores_of(other, "random", {.seed = 7}));
  EXPECT_NE(scores_of(graph, "random", {.seed = 7}), scores_of(graph, "random", {.seed = 8}));
}

TEST(Criteria, permuting_units_permutes_scores) {
  const auto filters = random_filters(12, 5, 3);
  const std::vector<int64_t> order = Random(4).permutation(12);
  std::vector<std::vector<float>> permuted;
  for (const int64_t i : order) permuted.push_back(filters[i]);
  for (const char* criterion : {"l1", "l2", "fpgm"}) {
    const auto scores = scores_of(with_filters(filters), criterion);
    const auto moved = scores_of(with_filters(permuted), criterion);
    for (size_t u = 0; u < order.size(); ++u) {
      EXPECT_NEAR(moved[u], scores[order[u]], 1e-6) << criterion;
    }
  }
}

TEST(Criteria, a_layer_of_zeros_scores_zero_not_nan) {
  for (const char* criterion : {"l1", "l2", "fpgm"}) {
    EXPECT_EQ(scores_of(with_filters({{0, 0}, {0, 0}}), criterion), (std::vector<float>{0, 0}));
  }
}

TEST(Criteria, weights_whose_squares_overflow_are_still_ranked) {
  for (const char* criterion : {"l1", "l2", "fpgm"}) {
    const auto scores =
        scores_of(with_filters({wide(3e25f), wide(1e25f), wide(-2e25f)}), criterion);
    for (const float score : scores) EXPECT_TRUE(std::isfinite(score)) << criterion;
    EXPECT_EQ(least(scores), 1u) << criterion;
  }
}

TEST(Criteria, weights_whose_squares_underflow_are_still_ranked) {
  for (const char* criterion : {"l1", "l2", "fpgm"}) {
    const auto scores =
        scores_of(with_filters({wide(3e-30f), wide(1e-30f), wide(-2e-30f)}), criterion);
    EXPECT_EQ(least(scores), 1u) << criterion;
    EXPECT_GT(scores[0], 0) << criterion;
  }
}

TEST(Criteria, members_of_a_group_count_alike_whatever_their_scale) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 1, 1, 1]
      const small float32 [2, 1, 1, 1] = 0.001 0.003
      const large float32 [2, 1, 1, 1] = 900 300
      const head float32 [1, 2, 1, 1] ones
      a = Conv(x, small)
      b = Conv(x, large)
      c = Add(a, b)
      y = Conv(c, head)
      output y)");
  const std::vector<float> scores = scores_of(graph, "l1");
  EXPECT_NEAR(scores[0], (0.5 + 1.5) / 2, 1e-5);
  EXPECT_NEAR(scores[1], (1.5 + 0.5) / 2, 1e-5);
}

TEST(Criteria, a_unit_of_several_filters_counts_them_all) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 2, 1, 1]
      const in float32 [2, 2, 1, 1] zeros
      const dw float32 [4, 1, 1, 1] = 3 4 0 1
      const head float32 [1, 4, 1, 1] ones
      a = Conv(x, in)
      b = Conv(a, dw) {group=2}
      y = Conv(b, head)
      output y)");
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.free.size(), 2u);  // channels, and multiples
  const auto scores = score_units(graph, groups, find_criterion("l2"), {}).units;
  EXPECT_NEAR(scores[0] / scores[1], 5, 1e-5);                    // (3, 4) against (0, 1)
  EXPECT_NEAR(scores[2] / scores[3], 3 / std::sqrt(17.0), 1e-5);  // (3, 0) against (4, 1)
}

TEST(Criteria, weights_that_are_not_float32_can_not_be_scored) {
  Graph graph = with_filters({{1}, {2}});
  auto& weight = graph.value(*find_value(graph, "w"));
  weight.constant = Tensor::of<double>({2, 1, 1, 1}, {1.0, 2.0});
  EXPECT_THROW(scores_of(graph, "l1"), Error);
}

TEST(Criteria, an_unknown_criterion_lists_the_known_ones) {
  try {
    find_criterion("l3");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    for (const Criterion& criterion : criteria()) {
      EXPECT_NE(std::string(error.what()).find(criterion.name), std::string::npos);
    }
  }
}

std::string message_of(const Graph& graph) {
  try {
    require_finite(graph);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "(no error)";
}

TEST(Criteria, a_nan_is_named_with_its_tensor_and_element) {
  EXPECT_EQ(message_of(with_filters({{1, 2}, {3, 4}})), "(no error)");
  EXPECT_EQ(message_of(with_filters({{1, 2}, {NAN, INFINITY}})),
            "tensor 'w' holds a NaN at element 2 of 4, expected finite weights; the training that "
            "made it diverged");
  EXPECT_NE(
      message_of(with_filters({{1, -INFINITY}, {3, 4}})).find("an infinity at element 1 of 4"),
      std::string::npos);
}

TEST(Criteria, a_single_infinity_is_a_bound) {
  Graph graph = with_filters({{1}, {2}});
  add_constant(graph, "bound", Tensor::scalar(INFINITY));
  EXPECT_EQ(message_of(graph), "(no error)");
}

}  // namespace
}  // namespace coppice
