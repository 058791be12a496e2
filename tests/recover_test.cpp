// What --recover changes in a graph: exact where the model says all there is to know, nothing where
// it says nothing, and the cut still computes what the masked graph does.

#include <gtest/gtest.h>

#include "prune/compensate/compensation.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

const CompensationOptions kAll{.bias = true, .merge = true, .scale = true};

struct Net {
  Graph graph;
  Groups groups;
  Removal removal;
  Compensated recovered;

  explicit Net(const std::string& text)
      : graph(parse_text_graph(text)), groups(find_groups(graph)), removal(groups.unit_count, 0) {}
  void remove(int64_t index) { removal[index] = 1; }
  void compensate(const CompensationOptions& options) {
    recovered = coppice::compensate(graph, groups, removal, options);
  }
  Tensor& tensor(const std::string& name) {
    return *graph.value(*find_value(graph, name)).constant;
  }
  Tensor run(const std::vector<Tensor>& inputs) const { return run_reference(graph, inputs)[0]; }
};

// Two filters of which the second is three times the first, before and behind BatchNormalization;
// then two of their own.
constexpr char kTwins[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [4, 2, 3, 3] random
  const scale float32 [4] = 0.5 1.5 0.7 -0.9
  const shift float32 [4] = 0.2 0.6 0.1 0.3
  const mean float32 [4] = 0.1 0.3 0 0.2
  const variance float32 [4] = 1 9 1.2 0.8
  const v float32 [3, 4, 3, 3] random
  const v_scale float32 [3] positive
  const v_shift float32 [3] random
  const v_mean float32 [3] random
  const v_variance float32 [3] positive
  c = Conv(x, w)
  n = BatchNormalization(c, scale, shift, mean, variance) {epsilon=0.0}
  r = Relu(n)
  d = Conv(r, v)
  y = BatchNormalization(d, v_scale, v_shift, v_mean, v_variance)
  output y
)";

Net twins() {
  Net net(kTwins);
  const auto filter = net.tensor("w").mutate<float>();
  for (int64_t i = 0; i < 18; ++i) filter[18 + i] = 3 * filter[i];
  return net;
}

TEST(Recover, a_normalisation_that_isnt_by_channel_at_inference_says_nothing) {
  for (const char* attribute : {"training_mode", "is_test", "spatial"}) {
    Net net = twins();
    net.graph.nodes[1].attributes.set(attribute,
                                      int64_t{std::string(attribute) == "training_mode"});
    net.remove(0);
    net.compensate(kAll);
    EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .unknown = 1})) << attribute;
  }
}

TEST(Recover, a_channel_that_repeats_another_is_merged_exactly) {
  for (const CompensationOptions& options : {CompensationOptions{.merge = true}, kAll}) {
    Net net = twins();
    Random random(1);
    const std::vector<Tensor> inputs = random_inputs(net.graph, 2, random);
    const Tensor original = net.run(inputs);
    net.remove(0);
    net.compensate(options);
    remove_units(net.graph, net.groups, net.removal);
    EXPECT_LT(difference(original, net.run(inputs)), 1e-5);
    EXPECT_EQ(net.tensor("v").shape(), (Shape{3, 3, 3, 3}));
  }
}

TEST(Recover, behind_a_layer_with_batch_normalization_the_running_mean_takes_it) {
  Net net = twins();
  const Tensor weight = net.tensor("v"), mean = net.tensor("v_mean"),
               variance = net.tensor("v_variance");
  net.remove(2);
  net.compensate({.bias = true});
  EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .bias = 1}));
  EXPECT_EQ(net.tensor("v"), weight);
  EXPECT_EQ(net.tensor("v_variance"), variance);
  EXPECT_FALSE(net.tensor("v_mean") == mean);
  EXPECT_EQ(net.graph.nodes[3].inputs.size(), 2u);
}

TEST(Recover, the_running_variance_shrinks_by_what_is_lost) {
  Net net = twins();
  const Tensor before = net.tensor("v_variance");
  net.remove(1);
  net.compensate({.scale = true});
  EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .scale = 1}));
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_LT(net.tensor("v_variance").as<float>()[i], before.as<float>()[i]);
  }
}

