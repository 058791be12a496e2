#include "session/reinitialise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "support/graphs/text_graph.h"
#include "training/parameters.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

const Tensor& tensor(const Graph& graph, const std::string& name) {
  return *graph.value(*find_value(graph, name)).constant;
}

double variance_of(const Tensor& weights) {
  double sum = 0;
  for (const float w : weights.as<float>()) sum += static_cast<double>(w) * w;
  return sum / static_cast<double>(weights.size());
}

bool is_all(const Tensor& tensor, float value) {
  return std::ranges::all_of(tensor.as<float>(), [&](float x) { return x == value; });
}

// Enough weights in each layer for variances to a few hundredths.
constexpr char kNet[] = R"(
    opset 13
    input x float32 [N, 8, 6, 6]
    const w1 float32 [96, 8, 3, 3] random
    const b1 float32 [96] random
    const vector float32 [96] random
    const slope float32 [96, 1, 1] random
    const w2 float32 [96, 40, 3, 3] random
    const w3 float32 [40, 300] random
    const w4 float32 [200, 300] random
    const w5 float32 [20, 200, 30] random
    const b5 float32 [30] random
    a = Conv(x, w1, b1)
    n = BatchNormalization(a, vector, vector, vector, vector)
    p = PRelu(n, slope)
    t = ConvTranspose(p, w2)
    g = GlobalAveragePool(t)
    f = Flatten(g)
    h = MatMul(f, w3)
    r = Transpose(w4)
    i = MatMul(h, r)
    y = MatMul(i, w5)
    z = Add(y, b5)
    output z)";

TEST(Reinitialise, every_layer_is_drawn_by_its_fans_whichever_way_its_weights_lie) {
  Graph graph = parse_text_graph(kNet);
  reinitialise(graph, {.by = Initialisation{.conv = he_fan_out, .linear = he_fan_in}});
  const std::map<std::string, double> fans = {
      {"w1", 96 * 9}, {"w2", 40 * 9}, {"w3", 40}, {"w4", 300}, {"w5", 200}};
  for (const auto& [name, fan] : fans) {
    EXPECT_NEAR(variance_of(tensor(graph, name)) * fan / 2, 1, 0.08) << name;
  }
  graph = parse_text_graph(kNet);
  reinitialise(graph, {.by = Initialisation{.conv = he_fan_in, .linear = he_fan_out}});
  const std::map<std::string, double> others = {
      {"w1", 8 * 9}, {"w2", 96 * 9}, {"w3", 300}, {"w4", 200}, {"w5", 30}};
  for (const auto& [name, fan] : others) {
    EXPECT_NEAR(variance_of(tensor(graph, name)) * fan / 2, 1, 0.08) << name;
  }
}

TEST(Reinitialise, biases_scales_and_statistics_are_as_before_any_training) {
  Graph graph = parse_text_graph(kNet);
  reinitialise(graph, {.by = Initialisation{.norm_scale = 0.5f}});
  for (const char* name : {"b1", "b5"}) EXPECT_TRUE(is_all(tensor(graph, name), 0)) << name;
  EXPECT_TRUE(is_all(tensor(graph, "slope"), 0.25f));
  for (const Node& node : graph.nodes) {
    if (node.op_type != "BatchNormalization") continue;
    const float expected[] = {0.5f, 0, 0, 1};
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(is_all(*graph.value(node.inputs[i + 1]).constant, expected[i])) << i;
    }
  }
}

TEST(Reinitialise, the_seed_decides_alone) {
  const auto drawn = [](uint64_t seed) {
    Graph graph = parse_text_graph(kNet);
    reinitialise(graph, {.seed = seed});
    return tensor(graph, "w3");
  };
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
}

TEST(Reinitialise, a_mask_lets_its_layer_be_drawn_by_the_fans_that_are_left) {
  Graph dense = parse_text_graph(kNet), sparse = dense;
  Tensor mask = Tensor::zeros(DType::f32, {96, 8, 3, 3});
  for (int64_t i = 0; i < mask.size() / 4; ++i) mask.mutate<float>()[i] = 1;
  reinitialise(dense, {.seed = 3});
  reinitialise(sparse, {.seed = 3, .masks = {{"w1", mask}}});
  EXPECT_EQ(tensor(sparse, "w3"), tensor(dense, "w3"));
  const auto all = tensor(dense, "w1").as<float>(), left = tensor(sparse, "w1").as<float>();
  for (size_t i = 0; i < all.size(); ++i) ASSERT_NEAR(left[i], 2 * all[i], 1e-6);
}

TEST(Reinitialise, a_net_of_the_zoo_is_drawn_by_its_own_rule) {
  // Linear layers of N(0, 0.01), convolutions by their fan-out, scales of 0.5.
  Graph graph = build_zoo_model("vgg11-bn-half", 1), own = graph;
  reinitialise(graph, {.seed = 5});
  int64_t drawn = 0;
  for (const Parameter& parameter : trained_parameters(graph)) {
    const Tensor& before = *own.value(parameter.id).constant;
    const Tensor& after = *graph.value(parameter.id).constant;
    if (parameter.kind != Parameter::Kind::weight) {
      EXPECT_EQ(after, before) << graph.value(parameter.id).name;
      continue;
    }
    ++drawn;
    EXPECT_NE(after, before);
    EXPECT_NEAR(variance_of(after) / variance_of(before), 1, 0.4) << graph.value(parameter.id).name;
  }
  EXPECT_EQ(drawn, 9);
}

TEST(Reinitialise, a_weight_that_no_rule_is_for_is_refused_by_name) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 2, 3]
      const v float32 [7, 3] random
      y = Einsum(x, v) {equation="bij,kj->bik"}
      output y)");
  try {
    reinitialise(graph, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(std::string(error.what()),
              "node 'y' (Einsum): 'v' can't be drawn anew: no initialisation is known for such "
              "weights");
  }
}

}  // namespace
}  // namespace coppice
