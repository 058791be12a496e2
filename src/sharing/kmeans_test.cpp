// Weight sharing: the paper's figure, the initialisations, and what k-means promises.
#include "sharing/kmeans.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "core/random.h"

namespace coppice {
namespace {

using Init = KMeansOptions::Init;

std::vector<float> normal_weights(size_t count, uint64_t seed) {
  std::vector<float> weights(count);
  Random random(seed);
  random.fill_normal(weights, 0.05f);
  for (float& weight : weights) {
    if (random.below(4) == 0) weight = 0;
  }
  return weights;
}

double objective(const std::vector<float>& weights, const SharedWeights& shared) {
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double off = double{weights[i]} - weight_of(shared, shared.codes[i]);
    sum += off * off;
  }
  return sum;
}

// Source: Han et al., "Deep Compression", Figure 3.
TEST(KMeans, figure_3_of_the_paper) {
  const std::vector<float> weights = {2.09f,  -0.98f, 1.48f, 0.09f,  0.05f, -0.14f, -1.08f, 2.12f,
                                      -0.91f, 1.92f,  0.0f,  -1.03f, 1.87f, 0.0f,   1.53f,  1.49f};
  const std::vector<int> clusters = {3, 0, 2, 1, 1, 1, 0, 3, 0, 3, -1, 0, 3, -1, 2, 2};
  const SharedWeights shared = share_weights(weights, {.clusters = 4});
  ASSERT_EQ(shared.centroids.size(), 4u);
  EXPECT_FLOAT_EQ(shared.centroids[0], -1.0f);
  EXPECT_NEAR(shared.centroids[1], 0.0, 1e-7);
  EXPECT_FLOAT_EQ(shared.centroids[2], 1.5f);
  EXPECT_FLOAT_EQ(shared.centroids[3], 2.0f);
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(shared.codes[i], clusters[i] + 1) << i;
}

TEST(KMeans, linear_centroids_are_spaced_evenly_between_the_extremes) {
  const std::vector<float> weights = {-1, 0, 3, 0.5f};
  const SharedWeights shared = share_weights(weights, {.clusters = 5, .iterations = 0});
  EXPECT_EQ(shared.centroids, (std::vector<float>{-1, 0, 1, 2, 3}));
  EXPECT_EQ(share_weights(weights, {.clusters = 1, .iterations = 0}).centroids,
            std::vector<float>{1});
}

TEST(KMeans, density_centroids_are_quantiles_of_the_nonzeros) {
  std::vector<float> weights(50, 0.0f);
  for (int i = 1; i <= 100; ++i) weights.push_back(static_cast<float>(i));
  const auto shared =
      share_weights(weights, {.clusters = 4, .init = Init::density, .iterations = 0});
  EXPECT_EQ(shared.centroids, (std::vector<float>{13, 38, 63, 88}));
}

TEST(KMeans, forgy_centroids_are_weights_and_follow_the_seed) {
  const auto weights = normal_weights(1000, 1);
  const std::set<float> all(weights.begin(), weights.end());
  const auto draw = [&](uint64_t seed) {
    return share_weights(weights,
                         {.clusters = 8, .init = Init::forgy, .iterations = 0, .seed = seed});
  };
  for (const float centroid : draw(1).centroids) EXPECT_TRUE(all.contains(centroid));
  EXPECT_EQ(draw(1).centroids, draw(1).centroids);
  EXPECT_NE(draw(1).centroids, draw(2).centroids);
}

TEST(KMeans, the_objective_never_grows) {
  const auto weights = normal_weights(3000, 2);
  for (const Init init : {Init::linear, Init::density, Init::forgy}) {
    double before = INFINITY;
    for (int iterations = 0; iterations < 30; ++iterations) {
      const auto shared =
          share_weights(weights, {.clusters = 12, .init = init, .iterations = iterations});
      const double now = objective(weights, shared);
      EXPECT_LE(now, before * (1 + 1e-6)) << iterations;  // centroids are rounded to float
      before = now;
    }
  }
}

TEST(KMeans, at_the_end_every_weight_is_with_its_nearest_centroid_and_centroids_are_means) {
  const auto weights = normal_weights(2000, 3);
  const SharedWeights shared = share_weights(weights, {.clusters = 16});
  EXPECT_LT(shared.iterations, 1000);
  std::vector<double> sums(16, 0), counts(16, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) {
      ASSERT_EQ(shared.codes[i], 0);
      continue;
    }
    const double off = std::abs(double{weights[i]} - weight_of(shared, shared.codes[i]));
    for (const float centroid : shared.centroids) {
      ASSERT_LE(off, std::abs(double{weights[i]} - centroid));
    }
    sums[shared.codes[i] - 1u] += weights[i];
    ++counts[shared.codes[i] - 1u];
  }
  for (size_t k = 0; k < 16; ++k) {
    if (counts[k] == 0) continue;
    EXPECT_NEAR(shared.centroids[k], sums[k] / counts[k], 1e-8);
  }
}

TEST(KMeans, an_empty_cluster_keeps_its_centroid) {
  const SharedWeights shared =
      share_weights(std::vector<float>{0, 10, 0.5f, 9.5f}, {.clusters = 3});
  EXPECT_EQ(shared.centroids, (std::vector<float>{0.5f, 5.25f, 9.75f}));
}

TEST(KMeans, zeros_alone_have_no_centroids) {
  const SharedWeights shared = share_weights(std::vector<float>{0, -0.0f, 0}, {.clusters = 3});
  EXPECT_TRUE(shared.centroids.empty());
  EXPECT_EQ(shared.codes, (std::vector<uint16_t>{0, 0, 0}));
  EXPECT_TRUE(share_weights({}, {}).codes.empty());
}

TEST(KMeans, what_cannot_be_shared_is_refused) {
  EXPECT_THROW(share_weights(std::vector<float>{1}, {.clusters = 0}), Error);
  EXPECT_THROW(share_weights(std::vector<float>{1}, {.clusters = 65536}), Error);
  EXPECT_THROW(share_weights(std::vector<float>{1, NAN}, {}), Error);
  EXPECT_THROW(share_weights(std::vector<float>{INFINITY}, {}), Error);
}

}  // namespace
}  // namespace coppice
