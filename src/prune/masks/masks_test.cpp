// Masks by magnitude: exact counts, ties, scopes, and masks that don't fit.
#include "prune/masks/masks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/random.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

using Scope = MagnitudeOptions::Scope;

constexpr char kNet[] = R"(
    input x float32 [N, 2, 4, 4]
    const w1 float32 [2, 2, 1, 1] = 1 -2 3 -4
    const b1 float32 [2] = 0.1 0.1
    const scale float32 [2] ones
    const shift float32 [2] zeros
    const w2 float32 [1, 2] = 0.5 10
    const flat float32 [1, 2, 1] random
    const table float32 [4, 2] random
    a = Conv(x, w1, b1)
    n = BatchNormalization(a, scale, shift, shift, scale)
    g = GlobalAveragePool(n)
    f = Flatten(g)
    y = Gemm(f, w2) {transB=1}
    z = Add(y, flat)
    output z)";

std::vector<float> elements(const Tensor& tensor) {
  return {tensor.as<float>().begin(), tensor.as<float>().end()};
}

// The mask of `w`, the weight of a single layer.
std::vector<float> mask_of(const std::vector<float>& weights, double sparsity) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 1]
      const w float32 [1, 1] zeros
      y = MatMul(x, w)
      output y)");
  Tensor& tensor = *graph.value(*find_value(graph, "w")).constant;
  tensor = Tensor::of<float>({1, static_cast<int64_t>(weights.size())}, weights);
  return elements(magnitude_masks(graph, {.sparsity = sparsity}).at("w"));
}

int64_t zeros_in(const Tensor& mask) { return std::ranges::count(mask.as<float>(), 0.0f); }

std::string message_of(ErrorKind kind, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "(no error)";
}

