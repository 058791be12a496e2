// Zeros stay zero and shared values shared, through every method that trains, under a fake trainer
// whose steps would move every weight.
#include <gtest/gtest.h>

#include <set>

#include "methods/one_shot/prune_and_train.h"
#include "methods/slimming.h"
#include "methods/soft/soft.h"
#include "methods/unstructured/deep_compression.h"
#include "methods/unstructured/dsd.h"
#include "methods/unstructured/magnitude.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [32, 1, 3, 3] random
    const scale float32 [32] positive
    const shift float32 [32] random
    const mean float32 [32] random
    const variance float32 [32] positive
    const w2 float32 [16, 32, 3, 3] random
    const scale2 float32 [16] positive
    const shift2 float32 [16] random
    const mean2 float32 [16] random
    const variance2 float32 [16] positive
    const fw float32 [3, 16] random
    const fb float32 [3] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, scale, shift, mean, variance)
    r = Relu(n)
    c = Conv(r, w2)
    m = BatchNormalization(c, scale2, shift2, mean2, variance2)
    g = GlobalAveragePool(m)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

// Two thirds of the weights are zero, the others of w1 and w2 share 3 and 7 values.
Graph sparse_and_shared() {
  Graph graph = parse_text_graph(kNet);
  apply_masks(graph, magnitude_masks(graph, {.sparsity = 2.0 / 3}));
  share_weights(graph, {.bits = {.layers = {{"w1", 2}, {"w2", 3}}}, .keep = {"fw"}});
  return graph;
}

Graph sparse_alone() {
  Graph graph = parse_text_graph(kNet);
  apply_masks(graph, magnitude_masks(graph, {.sparsity = 2.0 / 3}));
  return graph;
}

int64_t zeros(const Graph& graph) {
  const WeightCount count = count_weights(graph);
  return count.all - count.nonzero;
}

// The original's zeros that its weights have after the plan's cut.
int64_t zeros_that_stay(const Graph& original, const Plan& plan) {
  int64_t count = 0;
  for (const auto& [name, mask] : zeros_after({masks_of_zeros(original), {}}, plan)) {
    count += mask.size() - nonzeros_of(mask);
  }
  return count;
}

void expect_kept(const Graph& original, const Graph& result, const Plan& plan) {
  for (const auto& [name, mask] : zeros_after({masks_of_zeros(original), {}}, plan)) {
    const Tensor& weight = fake::tensor(result, name);
    ASSERT_EQ(weight.shape(), mask.shape()) << name;
    for (int64_t i = 0; i < mask.size(); ++i) {
      ASSERT_TRUE(mask.as<float>()[i] != 0 || weight.as<float>()[i] == 0) << name << " " << i;
    }
  }
  EXPECT_LE(count_values(fake::tensor(result, "w1"), 100), 3);
  EXPECT_LE(count_values(fake::tensor(result, "w2"), 100), 7);
  for (const char* name : {"w1", "w2"}) {
    EXPECT_FALSE(fake::tensor(result, name) == fake::tensor(original, name)) << "wasn't trained";
  }
}

OneShotOptions half_of_each_layer(CompensationOptions recover = {}) {
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.5};
  options.round_to = 1;
  options.recover = recover;
  return options;
}

TEST(KeptZeros, training_alone_keeps_them_and_free_lets_go) {
  const Graph original = sparse_and_shared();
  for (const auto choice : {SessionOptions::Zeros::keep, SessionOptions::Zeros::free}) {
    Fixture fixture;
    Session& session = fixture.open(original, {.zeros = choice});
    session.stage("training", [&] { session.train(fake::recipe(2)); });
    if (choice == SessionOptions::Zeros::keep) {
      expect_kept(original, session.graph(), {});
    } else {
      EXPECT_EQ(zeros(session.graph()), 0);
      EXPECT_GT(count_values(fake::tensor(session.graph(), "w2"), 100), 7);
    }
  }
}

TEST(KeptZeros, cutting_channels_and_training_keeps_those_of_what_stays) {
  const Graph original = sparse_and_shared();
  for (const bool recovers : {false, true}) {
    Fixture fixture;
    Session& session = fixture.open(original);
    const OneShotOptions options = half_of_each_layer({recovers, recovers, recovers});
    const Outcome outcome = prune_and_train(
        session,
        [&](const Graph& graph) { return prune_once(graph, find_criterion("fpgm"), options); },
        fake::recipe(2));
    EXPECT_EQ(fake::tensor(outcome.graph, "w2").shape(), (Shape{8, 16, 3, 3}));
    EXPECT_GT(zeros_that_stay(original, outcome.plan), 0);
    expect_kept(original, outcome.graph, outcome.plan);
  }
}

