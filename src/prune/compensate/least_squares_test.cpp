// Exact where the features say all, drawn to what is there where they don't.
#include "prune/compensate/least_squares.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace coppice {
namespace {

constexpr int64_t kFeatures = 6, kFilters = 2, kPoints = 4;

struct Samples {
  std::vector<float> inputs, wanted;

  // wanted = sum of the features, and twice the first plus one, with so much noise.
  Samples(int64_t images, float noise, uint64_t seed) {
    Random random(seed);
    const int64_t rows = images * kPoints;
    inputs.resize(rows * kFeatures);
    wanted.resize(rows * kFilters);
    random.fill_normal(inputs, 1);
    random.fill_normal(wanted, noise);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t f = 0; f < kFeatures; ++f) wanted[r * kFilters] += inputs[r * kFeatures + f];
      wanted[r * kFilters + 1] += 2 * inputs[r * kFeatures] + 1;
    }
  }
  Regression regression() const {
    return {{inputs.data(), kFeatures, kFeatures},
            {wanted.data(), kFilters, kFilters},
            std::ssize(wanted) / kFilters,
            kPoints};
  }
};

const AffineMap kNow = {Matrix::Constant(kFilters, kFeatures, 0.5), Vector::Zero(kFilters)};

TEST(LeastSquares, finds_the_layer_that_gives_what_is_wanted) {
  const Samples samples(50, 0, 1);
  const Refitted found = refit(samples.regression(), kNow);
  EXPECT_TRUE(found.moved);
  EXPECT_LT(found.after, 1e-6 * found.variance);
  for (int64_t f = 0; f < kFeatures; ++f) {
    EXPECT_NEAR(found.layer.weight(0, f), 1, 1e-3);
    EXPECT_NEAR(found.layer.weight(1, f), f == 0 ? 2 : 0, 1e-3);
  }
  EXPECT_NEAR(found.layer.bias[1], 1, 1e-3);
}

TEST(LeastSquares, the_right_layer_stays_and_so_does_any_where_one_image_is_all_there_is) {
  AffineMap right = kNow;
  right.weight.row(0).setOnes();
  right.weight.row(1).setZero();
  right.weight(1, 0) = 2;
  right.bias[1] = 1;
  const Refitted noisy = refit(Samples(5, 3, 2).regression(), right);
  EXPECT_LE(noisy.after, noisy.before);
  const Refitted one = refit(Samples(1, 0, 1).regression(), kNow);
  EXPECT_FALSE(one.moved);
  EXPECT_EQ(one.layer.weight, kNow.weight);
}

TEST(LeastSquares, keeps_the_variance_of_what_was_wanted_where_it_is_asked_to) {
  const Samples samples(400, 2, 3);
  Regression regression = samples.regression();
  const auto variance_of_first = [&] {
    return refit(regression, kNow).layer.weight.row(0).squaredNorm();  // features vary by 1
  };
  EXPECT_NEAR(variance_of_first(), 6, 0.6);
  regression.variance = Regression::Variance::wanted;
  EXPECT_NEAR(variance_of_first(), 10, 1);  // with the noise
}

}  // namespace
}  // namespace coppice
