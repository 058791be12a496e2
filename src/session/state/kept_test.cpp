// What is taken for sparse and for shared, and that it survives whatever a session does.
#include "session/state/kept.h"

#include <gtest/gtest.h>

#include <set>

#include "core/random.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Tensor weights_of(int64_t count, int64_t zeros, const std::function<float(int64_t)>& value) {
  Tensor tensor = Tensor::zeros(DType::f32, {1, count});
  for (int64_t i = zeros; i < count; ++i) tensor.mutate<float>()[i] = value(i);
  return tensor;
}

Tensor normal(int64_t count, int64_t zeros) {
  Random random(7);
  return weights_of(count, zeros, [&](int64_t) { return static_cast<float>(random.normal()); });
}

Graph net_of(const Tensor& a, const Tensor& b) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 1]
      const a float32 [1, 1] zeros
      const b float32 [1, 1] zeros
      g = MatMul(x, a)
      h = MatMul(x, b)
      output g
      output h)");
  graph.value(*find_value(graph, "a")).constant = a;
  graph.value(*find_value(graph, "b")).constant = b;
  return graph;
}

std::set<std::string> names_of(const Masks& masks) {
  std::set<std::string> names;
  for (const auto& [name, mask] : masks) names.insert(name);
  return names;
}

using Names = std::set<std::string>;

TEST(Kept, zeros_of_a_model_are_kept_above_a_tenth_and_else_those_of_sparse_layers) {
  const auto kept = [](const Tensor& a, const Tensor& b) {
    return names_of(kept_of(net_of(a, b)).zeros);
  };
  EXPECT_EQ(kept(normal(1000, 100), normal(1000, 100)), Names{}) << "a tenth isn't more";
  EXPECT_EQ(kept(normal(1000, 201), normal(1000, 0)), Names{"a"});
  EXPECT_EQ(kept(normal(1000, 150), normal(1000, 60)), (Names{"a", "b"}));
  EXPECT_EQ(kept(normal(9000, 0), normal(256, 200)), Names{"b"}) << "sparse by itself";
  EXPECT_EQ(kept(normal(9000, 0), normal(200, 100)), Names{}) << "too small to say";
}

TEST(Kept, values_are_shared_where_few_stand_for_many_weights) {
  const auto codebook = [](int64_t count, int64_t zeros, int64_t values) {
    return shared_values(
        weights_of(count, zeros, [&](int64_t i) { return 0.1f + static_cast<float>(i % values); }));
  };
  EXPECT_EQ(codebook(1000, 500, 31), 31);
  EXPECT_EQ(codebook(1000, 0, 256), 256);
  EXPECT_EQ(codebook(1000, 0, 257), std::nullopt);
  EXPECT_EQ(codebook(64, 0, 42), 42);
  EXPECT_EQ(codebook(64, 0, 43), std::nullopt) << "more than two thirds";
  EXPECT_EQ(codebook(16, 1, 2), std::nullopt) << "too few weights";
  EXPECT_EQ(codebook(100, 0, 1), 1);
}

TEST(Kept, trained_weights_share_nothing_also_where_they_were_rounded_to_half_precision) {
  EXPECT_EQ(shared_values(normal(100000, 0)), std::nullopt);
  for (const int64_t count : {64, 300, 1000, 100000}) {
    Tensor rounded = normal(count, 0);
    for (float& w : rounded.mutate<float>()) {  // 11 bits of mantissa
      w = std::bit_cast<float>(std::bit_cast<uint32_t>(w) & ~0x1fffu);
    }
    EXPECT_EQ(shared_values(rounded), std::nullopt) << count;
  }
}

TEST(Kept, a_layer_of_shared_values_keeps_its_few_zeros) {
  const Tensor codebook =
      weights_of(1000, 10, [](int64_t i) { return 1 + static_cast<float>(i % 3); });
  const Kept kept = kept_of(net_of(codebook, normal(1000, 0)));
  EXPECT_EQ(names_of(kept.zeros), Names{"a"});
  EXPECT_EQ(kept.values, (std::map<std::string, int64_t>{{"a", 3}}));
}

TEST(Kept, zeros_are_cut_with_the_model) {
  const Tensor sparse = weights_of(1000, 400, [](int64_t i) { return static_cast<float>(i); });
  Plan plan;
  plan.slices = {{.tensor = "a", .axis = 1, .size = 1000, .keep = {3, 399, 400, 999}}};
  const Kept kept = kept_of(net_of(sparse, normal(10, 0)));
  const Tensor mask = zeros_after(kept, plan).at("a");
  EXPECT_EQ(mask, Tensor::of<float>({1, 4}, std::vector<float>{0, 0, 1, 1}));
}

TEST(Kept, restoring_zeroes_again_and_shares_as_many_values_as_before) {
  const Tensor codebook = weights_of(900, 300, [](int64_t i) { return i % 2 ? 1.0f : -1.0f; });
  const Kept kept = kept_of(net_of(codebook, normal(1000, 500)));
  Graph dense = net_of(normal(900, 0), normal(1000, 0));
  restore(dense, kept, {});
  const Tensor& a = fake::tensor(dense, "a");
  EXPECT_EQ(std::ranges::count(a.as<float>(), 0.0f), 300);
  EXPECT_EQ(count_values(a, 100), 2);
  EXPECT_EQ(std::ranges::count(fake::tensor(dense, "b").as<float>(), 0.0f), 500);
  const Graph before = dense;
  restore(dense, kept, {});
  EXPECT_EQ(fake::bytes_of(before), fake::bytes_of(dense)) << "what is kept isn't touched";
}

}  // namespace
}  // namespace coppice
