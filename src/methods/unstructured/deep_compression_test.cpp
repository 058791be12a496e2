// Deep Compression's rounds under a fake trainer: what is pruned, frozen and tied when, and that a
// run that ended at any step comes to the same.

#include "methods/unstructured/deep_compression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "methods/unstructured/rescale_dropout.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

DeepCompressionOptions three_rounds() {
  DeepCompressionOptions options;
  options.pruning.sparsity = 0.5;
  options.rounds = 3;
  options.sharing->bits.conv = 2;
  options.sharing->bits.fc = 1;
  return options;
}

int64_t zeros(const Tensor& tensor) { return std::ranges::count(tensor.as<float>(), 0.0f); }

std::set<float> values(const Tensor& tensor) {
  const auto all = tensor.as<float>();
  std::set<float> found(all.begin(), all.end());
  found.erase(0.0f);
  return found;
}

TEST(DeepCompression, reaches_the_sparsity_and_shares_few_values) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Outcome outcome = deep_compression(session, three_rounds(), fake::recipe(1));
  for (const auto& [name, mask] : outcome.plan.masks) {
    const Tensor& weight = fake::tensor(outcome.graph, name);
    EXPECT_GE(zeros(mask), mask.size() / 2) << name;
    for (int64_t i = 0; i < mask.size(); ++i) {
      EXPECT_EQ(mask.as<float>()[i] == 0, weight.as<float>()[i] == 0) << name << " " << i;
    }
    EXPECT_LE(values(weight).size(), weight.rank() > 2 ? 3u : 1u) << name;
  }
  EXPECT_EQ(outcome.plan.masks.size(), 3u);
  EXPECT_EQ(outcome.plan.method, "deep-compression");
  EXPECT_EQ(outcome.weights_after->nonzero, count_weights(outcome.graph).nonzero);
  EXPECT_EQ(session.history().size(), 4u) << "three retrainings and the tuning";
}

TEST(DeepCompression, each_round_keeps_the_same_share_of_what_the_one_before_left) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 10]
      const w float32 [10, 100] random
      y = MatMul(x, w)
      output y)");
  DeepCompressionOptions options = three_rounds();
  options.pruning.sparsity = 0.875;
  Graph pruned = graph;
  Masks before;
  for (int64_t round = 1; round <= 3; ++round) {
    const Masks masks = masks_of_round(pruned, options, round);
    EXPECT_EQ(zeros(masks.at("w")), 1000 - 1000 / std::pow(2, round));
    for (int64_t i = 0; i < 1000 && round > 1; ++i) {
      EXPECT_LE(masks.at("w").as<float>()[i], before.at("w").as<float>()[i]) << "a zero came back";
    }
    apply_masks(pruned, masks);
    before = masks;
  }
}

TEST(DeepCompression, quality_prunes_below_that_many_deviations) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 1]
      const w float32 [1, 6] = -4 -1 1 4 -3 3
      y = MatMul(x, w)
      output y)");
  DeepCompressionOptions options;
  options.rounds = 2;
  options.quality = 1.0;  // the deviation is sqrt(52 / 6) = 2.94
  EXPECT_EQ(zeros(masks_of_round(graph, options, 1).at("w")), 2);  // below half of it
  options.quality = 1.2;
  EXPECT_EQ(zeros(masks_of_round(graph, options, 2).at("w")), 4);  // 3.53
}

// Which weights each training had frozen and tied.
struct Seen {
  std::vector<std::set<std::string>> frozen, tied;
};

Seen watch(const DeepCompressionOptions& options) {
  Seen seen;
  Fixture fixture;
  fixture.watcher.after_epoch = [&] {
    seen.frozen.push_back(fixture.trainer.setup.frozen);
    seen.tied.push_back(fixture.trainer.setup.tied);
  };
  deep_compression(fixture.open(parse_text_graph(fake::kNet)), options, fake::recipe(1));
  return seen;
}

using Names = std::set<std::string>;