TEST(KeptZeros, masks_by_magnitude_add_to_them) {
  const Graph original = sparse_and_shared();
  Fixture fixture;
  const Outcome outcome = prune_and_train(
      fixture.open(original),
      [](const Graph& graph) { return prune_by_magnitude(graph, {.sparsity = 0.8}, Verify::on); },
      fake::recipe(2));
  expect_kept(original, outcome.graph, {});
  EXPECT_GE(zeros(outcome.graph), 4 * count_weights(original).all / 5 - 3);
}

TEST(KeptZeros, slimming_keeps_them_through_its_passes) {
  const Graph original = sparse_and_shared();
  Fixture fixture;
  const Outcome outcome =
      slimming(fixture.open(original), {.pruning = half_of_each_layer(), .passes = 2},
               fake::recipe(1), fake::recipe(1));
  expect_kept(original, outcome.graph, outcome.plan);
}

TEST(KeptZeros, soft_pruning_keeps_them_while_its_own_come_back) {
  const Graph original = sparse_and_shared();
  Fixture fixture;
  Session& session = fixture.open(original);
  std::vector<int64_t> saved;
  fixture.watcher.after_epoch = [&] { saved.push_back(zeros(session.graph())); };
  const Outcome outcome =
      prune_softly(session, find_criterion("l2"),
                   {.name = "l2", .pruning = half_of_each_layer({true, true, true})},
                   fake::recipe(3), fake::recipe(1));
  ASSERT_EQ(saved.size(), 4u);
  EXPECT_GT(saved[1], saved[2]) << "what it zeroed is trained in the last epoch";
  EXPECT_EQ(saved[2], zeros(original));
  expect_kept(original, outcome.graph, outcome.plan);
}

TEST(KeptZeros, dsd_lets_its_own_go_and_not_those_the_model_came_with) {
  const Graph original = sparse_and_shared();
  Fixture fixture;
  Session& session = fixture.open(original);
  std::vector<int64_t> saved;
  fixture.watcher.after_epoch = [&] { saved.push_back(zeros(session.graph())); };
  const Outcome outcome = dense_sparse_dense(session, {.sparsity = 0.8}, fake::recipe(1));
  ASSERT_EQ(saved.size(), 2u);
  EXPECT_GT(saved[0], saved[1]);
  EXPECT_EQ(saved[1], zeros(original));
  expect_kept(original, outcome.graph, {});
}

TEST(KeptZeros, deep_compression_starts_from_them) {
  const Graph original = sparse_alone();
  DeepCompressionOptions options;
  options.pruning.sparsity = 0.8;
  options.rounds = 2;
  Fixture fixture;
  const Outcome outcome = deep_compression(fixture.open(original), options, fake::recipe(1));
  for (const auto& [name, mask] : masks_of_zeros(original)) {
    for (int64_t i = 0; i < mask.size(); ++i) {
      ASSERT_LE(outcome.plan.masks.at(name).as<float>()[i], mask.as<float>()[i]) << name;
    }
  }
}

TEST(KeptZeros, a_method_that_wants_less_than_is_there_says_so_before_it_trains) {
  const Graph original = sparse_alone();
  DeepCompressionOptions deep;
  deep.pruning.sparsity = 0.5;
  const std::vector<std::function<void(Session&)>> runs = {
      [&](Session& session) { deep_compression(session, deep, fake::recipe(1)); },
      [&](Session& session) { dense_sparse_dense(session, {.sparsity = 0.5}, fake::recipe(1)); },
      [&](Session& session) {
        prune_by_magnitude(session.original(), {.sparsity = 0.5}, Verify::on);
      }};
  for (const auto& run : runs) {
    Fixture fixture;
    Session& session = fixture.open(original);
    const std::string message = fake::message_of(ErrorKind::target, [&] { run(session); });
    EXPECT_NE(message.find("zero to a share of 0.66"), std::string::npos) << message;
    EXPECT_EQ(fixture.watcher.steps, 0);
  }
}

TEST(KeptZeros, a_run_that_ended_at_any_step_comes_to_the_same) {
  const Graph original = sparse_and_shared();
  const TempDir folder;
  const std::vector<std::function<Graph(Session&)>> runs = {
      [&](Session& session) {
        return prune_softly(session, find_criterion("l2"),
                            {.name = "l2", .pruning = half_of_each_layer({true, true, true})},
                            fake::recipe(2), fake::recipe(1))
            .graph;
      },
      [&](Session& session) {
        return slimming(session, {.pruning = half_of_each_layer()}, fake::recipe(1),
                        fake::recipe(1))
            .graph;
      }};
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto bytes = [&](int64_t stop_after) {
      return fake::bytes_after_stop(original, folder / std::to_string(i), stop_after, runs[i]);
    };
    const std::string whole = bytes(-1);
    for (const int64_t steps : {1, 3, 4, 5}) EXPECT_TRUE(whole == bytes(steps)) << i << steps;
  }
}

}  // namespace
}  // namespace coppice
