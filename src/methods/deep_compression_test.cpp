// Deep Compression's rounds under a fake trainer: what is pruned, frozen and tied when, and that a
// run that ended at any step comes to the same.

#include "methods/deep_compression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "session/fake_session.h"
#include "support/temp_dir.h"
#include "support/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

DeepCompressionOptions three_rounds() {
  DeepCompressionOptions options;
  options.pruning.sparsity = 0.5;
  options.rounds = 3;
  options.sharing->conv_bits = 2;
  options.sharing->fc_bits = 1;
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

TEST(DeepCompression, alternating_trains_matrices_and_convolutions_in_turn) {
  DeepCompressionOptions options = three_rounds();
  options.rounds = 1;
  options.retraining = DeepCompressionOptions::Retraining::alternating;
  EXPECT_EQ(watch(options).frozen, (std::vector<Names>{{"w1", "w2"}, {"fw"}, {}}));
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