TEST(DeepCompression, only_the_last_training_is_tied) {
  const Seen seen = watch(three_rounds());
  EXPECT_EQ(seen.tied, (std::vector<Names>{{}, {}, {}, {"fw", "w1", "w2"}}));
  EXPECT_EQ(seen.frozen, std::vector<Names>(4));
}

TEST(DeepCompression, layers_to_keep_are_neither_pruned_nor_shared) {
  DeepCompressionOptions options = three_rounds();
  options.pruning.keep = options.sharing->keep = {"w1"};
  Fixture fixture;
  const Outcome outcome =
      deep_compression(fixture.open(parse_text_graph(fake::kNet)), options, fake::recipe(1));
  EXPECT_EQ(values(fake::tensor(outcome.graph, "w1")).size(), 36u);
  EXPECT_LE(values(fake::tensor(outcome.graph, "w2")).size(), 3u);
  EXPECT_EQ(watch(options).tied.back(), (Names{"fw", "w2"}));
}

TEST(WeightSharing, layers_may_have_bits_of_their_own_and_the_last_that_matches_counts) {
  const Graph graph = parse_text_graph(fake::kNet);
  const SharingOptions options{.bits = {.conv = 6, .fc = 5, .layers = {{"w", 4}, {"^w2$", 3}}},
                               .keep = {"fw"}};
  EXPECT_EQ(bits_of_layers(graph, options), (std::map<std::string, int64_t>{{"w1", 4}, {"w2", 3}}));
  EXPECT_EQ(bits_of_layers(graph, {.bits = {.conv = 6, .fc = 5}}),
            (std::map<std::string, int64_t>{{"w1", 6}, {"w2", 6}, {"fw", 5}}));
  EXPECT_NE(fake::message_of(ErrorKind::usage,
                             [&] {
                               bits_of_layers(graph, {.bits = {.layers = {{"head", 4}}}});
                             })
                .find("'head' matches no layer"),
            std::string::npos);
  EXPECT_NE(fake::message_of(ErrorKind::target, [&] { bits_of_layers(graph, {.keep = {"w"}}); })
                .find("all layers are left alone"),
            std::string::npos);
}

TEST(WeightSharing, values_are_tuned_as_the_steps_say_whatever_the_recipe_does) {
  const auto run = [](const CentroidSteps& steps, Recipe recipe) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet));
    share_and_tune(session, {.bits = {.conv = 2, .fc = 1}, .steps = steps}, recipe);
    EXPECT_EQ(session.history().back().largest_rate, steps.learning_rate);
    EXPECT_EQ(session.history().back().optimizer, name_of(steps.optimizer));
    EXPECT_EQ(fixture.trainer.setup.optimizer.momentum, 0);
    EXPECT_EQ(fixture.trainer.setup.optimizer.weight_decay, 0);
    return fake::bytes_of(session.graph());
  };
  Recipe other = fake::recipe(1);
  other.optimizer.learning_rate = 1;
  const std::string usual = run({}, fake::recipe(1));
  EXPECT_TRUE(usual == run({}, other));
  EXPECT_FALSE(usual == run({.learning_rate = 1e-2}, other));
  run({.optimizer = OptimizerOptions::Kind::sgd, .learning_rate = 1e-6}, other);
}

