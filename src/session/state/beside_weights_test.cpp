#include "session/state/beside_weights.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 2]
    const w float32 [2, 3] random
    const v float32 [3, 2] random
    h = MatMul(x, w)
    y = MatMul(h, v)
    output y)";

Tensor row(std::vector<float> values) {
  const Shape shape{2, static_cast<int64_t>(values.size()) / 2};
  return Tensor::of<float>(shape, values);
}

TEST(BesideWeights, what_fits_no_constant_by_name_and_shape_is_forgotten) {
  NamedTensors tensors = {{"w", row({1, 2, 3, 4, 5, 6})},
                          {"v", row({1, 2, 3, 4, 5, 6})},
                          {"gone", row({1, 2})},
                          {"h", row({1, 2})}};
  keep_fitting(tensors, parse_text_graph(kNet));
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors.begin()->first, "w");
}

TEST(BesideWeights, which_values_are_tied_is_forgotten_where_the_values_changed) {
  const Graph before = parse_text_graph(kNet);
  Graph after = before;
  after.value(*find_value(after, "w")).constant->mutate<float>()[0] += 1;
  const auto codes = [](const Shape& shape) { return Tensor::zeros(DType::i32, shape); };
  OptimizerState state;
  state.slots[kCodesSlot] = {{"w", codes({2, 3})}, {"v", codes({3, 2})}};
  state.slots["momentum"] = {{"w", row({1, 2, 3, 4, 5, 6})}};
  keep_fitting(state, before, after);
  ASSERT_EQ(state.slots[kCodesSlot].size(), 1u);
  EXPECT_TRUE(state.slots[kCodesSlot].contains("v"));
  EXPECT_TRUE(state.slots["momentum"].contains("w"));
}

TEST(BesideWeights, moments_of_what_is_masked_become_zero_and_no_others) {
  OptimizerState state;
  state.slots["moment1"] = {{"w", row({1, 2, 3, 4})}, {"v", row({1, 2})}};
  state.slots["moment2"] = {{"w", row({5, 6, 7, 8})}};
  state.slots[kCodesSlot] = {{"w", Tensor::of<int32_t>({2, 2}, std::vector<int32_t>{1, 2, 3, 4})}};
  stop_masked(state, {{"w", row({1, 0, 0, 1})}, {"u", row({0, 0})}});
  EXPECT_EQ(state.slots["moment1"]["w"], row({1, 0, 0, 4}));
  EXPECT_EQ(state.slots["moment1"]["v"], row({1, 2}));
  EXPECT_EQ(state.slots["moment2"]["w"], row({5, 0, 0, 8}));
  EXPECT_EQ(state.slots[kCodesSlot]["w"].as<int32_t>()[1], 2);
}

TEST(BesideWeights, masks_add_up) {
  NamedTensors all = {{"w", row({1, 0, 1, 1})}};
  add_masks(all, {{"w", row({1, 1, 0, 1})}, {"v", row({0, 1})}});
  EXPECT_EQ(all, (NamedTensors{{"w", row({1, 0, 0, 1})}, {"v", row({0, 1})}}));
}

}  // namespace
}  // namespace coppice
