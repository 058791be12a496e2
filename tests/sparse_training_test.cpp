// Pruning at the start with the trainer that has gradients: scores are what their papers say, and
// flows through a net are conserved.
#include <gtest/gtest.h>

#include <numeric>

#include "libtorch/trainer/trainer.h"
#include "methods/sparse_training/at_start/grasp.h"
#include "methods/sparse_training/at_start/snip.h"
#include "methods/sparse_training/at_start/synflow.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// 4x4 images of three classes, or 28x28 of ten, under LibTorch.
struct Net {
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Trainer> trainer = train::make_trainer({.device = "cpu", .threads = 1});
  Observer observer;
  Session session;

  explicit Net(const Graph& graph, std::unique_ptr<Dataset> images = fake::images())
      : dataset(std::move(images)),
        session(graph, {dataset.get(), {}, {.held_out = 0.25}}, *trainer, observer, {}) {}
};

std::unique_ptr<Dataset> digits() {
  constexpr int64_t kCount = 60, kPixels = 784;
  const auto bytes = std::make_shared<std::vector<std::byte>>(kCount * kPixels);
  for (size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = std::byte((i * i * 7 + i / 784) % 251);
  MemoryImages all;
  all.name = "digits";
  all.classes = 10;
  all.shape = {1, 28, 28};
  for (int64_t i = 0; i < kCount; ++i) all.labels.push_back(i % 10);
  all.parts.push_back({bytes, std::span(*bytes), kPixels, kCount});
  return make_memory_dataset(std::move(all));
}

AtStartOptions sparsity(double share) {
  return {.pruning = {.sparsity = share, .scope = MagnitudeOptions::Scope::global}, .images = 24};
}

Recipe recipe() { return fake::recipe(1); }

// A net without normalisation, whose loss is the same in training and evaluation.
constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const scale float32 [] = 0.01
    const w1 float32 [4, 1, 3, 3] random
    const b1 float32 [4] random
    const w2 float32 [3, 16] random
    s = Mul(x, scale)
    a = Conv(s, w1, b1)
    t = Tanh(a)
    f = Flatten(t)
    y = Gemm(f, w2) {transB=1}
    output y)";

// Of the batches that SNIP looks at.
Evidence gradients(Net& net, const Graph& graph) {
  const Collection how = looking_at(net.session, sparsity(0.5), recipe());
  const std::vector<EvidenceRequest> requests{{"w1", Reduction::weight_gradients},
                                              {"w2", Reduction::weight_gradients}};
  return net.session.collect(graph, requests, how);
}

Masks largest(const std::map<std::string, std::vector<double>>& scores, const Graph& graph) {
  std::vector<ScoredLayer> layers;
  for (const char* name : {"w1", "w2"}) {
    layers.push_back({name, fake::tensor(graph, name).shape(), scores.at(name)});
  }
  return masks_by_score(layers, 0.5, MagnitudeOptions::Scope::global).masks;
}

TEST(Snip, keeps_the_largest_products_of_weight_and_gradient) {
  const Graph graph = parse_text_graph(kNet);
  Net net(graph);
  const Evidence evidence = gradients(net, graph);
  std::map<std::string, std::vector<double>> scores;
  for (const auto& [request, gradient] : evidence.answers()) {
    for (int64_t i = 0; i < gradient.size(); ++i) {
      scores[request.value].push_back(std::fabs(double{gradient.as<float>()[i]} *
                                                fake::tensor(graph, request.value).as<float>()[i]));
    }
  }
  const ScoredMasks found = snip_masks(net.session, sparsity(0.5), recipe());
  EXPECT_EQ(found.masks, largest(scores, graph));
  EXPECT_TRUE(found.spared.empty());
}

