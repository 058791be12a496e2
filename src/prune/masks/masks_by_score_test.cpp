#include "prune/masks/masks_by_score.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/random.h"

namespace coppice {
namespace {

using Scope = MagnitudeOptions::Scope;

ScoredLayer layer(const char* name, const std::vector<double>& scores) {
  return {name, {std::ssize(scores)}, scores};
}

Tensor row(const std::vector<float>& numbers) {
  return Tensor::of<float>({std::ssize(numbers)}, numbers);
}

TEST(MasksByScore, keep_the_largest_of_all_or_of_each_layer) {
  const std::vector<ScoredLayer> layers = {layer("a", {5, -1, 3, 8}), layer("b", {2, 9, 7, 6})};
  const ScoredMasks all = masks_by_score(layers, 0.5, Scope::global);
  EXPECT_EQ(all.masks, (Masks{{"a", row({0, 0, 0, 1})}, {"b", row({0, 1, 1, 1})}}));
  EXPECT_TRUE(all.spared.empty());
  const ScoredMasks each = masks_by_score(layers, 0.5, Scope::layer);
  EXPECT_EQ(each.masks, (Masks{{"a", row({1, 0, 0, 1})}, {"b", row({0, 1, 1, 0})}}));
}

TEST(MasksByScore, break_ties_by_index_and_count_exactly) {
  const std::vector<ScoredLayer> layers = {layer("a", {1, 1, 1}), layer("b", {1, 1, 0, 1})};
  EXPECT_EQ(masks_by_score(layers, 3 / 7.0, Scope::global).masks,
            (Masks{{"a", row({0, 0, 1})}, {"b", row({1, 1, 0, 1})}}));
  Random random(4);
  for (int64_t zeros = 0; zeros <= 95; ++zeros) {
    std::vector<ScoredLayer> some = {layer("a", {}), layer("b", {})};
    for (int64_t i = 0; i < 97; ++i) {
      some[i % 2].scores.push_back(static_cast<double>(random.below(4)) - 1);
    }
    for (ScoredLayer& l : some) l.shape = {std::ssize(l.scores)};
    const ScoredMasks found = masks_by_score(some, static_cast<double>(zeros) / 97, Scope::global);
    int64_t counted = 0;
    for (const auto& [name, mask] : found.masks) {
      counted += std::ranges::count(mask.as<float>(), 0.0f);
      EXPECT_GT(std::ranges::count(mask.as<float>(), 1.0f), 0);
    }
    EXPECT_EQ(counted, zeros);
  }
}

TEST(MasksByScore, say_which_layers_would_have_been_emptied) {
  const std::vector<ScoredLayer> layers = {layer("a", {1, 3, 2}), layer("b", {9, 8, 7, 6, 5})};
  const ScoredMasks found = masks_by_score(layers, 0.75, Scope::global);
  EXPECT_EQ(found.masks, (Masks{{"a", row({0, 1, 0})}, {"b", row({1, 0, 0, 0, 0})}}));
  EXPECT_EQ(found.spared, (std::vector<std::string>{"a"}));
}

TEST(MasksByScore, let_what_is_masked_go_first) {
  const std::vector<ScoredLayer> layers = {layer("a", {0, kGoesFirst, 0, -5, kGoesFirst})};
  EXPECT_EQ(masks_by_score(layers, 0.4, Scope::layer).masks.at("a"), row({1, 0, 1, 1, 0}));
  EXPECT_EQ(masks_by_score(layers, 0.6, Scope::layer).masks.at("a"), row({1, 0, 1, 0, 0}));
}

TEST(MasksByScore, of_permuted_weights_are_permuted_masks) {
  const std::vector<double> scores = {4, 1, 7, 3, 9, 2, 8};
  const Tensor plain =
      masks_by_score(std::vector{layer("a", scores)}, 0.5, Scope::layer).masks["a"];
  const auto order = Random(2).permutation(7);
  std::vector<double> moved;
  std::vector<float> expected;
  for (const int64_t i : order) {
    moved.push_back(scores[i]);
    expected.push_back(plain.as<float>()[i]);
  }
  EXPECT_EQ(masks_by_score(std::vector{layer("a", moved)}, 0.5, Scope::layer).masks["a"],
            row(expected));
}

TEST(MasksByScore, refuse_what_leaves_a_layer_without_a_weight) {
  EXPECT_THROW(masks_by_score(std::vector{layer("a", {1, 2})}, 0.9999999999, Scope::layer), Error);
}

}  // namespace
}  // namespace coppice
