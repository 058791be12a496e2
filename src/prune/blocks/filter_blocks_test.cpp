// Which weights make a cell, and that magnitudes and scores choose whole ones.

#include "prune/blocks/filter_blocks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "prune/masks/masks.h"
#include "prune/masks/masks_by_score.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using Elements = std::vector<float>;

Elements elements(const Tensor& tensor) {
  return {tensor.as<float>().begin(), tensor.as<float>().end()};
}

// By weight, the number of its cell.
Elements cells_of(const FilterBlocks& blocks) {
  Elements numbers(static_cast<size_t>(blocks.cells()));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  return elements(blocks.spread(numbers));
}

TEST(FilterBlocks, hold_neighbours_and_leave_the_rest_alone) {
  EXPECT_EQ(cells_of({{5, 2}, {}, 2}), (Elements{0, 1, 0, 1, 2, 3, 2, 3, 4, 5}));
  EXPECT_EQ(cells_of({{3, 1}, {}, 4}), (Elements{0, 1, 2})) << "fewer than a block";
  EXPECT_EQ(cells_of({{2, 5}, {.axis = 1}, 4}), (Elements{0, 0, 0, 0, 2, 1, 1, 1, 1, 3}));
}

TEST(FilterBlocks, begin_anew_with_each_group_of_a_convolution) {
  EXPECT_EQ(cells_of({{6, 1}, {.axis = 0, .groups = 2}, 2}), (Elements{0, 0, 1, 2, 2, 3}));
  EXPECT_EQ(cells_of({{4, 1}, {.axis = 0, .groups = 4}, 2}), (Elements{0, 1, 2, 3}));
}

TEST(FilterBlocks, hold_the_neighbours_that_an_order_makes) {
  EXPECT_EQ(cells_of({{4, 1}, {}, 2, {3, 1, 0, 2}}), (Elements{1, 0, 1, 0}));
}

TEST(FilterBlocks, are_whole_where_anything_of_them_stays) {
  const FilterBlocks blocks({5, 1}, {}, 2);
  EXPECT_EQ(elements(blocks.whole(Tensor::of<float>({5, 1}, Elements{1, 0, 0, 0, 0}))),
            (Elements{1, 1, 0, 0, 0}));
}

TEST(FilterBlocks, know_where_layers_have_their_filters) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 4, 3, 3]
      const conv float32 [6, 2, 3, 3] random
      const up float32 [6, 5, 1, 1] random
      const gemm float32 [5, 7] random
      const turned float32 [8, 7] random
      const both float32 [8, 8] random
      a = Conv(x, conv) {group=2}
      b = ConvTranspose(a, up)
      c = Flatten(b)
      d = MatMul(c, gemm)
      u = Identity(turned)
      t = Transpose(u) {perm=[1, 0]}
      e = MatMul(d, t)
      f = Gemm(e, both) {transB=1}
      g = Gemm(f, both)
      output g)");
  const auto axes = filter_axes(graph);
  const auto at = [&](const char* name) { return axes.at(*find_value(graph, name)); };
  EXPECT_EQ(at("conv"), (FilterAxis{0, 2}));
  EXPECT_EQ(at("up"), (FilterAxis{1, 1}));
  EXPECT_EQ(at("gemm"), (FilterAxis{1, 1}));
  EXPECT_EQ(at("turned"), (FilterAxis{0, 1}));
  EXPECT_FALSE(axes.contains(*find_value(graph, "both"))) << "read both ways";
}

constexpr char kNet[] = R"(
    input x float32 [N, 2]
    const w float32 [5, 2] = 1 -9 3 1 5 2 -5 2 0.1 4
    y = Gemm(x, w) {transB=1}
    output y)";

TEST(FilterBlocks, of_the_least_mean_magnitude_leave_and_no_more_zeros_than_asked_for) {
  const Graph graph = parse_text_graph(kNet);
  const auto mask = [&](double sparsity) {
    return elements(magnitude_masks(graph, {.sparsity = sparsity, .together = 2}).at("w"));
  };
  // Means: 2 and 5, 5 and 2, 0.1 and 4.
  EXPECT_EQ(mask(0.0), Elements(10, 1));
  EXPECT_EQ(mask(0.1), (Elements{1, 1, 1, 1, 1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(mask(0.2), (Elements{1, 1, 1, 1, 1, 1, 1, 1, 0, 1})) << "a block would be too much";
  EXPECT_EQ(mask(0.3), (Elements{0, 1, 0, 1, 1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(mask(0.9), (Elements{0, 0, 0, 0, 1, 0, 1, 0, 0, 0})) << "the largest stays whole";
}

TEST(FilterBlocks, that_are_zero_already_go_first) {
  Graph graph = parse_text_graph(kNet);
  Masks masks = magnitude_masks(graph, {.sparsity = 0.5, .together = 2});
  apply_masks(graph, masks);
  for (const double sparsity : {0.0, 0.5}) {
    EXPECT_EQ(elements(magnitude_masks(graph, {.sparsity = sparsity, .together = 2}).at("w")),
              elements(masks.at("w")));
  }
}

TEST(FilterBlocks, are_chosen_by_mean_scores) {
  const ScoredLayer layer{"w", {4, 1}, {3, 0, 1, 1}, FilterBlocks({4, 1}, {}, 2)};
  const auto found = masks_by_score({&layer, 1}, 0.5, MagnitudeOptions::Scope::layer);
  EXPECT_EQ(elements(found.masks.at("w")), (Elements{1, 1, 0, 0}));
  const auto all = masks_by_score({&layer, 1}, 0.75, MagnitudeOptions::Scope::layer);
  EXPECT_EQ(elements(all.masks.at("w")), (Elements{1, 1, 0, 0})) << "a block stays";
}

}  // namespace
}  // namespace coppice