TEST(Grasp, keeps_what_finite_differences_say) {
  const Graph graph = parse_text_graph(kNet);
  Net net(graph);
  AtStartOptions options = sparsity(0.5);
  Recipe one_batch = recipe();
  one_batch.batch = 24;
  Collection how = looking_at(net.session, options, one_batch);
  ASSERT_EQ(how.batches, 1);
  how.loss.label_temperature = 200;
  how.numbers = CollectOptions::Numbers::f64;
  const std::vector<EvidenceRequest> requests{{"w1", Reduction::weight_gradients},
                                              {"w2", Reduction::weight_gradients}};
  const Evidence here = net.session.collect(graph, requests, how);
  constexpr double kStep = 1;  // gradients are 200 times smaller
  Evidence moved[2];
  for (const int side : {0, 1}) {
    Graph along = graph;
    for (const EvidenceRequest& request : requests) {
      const auto weight = along.value(*find_value(along, request.value)).constant->mutate<float>();
      for (size_t i = 0; i < weight.size(); ++i) {
        weight[i] += static_cast<float>((side == 0 ? -kStep : kStep) * here.numbers(request)[i]);
      }
    }
    moved[side] = net.session.collect(along, requests, how);
  }
  std::map<std::string, std::vector<double>> scores;
  for (const EvidenceRequest& request : requests) {
    for (int64_t i = 0; i < here.at(request).size(); ++i) {
      const double change = moved[1].numbers(request)[i] - moved[0].numbers(request)[i];
      scores[request.value].push_back(change / (2 * kStep) *
                                      fake::tensor(graph, request.value).as<float>()[i]);
    }
  }
  const auto found = [&](CollectOptions::Numbers numbers) {
    how.numbers = numbers;
    return weights_times(Reduction::weight_hessian_gradients, net.session, graph, options.pruning,
                         how);
  };
  for (const ScoredLayer& layer : found(CollectOptions::Numbers::f64)) {
    double size = 0;
    for (const double x : scores.at(layer.name)) size = std::max(size, std::fabs(x));
    for (size_t i = 0; i < layer.scores.size(); ++i) {
      EXPECT_NEAR(layer.scores[i], scores.at(layer.name)[i], 0.01 * size) << layer.name << i;
    }
  }
  const Masks masks = grasp_masks(net.session, options, one_batch).masks;
  EXPECT_EQ(masks, masks_by_score(found(CollectOptions::Numbers::f32), 0.5,
                                  MagnitudeOptions::Scope::global)
                       .masks);
}

// Without biases: LeNet-300-100's, a fresh net's, are zero.
TEST(Synflow, flows_equally_through_every_layer_of_a_net_without_biases) {
  for (const char* name : {"lenet300-100", "lenet5"}) {
    const Graph graph = build_zoo_model(name, 3);
    Net net(graph, digits());
    const FlowGraph flow = flow_graph(net.session);
    const auto scores = flow_scores(net.session, flow, {}, {});
    std::vector<double> sums;
    for (const ScoredLayer& layer : scores) {
      sums.push_back(std::accumulate(layer.scores.begin(), layer.scores.end(), 0.0));
    }
    ASSERT_GE(sums.size(), 3u);
    for (const double sum : sums) EXPECT_NEAR(sum / sums[0], 1, 1e-9) << name;
  }
}

TEST(Synflow, sees_neither_images_nor_labels_and_leaves_the_model_as_it_is) {
  const Graph graph = build_zoo_model("lenet300-100", 3);
  Net digits_net(graph, digits());
  auto others = std::make_shared<std::vector<std::byte>>(40 * 784, std::byte(9));
  MemoryImages same;
  same.name = "same";
  same.classes = 10;
  same.shape = {1, 28, 28};
  for (int64_t i = 0; i < 40; ++i) same.labels.push_back(i < 30 ? 3 : 4);
  same.parts.push_back({others, std::span(*others), 784, 40});
  Net other_net(graph, make_memory_dataset(std::move(same)));
  const auto masks = [](Net& net) { return synflow_masks(net.session, sparsity(0.9), 5).masks; };
  EXPECT_EQ(masks(digits_net), masks(other_net));
  EXPECT_TRUE(fake::bytes_of(digits_net.session.graph()) == fake::bytes_of(graph));
}

TEST(Synflow, empties_no_layer_at_a_thousandth_where_others_do) {
  const Graph graph = build_zoo_model("lenet5", 1);
  Net net(graph, digits());
  const ScoredMasks found = synflow_masks(net.session, sparsity(0.999), 100);
  EXPECT_TRUE(found.spared.empty());
  int64_t kept = 0;
  for (const auto& [name, mask] : found.masks) {
    const auto ones = std::ranges::count(mask.as<float>(), 1.0f);
    EXPECT_GT(ones, 1) << name;
    kept += ones;
  }
  EXPECT_EQ(kept, 431);  // of 430,500
  const ScoredMasks once = synflow_masks(net.session, sparsity(0.999), 1);
  const ScoredMasks snip = snip_masks(net.session, sparsity(0.999), recipe());
  EXPECT_GT(once.spared.size() + snip.spared.size(), 0u) << "the rounds are what it takes";
}