TEST(DeepCompression, counts_the_dropouts_that_drop_something) {
  EXPECT_EQ(count_dropouts(parse_text_graph(fake::kNet)), 0);
  EXPECT_EQ(count_dropouts(parse_text_graph(R"(
      input x float32 [N, 4]
      const none float32 [] = 0
      const half float32 [] = 0.5
      a = Dropout(x, half)
      b = Dropout(a, none)
      c = Dropout(b)
      output c)")),
            2);
}

TEST(DeepCompression, alternating_trains_matrices_and_convolutions_in_turn) {
  DeepCompressionOptions options = three_rounds();
  options.rounds = 1;
  options.retraining = DeepCompressionOptions::Retraining::alternating;
  EXPECT_EQ(watch(options).frozen, (std::vector<Names>{{"w1", "w2"}, {"fw"}, {}}));
}

TEST(DeepCompression, alternating_is_as_exact_as_together_by_layer_and_over_all) {
  const Graph original = parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w1 float32 [24, 1, 3, 3] random
      const w2 float32 [20, 24, 3, 3] random
      const f1 float32 [20, 40] random
      const f2 float32 [40, 3] random
      a = Conv(x, w1) {pads=[1, 1, 1, 1]}
      r = Relu(a)
      c = Conv(r, w2)
      g = GlobalAveragePool(c)
      f = Flatten(g)
      h = MatMul(f, f1)
      t = Tanh(h)
      y = MatMul(t, f2)
      output y)");
  using Scope = MagnitudeOptions::Scope;
  for (const Scope scope : {Scope::layer, Scope::global}) {
    DeepCompressionOptions options = three_rounds();
    // Of the narrow layers whole neurons would go, which is beyond the sparsity.
    options.pruning = {.sparsity = 0.6, .scope = scope, .keep = {"w1", "f2"}};
    options.retraining = DeepCompressionOptions::Retraining::alternating;
    options.sharing.reset();
    Fixture fixture;
    const Outcome outcome = deep_compression(fixture.open(original), options, fake::recipe(1));
    int64_t found = 0, expected = 0, all = 0;
    for (const auto& [name, mask] : outcome.plan.masks) {
      found += zeros(mask);
      all += mask.size();
      expected += static_cast<int64_t>(std::floor(0.6 * static_cast<double>(mask.size()) + 1e-9));
    }
    if (scope == Scope::global) expected = static_cast<int64_t>(0.6 * static_cast<double>(all));
    EXPECT_EQ(found, expected);
  }
}

TEST(DeepCompression, the_second_half_of_a_round_ends_the_ranking_of_the_first) {
  const Graph graph = parse_text_graph(fake::kNet);
  DeepCompressionOptions options = three_rounds();
  options.pruning.scope = MagnitudeOptions::Scope::global;
  const Masks whole = masks_of_round(graph, options, 3);
  Graph half = graph;
  apply_masks(half, {{"fw", whole.at("fw")}});
  for (float& w : half.value(*find_value(half, "fw")).constant->mutate<float>()) w *= 0.01f;
  options.pruning.decided = {"fw"};
  EXPECT_EQ(masks_of_round(half, options, 3), whole);
}

TEST(DeepCompression, nothing_to_alternate_is_an_error) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w float32 [16, 3] random
      f = Flatten(x)
      y = MatMul(f, w)
      output y)"));
  DeepCompressionOptions options = three_rounds();
  options.retraining = DeepCompressionOptions::Retraining::alternating;
  EXPECT_NE(fake::message_of(ErrorKind::target,
                             [&] { deep_compression(session, options, fake::recipe(1)); })
                .find("alternate"),
            std::string::npos);
}

TEST(DeepCompression, a_run_that_ended_at_any_step_comes_to_the_same) {
  const auto run = [](const std::filesystem::path& checkpoint, int64_t stop_after, bool resume) {
    Fixture fixture;
    fixture.watcher.stop_after = stop_after;
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = checkpoint});
    if (resume) session.resume(read_checkpoint(checkpoint));
    return deep_compression(session, three_rounds(), fake::recipe(1));
  };
  const TempDir folder;
  const Outcome whole = run(folder / "whole", -1, false);
  for (int64_t step = 1; step <= 12; ++step) {
    SCOPED_TRACE("stopped after step " + std::to_string(step));
    const std::filesystem::path checkpoint = folder / std::to_string(step);
    fake::message_of(ErrorKind::interrupted, [&] { run(checkpoint, step, false); });
    const Outcome resumed = run(checkpoint, -1, true);
    EXPECT_TRUE(fake::bytes_of(resumed.graph) == fake::bytes_of(whole.graph));
    EXPECT_EQ(resumed.plan.masks, whole.plan.masks);
  }
}

}  // namespace
}  // namespace coppice