// The second channel is constant: its filter is zero.
constexpr char kConstant[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] = 0.2 0.9 -0.1
  const mean float32 [3] = 0.1 -0.3 0
  const variance float32 [3] = 1 2 1.2
  const v float32 [3, 3, 3, 3] random
  c = Conv(x, w)
  n = BatchNormalization(c, scale, shift, mean, variance)
  r = LeakyRelu(n)
  y = Conv(r, v) {pads=[0, 0, 0, 0]}
  output y
)";

TEST(Recover, a_channel_that_is_constant_is_folded_into_a_bias_exactly) {
  Net net(kConstant);
  for (float& element : net.tensor("w").mutate<float>().subspan(18, 18)) element = 0;
  Random random(1);
  const std::vector<Tensor> inputs = random_inputs(net.graph, 2, random);
  const Tensor original = net.run(inputs);
  net.remove(1);
  net.compensate({.bias = true});
  EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .bias = 1}));
  expect_cut_equals_mask(net.graph, net.groups, net.removal, random);
  remove_units(net.graph, net.groups, net.removal);
  EXPECT_LT(difference(original, net.run(inputs)), 1e-5);
}

// The third layer loses inputs, and so would lose its new bias's last number with its own filter.
TEST(Recover, a_new_bias_is_cut_with_the_filters_it_belongs_to) {
  Net net(R"(
    input x float32 [N, 2]
    const w float32 [3, 2] random
    const scale float32 [3] positive
    const shift float32 [3] random
    const mean float32 [3] random
    const variance float32 [3] positive
    const v float32 [4, 3] random
    const u float32 [2, 4] random
    c = Gemm(x, w) {transB=1}
    n = BatchNormalization(c, scale, shift, mean, variance)
    r = Tanh(n)
    h = Gemm(r, v) {transB=1, alpha=0.5}
    s = Relu(h)
    y = Gemm(s, u) {transB=1}
    output y)");
  ASSERT_EQ(net.groups.unit_count, 7);
  net.remove(1);
  net.remove(6);
  net.compensate(kAll);
  EXPECT_EQ(net.recovered, (Compensated{.layers = 2, .bias = 2, .merge = 2}));
  Random random(1);
  const Graph cut = expect_cut_equals_mask(net.graph, net.groups, net.removal, random);
  const Node& layer = cut.nodes[3];
  ASSERT_EQ(layer.inputs.size(), 3u);
  EXPECT_EQ(cut.value(layer.inputs[2]).constant->shape(), (Shape{3}));
}

TEST(Recover, without_normalization_nothing_is_known_and_nothing_changes) {
  Net net(R"(
    input x float32 [N, 2, 6, 6]
    const w float32 [3, 2, 3, 3] random
    const v float32 [2, 3, 3, 3] random
    c = Conv(x, w)
    r = Relu(c)
    y = Conv(r, v)
    output y)");
  net.remove(0);
  const Tensor first = net.tensor("w"), second = net.tensor("v");
  net.compensate(kAll);
  EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .unknown = 1}));
  EXPECT_EQ(net.tensor("w"), first);
  EXPECT_EQ(net.tensor("v"), second);
  EXPECT_EQ(net.graph.nodes[2].inputs.size(), 2u);
}

TEST(Recover, weights_that_two_layers_read_are_left_alone) {
  Net net(R"(
    input x float32 [N, 2, 6, 6]
    const w float32 [3, 2, 1, 1] random
    const scale float32 [3] positive
    const shift float32 [3] random
    const mean float32 [3] random
    const variance float32 [3] positive
    const v float32 [3, 3, 1, 1] random
    c = Conv(x, w)
    n = BatchNormalization(c, scale, shift, mean, variance)
    r = Relu(n)
    a = Conv(r, v)
    s = Sigmoid(n)
    b = Conv(s, v)
    y = Sub(a, b)
    output y)");
  const Tensor shared = net.tensor("v");
  net.remove(0);
  net.compensate(kAll);
  EXPECT_EQ(net.recovered, (Compensated{.layers = 2, .unknown = 2}));
  EXPECT_EQ(net.tensor("v"), shared);
}

