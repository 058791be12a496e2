// What is dropped and what is grown, on numbers small enough to see it.
#include "methods/sparse_training/regrow.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"

namespace coppice {
namespace {

Tensor row(const std::vector<float>& numbers) {
  return Tensor::of<float>({std::ssize(numbers)}, numbers);
}

TEST(Regrow, drops_the_smallest_weights_and_grows_the_largest_promises) {
  const Regrown found = regrow(row({1, 1, 1, 1, 0, 0, 0}), row({3, -1, 0.5f, -4, 0, 0, 0}),
                               {9, 0, 0.1, 9, 2, 0.3, 1}, 2);
  EXPECT_EQ(found.mask, row({1, 0, 0, 1, 1, 0, 1}));
  EXPECT_EQ(found.grown, 2);
}

TEST(Regrow, what_is_dropped_may_come_back_and_then_did_not_grow) {
  const Regrown found = regrow(row({1, 1, 1, 0, 0}), row({3, 1, 2, 0, 0}), {0, 8, 0, 1, 5}, 2);
  EXPECT_EQ(found.mask, row({1, 1, 0, 0, 1}));
  EXPECT_EQ(found.grown, 1);
}

TEST(Regrow, breaks_ties_by_index) {
  const Regrown found = regrow(row({1, 1, 1, 0, 0}), row({2, 2, 2, 0, 0}), {0, 0, 0, 1, 1}, 1);
  EXPECT_EQ(found.mask, row({0, 1, 1, 1, 0}));
}

TEST(Regrow, keeps_the_count_and_never_grows_where_a_weight_was_kept) {
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    const int64_t size = 1 + static_cast<int64_t>(random.below(60));
    std::vector<float> mask, weight;
    std::vector<double> promise;
    for (int64_t w = 0; w < size; ++w) {
      mask.push_back(random.uniform() < 0.4 ? 1 : 0);
      weight.push_back(mask.back() * static_cast<float>(random.normal()));
      promise.push_back(random.uniform());
    }
    const auto active = std::ranges::count(mask, 1.0f);
    const auto count = static_cast<int64_t>(random.below(static_cast<uint64_t>(active) + 1));
    const Regrown found = regrow(row(mask), row(weight), promise, count);
    const auto now = found.mask.as<float>();
    EXPECT_EQ(std::ranges::count(now, 1.0f), active);
    EXPECT_LE(found.grown, count);
    int64_t kept = 0;
    for (int64_t w = 0; w < size; ++w) kept += mask[w] == 1 && now[w] == 1;
    EXPECT_EQ(kept, active - found.grown) << "grown and kept are disjoint";
  }
}

TEST(Regrow, of_a_dense_layer_changes_nothing) {
  const Tensor dense = row({1, 1, 1});
  EXPECT_EQ(regrow(dense, row({1, 2, 3}), {1, 2, 3}, 2).mask, dense);
}

}  // namespace
}  // namespace coppice
