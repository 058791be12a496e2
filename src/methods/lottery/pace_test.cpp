// How many weights are left after which round: the densities that the lottery ticket paper names.
#include "methods/lottery/pace.h"

#include <gtest/gtest.h>

#include "prune/masks/survivors.h"
#include "prune/plan/plan.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// In percent, after each round.
std::vector<double> densities(const char* model, Pace pace) {
  const Graph graph = build_zoo_model(model, 3);
  const Masks all = all_left(graph, {}, {});
  std::vector<double> densities{100};
  Masks masks = all;
  for (int64_t round = 1; round <= pace.rounds; ++round) {
    masks = next_masks(masks, all, graph, pace, round);
    densities.push_back(100 * static_cast<double>(count_left(masks)) /
                        static_cast<double>(count_left(all)));
  }
  return densities;
}

// Frankle and Carbin, ICLR 2019, Fig. 2: the output layer loses half of what the others do.
TEST(Pace, of_lenet_300_100_comes_through_the_densities_of_the_paper) {
  const std::vector<double> expected{100,   80.04, 64.06, 51.28, 41.05, 32.87, 26.32, 21.07, 16.88,
                                     13.52, 10.83, 8.68,  6.95,  5.57,  4.47,  3.58,  2.87};
  const std::vector<double> found =
      densities("lenet300-100", {.rounds = 16, .rate = 0.2, .layers = {{"fc3", 0.1}}});
  ASSERT_EQ(found.size(), expected.size());
  for (size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(found[k], expected[k], 0.005) << k;
}

TEST(Pace, of_the_convolutional_nets_comes_through_the_densities_of_the_paper) {
  const auto pace = [](double convolutions, int64_t rounds) {
    return Pace{.rounds = rounds,
                .rate = 0.2,
                .layers = {{"^features", convolutions}, {"^classifier.4", 0.1}}};
  };
  const std::vector<double> conv2 = densities("conv2", pace(0.1, 14)),
                            conv4 = densities("conv4", pace(0.1, 12)),
                            conv6 = densities("conv6", pace(0.15, 10));
  EXPECT_NEAR(conv2[11], 8.81, 0.005);
  EXPECT_NEAR(conv2[14], 4.57, 0.005);
  EXPECT_NEAR(conv4[11], 11.06, 0.005);
  EXPECT_NEAR(conv4[12], 9.18, 0.005);
  EXPECT_NEAR(conv6[7], 26.61, 0.005);
  EXPECT_NEAR(conv6[10], 15.29, 0.005);
}

TEST(Pace, of_all_layers_together_takes_a_share_of_all_that_is_left) {
  const Graph graph = build_zoo_model("lenet300-100", 3);
  const Masks all = all_left(graph, {"fc3"}, {});
  const Pace pace{.rounds = 2, .rate = 0.2, .scope = MagnitudeOptions::Scope::global};
  const Masks one = next_masks(all, all, graph, pace, 1),
              two = next_masks(one, all, graph, pace, 2);
  EXPECT_EQ(count_left(all), 265'200);
  EXPECT_EQ(count_left(one), 265'200 - 53'040);
  EXPECT_EQ(count_left(two), 212'160 - 42'432);
  EXPECT_FALSE(one.contains("fc3.weight"));
  // fc2 is drawn wider than fc1, so it loses less.
  EXPECT_GT(nonzeros_of(one.at("fc2.weight")), 0.8 * 30'000);
}

TEST(Pace, to_a_sparsity_has_equal_rates_and_ends_exactly_there) {
  EXPECT_EQ(rounds_to(0.2, 0.2), 1);
  EXPECT_EQ(rounds_to(0.36, 0.2), 2);
  EXPECT_EQ(rounds_to(0.9, 0.2), 11);  // 0.8 ^ 10 is 0.107
  EXPECT_EQ(rounds_to(0.1, 0.2), 1);
  EXPECT_EQ(left_towards(0.99, 10'000, 1, 2), 1000);
  EXPECT_EQ(left_towards(0.99, 10'000, 2, 2), 100);
  const std::vector<double> found = densities("lenet300-100", {.rounds = 3, .sparsity = 0.9});
  EXPECT_NEAR(found[1], 100 * std::pow(0.1, 1.0 / 3), 0.001);
  EXPECT_NEAR(found[3], 10, 1e-9);
}

TEST(Pace, a_layer_with_another_rate_is_named_by_a_pattern_and_the_last_that_matches_counts) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 10]
    const first.w float32 [10, 10] random
    const last.w float32 [10, 10] random
    a = MatMul(x, first.w)
    y = MatMul(a, last.w)
    output y)");
  const Masks all = all_left(graph, {}, {});
  const Masks masks =
      next_masks(all, all, graph, {.rate = 0.5, .layers = {{"w$", 0.2}, {"^last", 0}}}, 1);
  EXPECT_EQ(nonzeros_of(masks.at("first.w")), 80);
  EXPECT_EQ(nonzeros_of(masks.at("last.w")), 100);
  EXPECT_NE(fake::message_of(ErrorKind::usage,
                             [&] {
                               next_masks(all, all, graph, {.layers = {{"head", 0.1}}}, 1);
                             })
                .find("'head' matches no layer"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
