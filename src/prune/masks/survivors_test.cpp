// What leaves next, of weights that masks leave.
#include "prune/masks/survivors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "prune/plan/plan.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::vector<float> numbers(const Tensor& tensor) {
  const auto all = tensor.as<float>();
  return {all.begin(), all.end()};
}

Graph two_layers() {
  return parse_text_graph(R"(
    input x float32 [N, 2]
    const z float32 [2, 3] = 5 -1 2 3 1 0
    const a float32 [3, 1] = 4 -0.5 1
    h = MatMul(x, z)
    y = MatMul(h, a)
    output y)");
}

TEST(Survivors, the_smallest_of_those_left_leave_and_ties_go_by_index) {
  const Graph graph = two_layers();
  Masks masks = all_left(graph, {}, {});
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{1, 1, 1, 1, 1, 1})) << "a zero is a weight";
  drop_smallest(masks, graph, {{"z", 2}});
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{1, 0, 1, 1, 1, 0}));
  drop_smallest(masks, graph, {{"z", 1}});
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{1, 0, 1, 1, 0, 0}));
  EXPECT_EQ(nonzeros_of(masks.at("a")), 3);
}

// Weights that training brought to just zero are no reason to let others come back.
TEST(Survivors, who_is_gone_stays_gone_whatever_its_weight_is_now) {
  Graph graph = two_layers();
  Masks masks = all_left(graph, {}, {});
  drop_smallest(masks, graph, {{"z", 3}});
  Tensor& weight = *graph.value(*find_value(graph, "z")).constant;
  const std::vector<float> now{0, 9, 0, 0, 9, 9};
  std::ranges::copy(now, weight.mutate<float>().begin());
  drop_smallest(masks, graph, {{"z", 1}});
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{0, 0, 1, 1, 0, 0}));
}

TEST(Survivors, of_all_layers_the_smallest_leave_in_the_models_order_and_each_layer_keeps_one) {
  const Graph graph = two_layers();
  Masks masks = all_left(graph, {}, {});
  drop_smallest_of_all(masks, graph, 3);  // 0, -0.5, and the first of the ones in the graph's order
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{1, 0, 1, 1, 1, 0}));
  EXPECT_EQ(numbers(masks.at("a")), (std::vector<float>{1, 0, 1}));
  drop_smallest_of_all(masks, graph, 100);
  EXPECT_EQ(numbers(masks.at("z")), (std::vector<float>{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(masks.at("a")), (std::vector<float>{1, 0, 0}));
}

TEST(Survivors, zeros_that_are_kept_never_count_as_left) {
  const Graph graph = two_layers();
  const Masks zeros{{"z", Tensor::of<float>({2, 3}, std::vector<float>{1, 1, 1, 1, 1, 0})}};
  const Masks masks = all_left(graph, {"^a$"}, zeros);
  EXPECT_EQ(masks.size(), 1u);
  EXPECT_EQ(nonzeros_of(masks.at("z")), 5);
}

TEST(Survivors, shuffled_masks_have_as_many_zeros_elsewhere_and_never_where_nothing_was_left) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 20]
    const w float32 [20, 20] random
    y = MatMul(x, w)
    output y)");
  Masks all = all_left(graph, {}, {});
  std::span<float> within = all.at("w").mutate<float>();
  std::fill(within.begin(), within.begin() + 100, 0.0f);
  Masks masks = all;
  drop_smallest(masks, graph, {{"w", 200}});
  const Masks other = shuffled(masks, all, 5);
  EXPECT_EQ(nonzeros_of(other.at("w")), 100);
  EXPECT_NE(other, masks);
  EXPECT_EQ(other, shuffled(masks, all, 5));
  EXPECT_NE(other, shuffled(masks, all, 6));
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(other.at("w").as<float>()[i], 0);
}

}  // namespace
}  // namespace coppice
