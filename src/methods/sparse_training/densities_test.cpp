// Counts of weights by layer against numbers worked out by hand.
#include "methods/sparse_training/densities.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "core/error.h"

namespace coppice {
namespace {

using Counts = std::vector<int64_t>;

// LeNet-300-100 at 90 %: 26620 of 266200 weights. eps = 26620 / (1084 + 400 + 110) = 16.7 would
// make 1837 of fc3's 1000, so fc3 is dense, and eps = 25620 / 1484 = 17.2642 for the others:
// 18714.4 and 6905.7.
TEST(Densities, of_erdos_renyi_make_layers_dense_that_would_pass_it_and_solve_anew) {
  const std::vector<Shape> shapes = {{300, 784}, {100, 300}, {10, 100}};
  EXPECT_EQ(erk_counts(shapes, 0.9), (Counts{18714, 6906, 1000}));
}

// Kernels count: 20 + 1 + 5 + 5, 50 + 20 + 5 + 5, 500 + 800, 10 + 500. At 95 % 21525 of 430500
// stay; eps = 21525 / 1921 = 11.2051; conv1 gets 347.4 of 500, conv2 896.4, fc1 14566.6, fc2 5714.6
// of 5000, which is dense: then eps = 16525 / 1411 = 11.7116, 363.06, 936.93, 15225.02.
TEST(Densities, of_convolutions_count_their_kernels) {
  const std::vector<Shape> shapes = {{20, 1, 5, 5}, {50, 20, 5, 5}, {500, 800}, {10, 500}};
  EXPECT_EQ(erk_counts(shapes, 0.95), (Counts{363, 937, 15225, 5000}));
}

TEST(Densities, uniform_is_the_same_share_of_each) {
  const std::vector<Shape> shapes = {{300, 784}, {100, 300}, {10, 101}};
  EXPECT_EQ(uniform_counts(shapes, 0.9), (Counts{23520, 3000, 101}));
}

TEST(Densities, add_up_exactly_and_leave_every_layer_a_weight) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    std::vector<Shape> shapes;
    int64_t all = 0;
    for (int l = 0; l < 1 + i % 6; ++l) {
      Shape shape = {1 + int64_t(random() % 40), 1 + int64_t(random() % 40)};
      if (random() % 2) shape.insert(shape.end(), {3, 3});
      all += element_count(shape);
      shapes.push_back(shape);
    }
    const double sparsity = double(random() % 1000) / 1000;
    const auto zeros = static_cast<int64_t>(std::floor(double(all) * sparsity + 1e-9));
    if (zeros > all - std::ssize(shapes)) continue;
    const Counts counts = erk_counts(shapes, sparsity);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), all - zeros);
    for (size_t l = 0; l < counts.size(); ++l) {
      EXPECT_GE(counts[l], 1);
      EXPECT_LE(counts[l], element_count(shapes[l]));
    }
  }
}

TEST(Densities, that_leave_less_than_a_weight_a_layer_are_refused) {
  const std::vector<Shape> shapes = {{2, 2}, {100, 3}};
  EXPECT_THROW(erk_counts(shapes, 0.999), Error);
}

}  // namespace
}  // namespace coppice
