// Widths by a runtime's rule: of layers, of a convolution's groups, and what is tried where they
// are too coarse.

#include "prune/budget/rounding.h"

#include <gtest/gtest.h>

#include "groups/cut/surgery.h"
#include "support/allocated.h"

namespace coppice {
namespace {

using allocated::Case;
using allocated::chain;

// A convolution of 4 groups with so many channels each, between two of one pixel.
Graph grouped(int64_t channels) {
  const std::string all = std::to_string(4 * channels), of_group = std::to_string(channels);
  return parse_text_graph("input x float32 [N, 3, 4, 4]\nconst a float32 [" + all +
                          ", 3, 1, 1] random\nconst b float32 [" + all + ", " + of_group +
                          ", 3, 3] random\nconst c float32 [2, " + all +
                          ", 1, 1] random\n"
                          "p = Conv(x, a)\nq = Conv(p, b) {group = 4, pads = [1, 1, 1, 1]}\n"
                          "y = Conv(q, c)\noutput y");
}

int64_t per_group(const Graph& cut, const char* weight) {
  return cut.value(*find_value(cut, weight)).constant->shape()[1];
}

Graph cut_by(const Case& net, const Removal& removal) {
  Graph cut = net.graph;
  remove_units(cut, net.groups, removal);
  return cut;
}

AllocationOptions half(const Rounding& rounding) {
  AllocationOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.rounding = rounding;
  return options;
}

TEST(Rounding, channels_within_the_groups_of_a_convolution_stay_where_no_block_is_left) {
  for (const int64_t channels : {4, 8, 12, 16, 32}) {
    const Case net(grouped(channels));
    const Graph cut =
        cut_by(net, net.allocate(half(net.rounding_for("onnxruntime-avx512"))).removal);
    const int64_t left = per_group(cut, "b");
    EXPECT_TRUE(left == channels || left % 16 == 0) << channels << " became " << left;
  }
}

TEST(Rounding, a_runtime_without_blocks_takes_any_width) {
  const Case net(grouped(12));
  const Rounding rounding = net.rounding_for("onnxruntime-web");
  EXPECT_FALSE(rounding.rounds());
  for (size_t g = 0; g < net.groups.free.size(); ++g) EXPECT_EQ(rounding.step(net.groups, g), 1);
  EXPECT_FALSE(rounding.finer());
}

TEST(Rounding, becomes_finer_for_narrow_widths_first_and_never_leaves_multiples_of_four_before) {
  const Case net(chain({16, 64, 256, 2}));
  std::optional<Rounding> rounding = net.rounding_for("onnxruntime-avx512");
  std::vector<std::vector<int64_t>> steps;
  for (; rounding; rounding = rounding->finer()) {
    steps.emplace_back();
    for (size_t g = 0; g < 3; ++g) steps.back().push_back(rounding->step(net.groups, g));
  }
  EXPECT_EQ(steps, (std::vector<std::vector<int64_t>>{
                       {16, 16, 32}, {8, 16, 16}, {4, 16, 16}, {4, 8, 8}, {4, 4, 4}, {1, 1, 1}}));
}

TEST(Rounding, a_multiple_that_was_asked_for_stays) {
  EXPECT_FALSE(Rounding(8).finer());
  EXPECT_FALSE(Rounding().rounds());
}

TEST(Rounding, counts_channels_where_a_unit_has_several) {
  // Pairs of channels leave together: the sum of two halves reads both.
  const Case net(parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const a float32 [32, 3, 1, 1] random
      const c float32 [2, 16, 1, 1] random
      p = Conv(x, a)
      q, r = Split(p) {axis = 1}
      s = Add(q, r)
      y = Conv(s, c)
      output y)"));
  ASSERT_EQ(net.groups.free.size(), 1u);
  EXPECT_EQ(net.rounding_for("onnxruntime-avx2").step(net.groups, 0), 4);
  EXPECT_EQ(Rounding(6).step(net.groups, 0), 3);
}

}  // namespace
}  // namespace coppice