TEST(MagnitudeMasks, are_for_the_weights_of_layers_and_nothing_else) {
  const Masks masks = magnitude_masks(parse_text_graph(kNet), {.sparsity = 0.5});
  ASSERT_EQ(masks.size(), 2u);
  EXPECT_EQ(masks.at("w1").shape(), (Shape{2, 2, 1, 1}));
  EXPECT_EQ(elements(masks.at("w1")), (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(elements(masks.at("w2")), (std::vector<float>{0, 1}));
}

TEST(MagnitudeMasks, a_weight_behind_a_transpose_that_two_layers_read_has_one) {
  const Masks masks = magnitude_masks(parse_text_graph(R"(
      input x float32 [N, 2]
      const w float32 [2, 2] = 4 3 2 1
      t = Transpose(w) {perm=[1, 0]}
      a = MatMul(x, t)
      b = MatMul(a, w)
      output b)"),
                                      {.sparsity = 0.25});
  ASSERT_EQ(masks.size(), 1u);
  EXPECT_EQ(elements(masks.at("w")), (std::vector<float>{1, 1, 1, 0}));
}

TEST(MagnitudeMasks, ties_go_by_index) {
  EXPECT_EQ(mask_of({1, -1, 1, -1}, 0.5), (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(mask_of({2, 1, 2, 1, 2}, 0.6), (std::vector<float>{0, 0, 1, 0, 1}));
}

TEST(MagnitudeMasks, what_is_zero_already_stays_masked_where_less_is_asked_for) {
  EXPECT_EQ(mask_of({0, -0.0f, 0, 0, 5}, 0.4), (std::vector<float>{0, 0, 0, 0, 1}));
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 2]
      const sparse float32 [2, 4] = 0 0 0 0 0 0 1 2
      const dense float32 [4, 2] = 1 2 3 4 5 6 7 8
      h = MatMul(x, sparse)
      y = MatMul(h, dense)
      output y)");
  const Masks each = magnitude_masks(graph, {.sparsity = 0.5});
  EXPECT_EQ(elements(each.at("sparse")), (std::vector<float>{0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(zeros_in(each.at("dense")), 4);
  const Masks all = magnitude_masks(graph, {.sparsity = 0.25, .scope = Scope::global});
  EXPECT_EQ(elements(all.at("sparse")), (std::vector<float>{0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(zeros_in(all.at("dense")), 0);
}

TEST(MagnitudeMasks, layers_that_are_decided_keep_their_zeros_and_count_in_a_global_rank) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 2]
      const done float32 [2, 4] = 0 0 0 0.1 0.1 0.1 1 2
      const open float32 [4, 2] = 1 2 3 4 5 6 7 8
      h = MatMul(x, done)
      y = MatMul(h, open)
      output y)");
  const Masks all =
      magnitude_masks(graph, {.sparsity = 0.5, .scope = Scope::global, .decided = {"done"}});
  EXPECT_EQ(elements(all.at("done")), (std::vector<float>{0, 0, 0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(zeros_in(all.at("open")), 5);
  EXPECT_EQ(zeros_in(magnitude_masks(graph, {.sparsity = 0.5, .decided = {"done"}}).at("open")), 4);
}

TEST(MagnitudeMasks, a_sparsity_below_what_is_there_is_refused_with_both_shares) {
  Graph graph = build_zoo_model("lenet5", 1);
  for (const Scope scope : {Scope::layer, Scope::global}) {
    const MagnitudeOptions asked{.sparsity = 0.8, .scope = scope};
    Graph sparse = graph;
    apply_masks(sparse, magnitude_masks(graph, asked));
    for (const Scope again : {Scope::layer, Scope::global}) {
      EXPECT_NO_THROW(require_denser_than_asked(sparse, {.sparsity = 0.8, .scope = again}));
    }
    const std::string message = message_of(ErrorKind::target, [&] {
      require_denser_than_asked(sparse, {.sparsity = 0.5, .scope = scope});
    });
    EXPECT_NE(message.find("0.8 already"), std::string::npos) << message;
    EXPECT_NE(message.find("0.5 would"), std::string::npos) << message;
  }
}

TEST(MagnitudeMasks, counts_are_exact_at_every_sparsity) {
  Random random(3);
  std::vector<float> weights(1000);
  random.fill_normal(weights, 1);
  for (int i = 0; i < 300; ++i) weights[random.below(1000)] = 0.25f;
  for (int percent = 0; percent < 100; ++percent) {
    const auto mask = mask_of(weights, percent / 100.0);
    ASSERT_EQ(std::ranges::count(mask, 0.0f), percent * 10);
    float largest_gone = 0, smallest_kept = INFINITY;
    for (size_t i = 0; i < mask.size(); ++i) {
      if (mask[i] == 0) largest_gone = std::max(largest_gone, std::fabs(weights[i]));
      if (mask[i] == 1) smallest_kept = std::min(smallest_kept, std::fabs(weights[i]));
    }
    ASSERT_LE(largest_gone, smallest_kept) << percent;
  }
}

TEST(MagnitudeMasks, permuted_weights_have_the_permuted_mask) {
  Random random(4);
  std::vector<float> weights(257), permuted(257);
  random.fill_normal(weights, 1);
  const std::vector<int64_t> order = random.permutation(257);
  for (size_t i = 0; i < order.size(); ++i) permuted[i] = weights[order[i]];
  const auto mask = mask_of(weights, 0.7), other = mask_of(permuted, 0.7);
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(other[i], mask[order[i]]) << i;
}

TEST(MagnitudeMasks, layer_scope_takes_the_same_share_of_each_and_global_scope_one_rank) {
  const Graph graph = build_zoo_model("lenet5", 1);
  const Masks each = magnitude_masks(graph, {.sparsity = 0.9});
  const Masks over_all = magnitude_masks(graph, {.sparsity = 0.9, .scope = Scope::global});
  int64_t all = 0, zeros = 0;
  for (const auto& [name, mask] : each) {
    EXPECT_EQ(zeros_in(mask), std::floor(static_cast<double>(mask.size()) * 0.9 + 1e-9)) << name;
    all += mask.size();
    zeros += zeros_in(over_all.at(name));
  }
  EXPECT_EQ(zeros, std::floor(static_cast<double>(all) * 0.9 + 1e-9));
  EXPECT_NE(each, over_all);
}

TEST(MagnitudeMasks, global_scope_leaves_every_layer_its_largest_weight) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 2]
      const small float32 [2, 2] = 0.1 0.4 0.2 0.3
      const large float32 [2, 2] = 1 2 3 4
      a = MatMul(x, small)
      b = MatMul(a, large)
      output b)");
  const Masks half = magnitude_masks(graph, {.sparsity = 0.5, .scope = Scope::global});
  EXPECT_EQ(elements(half.at("small")), (std::vector<float>{0, 1, 0, 0}));
  EXPECT_EQ(elements(half.at("large")), (std::vector<float>{0, 1, 1, 1}));
  EXPECT_NE(message_of(ErrorKind::target,
                       [&] { magnitude_masks(graph, {.sparsity = 0.9, .scope = Scope::global}); })
                .find("7 of 8 weights zero, expected at most 6"),
            std::string::npos);
}

TEST(MagnitudeMasks, layers_to_keep_have_none) {
  const Graph graph = parse_text_graph(kNet);
  const Masks masks = magnitude_masks(graph, {.sparsity = 0.5, .keep = {"w1"}});
  EXPECT_FALSE(masks.contains("w1"));
  EXPECT_TRUE(masks.contains("w2"));
  EXPECT_NE(message_of(ErrorKind::usage,
                       [&] { magnitude_masks(graph, {.sparsity = 0.5, .keep = {"head"}}); })
                .find("'head' matches no layer"),
            std::string::npos);
  EXPECT_NE(message_of(ErrorKind::target,
                       [&] { magnitude_masks(graph, {.sparsity = 0.5, .keep = {"w."}}); })
                .find("all 2 layers with weights are left alone"),
            std::string::npos);
}

TEST(MagnitudeMasks, a_model_without_weights_has_nothing_to_mask) {
  const Graph graph = parse_text_graph("input x float32 [N, 2]\ny = Relu(x)\noutput y");
  EXPECT_NE(message_of(ErrorKind::target, [&] { magnitude_masks(graph, {.sparsity = 0.5}); })
                .find("nothing to mask"),
            std::string::npos);
  EXPECT_EQ(count_weights(graph), WeightCount{});
}

TEST(MagnitudeMasks, a_layer_may_have_a_share_of_its_own) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 2]
      const a float32 [2, 4] = 1 2 3 4 5 6 7 8
      const b float32 [4, 2] = 1 2 3 4 5 6 7 8
      h = MatMul(x, a)
      y = MatMul(h, b)
      output y)");
  const Masks masks = magnitude_masks(graph, {.sparsity = 0.25, .layers = {{"b", 0.75}}});
  EXPECT_EQ(std::ranges::count(masks.at("a").as<float>(), 0.0f), 2);
  EXPECT_EQ(std::ranges::count(masks.at("b").as<float>(), 0.0f), 6);
}

TEST(SparsityOfQuality, counts_what_lies_below_deviations_of_the_survivors) {
  // Survivors -3, -1, 1, 3: mean 0, deviation sqrt(5).
  const Tensor weight = Tensor::of<float>({6}, std::vector<float>{0, -3, -1, 0, 1, 3});
  EXPECT_DOUBLE_EQ(sparsity_of_quality(weight, 0.4), 2.0 / 6);  // 0.894: the zeros alone
  EXPECT_DOUBLE_EQ(sparsity_of_quality(weight, 0.5), 4.0 / 6);  // 1.118
  EXPECT_DOUBLE_EQ(sparsity_of_quality(weight, 2), 1.0);
  EXPECT_DOUBLE_EQ(sparsity_of_quality(Tensor::zeros(DType::f32, {3}), 1), 0);
}

TEST(ApplyMasks, zeroes_with_a_positive_sign_and_leaves_the_original_alone) {
  const Graph graph = parse_text_graph(kNet);
  Graph masked = graph;
  apply_masks(masked, magnitude_masks(graph, {.sparsity = 0.5}));
  const std::vector<float> w1 = elements(*masked.value(*find_value(masked, "w1")).constant);
  EXPECT_EQ(w1, (std::vector<float>{0, 0, 3, -4}));
  EXPECT_FALSE(std::signbit(w1[1]));
  EXPECT_EQ(count_weights(graph), (WeightCount{.all = 6, .nonzero = 6}));
  EXPECT_EQ(count_weights(masked), (WeightCount{.all = 6, .nonzero = 3}));
}

TEST(ApplyMasks, masks_of_another_model_are_refused_with_the_tensors_name) {
  Graph graph = parse_text_graph(kNet);
  const Tensor mask = Tensor::zeros(DType::f32, {3, 2});
  EXPECT_NE(message_of(ErrorKind::input,
                       [&] {
                         apply_masks(graph, {{"gone", mask}});
                       })
                .find("mask of tensor 'gone': the model has no such tensor"),
            std::string::npos);
  EXPECT_NE(message_of(ErrorKind::input,
                       [&] {
                         apply_masks(graph, {{"w2", mask}});
                       })
                .find("mask of tensor 'w2': the mask is for float32 of shape 3x2, the model's "
                      "tensor is float32 of shape 1x2"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