// Units in another order have the same masks, in that order.
TEST(Synflow, of_permuted_units_has_permuted_masks) {
  const Graph graph = build_zoo_model("lenet300-100", 2);
  Graph moved = graph;
  const auto order = Random(9).permutation(300);
  const auto permute = [&](Graph& net, const char* name, int64_t axis) {
    Value& value = net.value(*find_value(net, name));
    value.constant = take(*value.constant, axis, order);
  };
  permute(moved, "fc1.weight", 0);
  permute(moved, "fc1.bias", 0);
  permute(moved, "fc2.weight", 1);
  Net plain(graph, digits()), other(moved, digits());
  const Masks expected = synflow_masks(plain.session, sparsity(0.9), 3).masks;
  const Masks found = synflow_masks(other.session, sparsity(0.9), 3).masks;
  EXPECT_EQ(found.at("fc1.weight"), take(expected.at("fc1.weight"), 0, order));
  EXPECT_EQ(found.at("fc2.weight"), take(expected.at("fc2.weight"), 1, order));
  EXPECT_EQ(found.at("fc3.weight"), expected.at("fc3.weight"));
}

// Flows of a deep net pass float32: 80 layers that multiply by 20 each.
TEST(Synflow, tells_weights_apart_where_flows_are_beyond_float32) {
  std::string text = "input x float32 [N, 1, 4, 4]\n";
  std::string body = "h0 = Flatten(x)\n", before = "h0";
  constexpr int kLayers = 80;
  for (int l = 1; l <= kLayers; ++l) {
    const std::string name = "w" + std::to_string(l), now = "h" + std::to_string(l);
    text += "const " + name + " float32 [16, 16] random\n";
    body += now + " = MatMul(" + before + ", " + name + ")\n";
    before = now;
  }
  text += "const head float32 [16, 3] random\n";
  Graph graph = parse_text_graph(text + body + "y = MatMul(" + before + ", head)\noutput y");
  for (Value& value : graph.values) {
    if (!value.constant || value.name == "head") continue;
    for (float& x : value.constant->mutate<float>()) x *= 8;
  }
  Net net(graph);
  const ScoredMasks found = synflow_masks(net.session, sparsity(0.9), 10);
  EXPECT_TRUE(found.spared.empty());
  int64_t kept = 0;
  for (const auto& [name, mask] : found.masks) {
    kept += std::ranges::count(mask.as<float>(), 1.0f);
  }
  EXPECT_EQ(kept, (kLayers * 256 + 48) - int64_t((kLayers * 256 + 48) * 0.9));
}

// With normalisation, a stream, and a Softmax behind the scores.
TEST(Synflow, takes_absolute_values_of_normalisations_and_looks_before_a_softmax) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const scale float32 [4] random
    const shift float32 [4] zeros
    const mean float32 [4] zeros
    const variance float32 [4] positive
    const w2 float32 [4, 4, 1, 1] random
    const fw float32 [3, 4] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, scale, shift, mean, variance)
    r = Relu(n)
    c = Conv(r, w2)
    d = Add(c, r)
    g = GlobalAveragePool(d)
    f = Flatten(g)
    l = Gemm(f, fw) {transB=1}
    y = Softmax(l)
    output y)");
  Net net(graph);
  const auto scores = flow_scores(net.session, flow_graph(net.session), {}, {});
  ASSERT_EQ(scores.size(), 3u);
  const auto sum = [](const ScoredLayer& layer) {
    return std::accumulate(layer.scores.begin(), layer.scores.end(), 0.0);
  };
  EXPECT_NEAR(sum(scores[0]) / sum(scores[2]), 1, 1e-9) << "all flows through both";
  EXPECT_LT(sum(scores[1]), sum(scores[0])) << "some goes past it";
  for (const ScoredLayer& layer : scores) {
    EXPECT_TRUE(std::ranges::all_of(layer.scores, [](double x) { return x > 0; })) << layer.name;
  }
}

}  // namespace
}  // namespace coppice