TEST(Recover, behind_a_flatten_a_channel_leaves_with_all_its_positions) {
  Net net(R"(
    input x float32 [N, 2, 4, 4]
    const w float32 [3, 2, 3, 3] random
    const scale float32 [3] positive
    const shift float32 [3] = 0.3 0.5 -0.2
    const mean float32 [3] random
    const variance float32 [3] positive
    const v float32 [12, 5] random
    const b float32 [5] random
    c = Conv(x, w)
    n = BatchNormalization(c, scale, shift, mean, variance)
    r = Relu(n)
    f = Flatten(r)
    y = Gemm(f, v, b)
    output y)");
  for (float& element : net.tensor("w").mutate<float>().subspan(18, 18)) element = 0;
  Random random(1);
  const std::vector<Tensor> inputs = random_inputs(net.graph, 2, random);
  const Tensor original = net.run(inputs);
  net.remove(1);
  net.compensate(kAll);
  EXPECT_EQ(net.recovered, (Compensated{.layers = 1, .bias = 1, .merge = 1}));
  remove_units(net.graph, net.groups, net.removal);
  EXPECT_LT(difference(original, net.run(inputs)), 1e-5);
}

TEST(Recover, of_normal_inputs_the_mean_of_the_outputs_stays) {
  // A padded layer behind a residual sum; the input is as wide as the statistics say.
  Net net(R"(
    input x float32 [N, 3, 8, 8]
    const w float32 [3, 3, 1, 1] = 1 0 0 0 1 0 0 0 1
    const scale float32 [3] = 1.2 0.8 1
    const shift float32 [3] = 0.5 -0.4 0.2
    const mean float32 [3] = 0 0 0
    const variance float32 [3] = 1 1 1
    const u float32 [3, 3, 1, 1] = 0 1 0 0 0 1 1 0 0
    const v float32 [2, 3, 3, 3] random
    c = Conv(x, w)
    n = BatchNormalization(c, scale, shift, mean, variance)
    p = Conv(x, u)
    q = BatchNormalization(p, scale, shift, mean, variance)
    s = Add(n, q)
    r = Relu(s)
    y = Conv(r, v) {pads=[1, 1, 1, 1]}
    output y)");
  const auto mean_of = [](const Tensor& y, int64_t channel) {
    double sum = 0;
    for (int64_t i = 0; i < y.size(); ++i) {
      if (i / 64 % 2 == channel) sum += y.as<float>()[i];
    }
    return sum / static_cast<double>(y.size() / 2);
  };
  Random random(1);
  const std::vector<Tensor> inputs = random_inputs(net.graph, 2000, random);
  const Tensor original = net.run(inputs);
  net.remove(0);
  Net masked = net;
  mask_units(masked.graph, masked.groups, masked.removal);
  const Tensor plain = masked.run(inputs);
  net.compensate({.bias = true});
  mask_units(net.graph, net.groups, net.removal);
  const Tensor corrected = net.run(inputs);
  double before = 0, after = 0;
  for (const int64_t channel : {0, 1}) {
    before += std::fabs(mean_of(plain, channel) - mean_of(original, channel));
    after += std::fabs(mean_of(corrected, channel) - mean_of(original, channel));
  }
  EXPECT_GT(before, 0.1);
  EXPECT_LT(after, 0.01);
}

TEST(Recover, on_random_graphs_the_cut_still_equals_the_mask) {
  int64_t corrected = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    Groups groups = find_groups(graph);
    if (groups.unit_count == 0) continue;
    Random random(seed);
    const Removal removal = random_removal(groups, 0.4, random);
    Graph again = graph;
    Groups same = groups;
    const Compensated found = compensate(graph, groups, removal, kAll);
    EXPECT_EQ(compensate(again, same, removal, kAll), found);
    for (size_t i = 0; i < graph.values.size(); ++i) {
      ASSERT_EQ(graph.values[i].constant, again.values[i].constant);
    }
    corrected += found.bias;
    expect_cut_equals_mask(graph, groups, removal, random);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(corrected, 20);
}

}  // namespace
}  // namespace coppice
