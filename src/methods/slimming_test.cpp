// Network Slimming under a fake trainer: what is penalised when, what is cut, and that a run that
// ended at any step comes to the same.
#include "methods/slimming.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

SlimmingOptions half_of_the_channels(int64_t passes = 1) {
  SlimmingOptions options;
  options.pruning.budget = {Budget::Of::ratio, 0.5};
  options.pruning.round_to = 1;
  options.lambda = 0.01;
  options.passes = passes;
  return options;
}

TEST(Slimming, penalises_the_scales_until_the_cut_and_not_after_it) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<double> strengths;
  fixture.watcher.after_epoch = [&] {
    strengths.push_back(fixture.trainer.setup.l1.strength);
    if (strengths.back() > 0) {
      EXPECT_EQ(fixture.trainer.setup.l1.weights, std::set<std::string>{"scale"});
    }
  };
  slimming(session, half_of_the_channels(), fake::recipe(2), fake::recipe(1));
  EXPECT_EQ(strengths, (std::vector<double>{0.01, 0.01, 0}));
}

TEST(Slimming, scales_of_normalisations_that_dont_normalise_by_channel_at_inference_are_none) {
  EXPECT_EQ(batch_norm_scales(parse_text_graph(fake::kNet)), std::set<std::string>{"scale"});
  for (const char* attribute : {"training_mode", "is_test", "spatial"}) {
    Graph graph = parse_text_graph(fake::kNet);
    graph.nodes[1].attributes.set(attribute, int64_t{std::string(attribute) == "training_mode"});
    EXPECT_TRUE(batch_norm_scales(graph).empty()) << attribute;
  }
  Graph foreign = parse_text_graph(fake::kNet);
  foreign.nodes[1].domain = "com.example";
  EXPECT_TRUE(batch_norm_scales(foreign).empty());
}

TEST(Slimming, cuts_the_smallest_trained_scales_and_says_so_of_the_original) {
  Fixture fixture;
  const Graph original = parse_text_graph(fake::kNet);
  Session& session = fixture.open(original);
  std::vector<float> scales;
  fixture.watcher.after_epoch = [&] {
    if (scales.size() == 4) return;
    const auto found = fake::tensor(session.graph(), "scale").as<float>();
    scales.assign(found.begin(), found.end());
  };
  const Outcome outcome =
      slimming(session, half_of_the_channels(), fake::recipe(1), fake::recipe(1));
  std::vector<int64_t> order = {0, 1, 2, 3};
  std::ranges::stable_sort(
      order, [&](int64_t a, int64_t b) { return std::fabs(scales[a]) < std::fabs(scales[b]); });
  std::vector<int64_t> keep = {order[2], order[3]};
  std::ranges::sort(keep);
  ASSERT_EQ(outcome.plan.slices.size(), 6u);
  for (const PlanSlice& slice : outcome.plan.slices) EXPECT_EQ(slice.keep, keep) << slice.tensor;
  EXPECT_EQ(outcome.plan.method, "slimming");
  EXPECT_TRUE(outcome.proof->comparison.equal());
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape(), (Shape{2, 1, 3, 3}));
  EXPECT_LT(outcome.after.macs, outcome.before.macs);
}

TEST(Slimming, passes_leave_together_what_one_would) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  SlimmingOptions options = half_of_the_channels(2);
  options.pruning.budget.kept = 0.25;  // each pass halves: 4, 2, 1
  const Outcome outcome = slimming(session, options, fake::recipe(1), fake::recipe(1));
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(session.history().size(), 3u);
  for (const PlanSlice& slice : outcome.plan.slices) {
    EXPECT_EQ(slice.size, 4) << slice.tensor;
    EXPECT_EQ(slice.keep.size(), 1u) << slice.tensor;
  }
  EXPECT_TRUE(outcome.proof->comparison.equal());
}

TEST(Slimming, goes_on_to_the_same_bits_wherever_it_stopped) {
  const TempDir folder;
  SlimmingOptions options = half_of_the_channels(2);
  options.pruning.budget.kept = 0.25;
  const auto bytes = [&](int64_t stop_after) {
    return fake::bytes_after_stop(
        parse_text_graph(fake::kNet), folder / "checkpoint", stop_after, [&](Session& session) {
          return slimming(session, options, fake::recipe(2), fake::recipe(1)).graph;
        });
  };
  const std::string whole = bytes(-1);
  for (const int64_t steps : {2, 5, 7, 12, 14}) EXPECT_EQ(whole, bytes(steps)) << steps;
}

TEST(Slimming, a_net_without_batch_normalisation_is_an_error) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w1 float32 [4, 1, 4, 4] random
      const w2 float32 [3, 4] random
      a = Conv(x, w1)
      f = Flatten(a)
      y = Gemm(f, w2) {transB=1}
      output y)"));
  EXPECT_THROW(slimming(session, half_of_the_channels(), fake::recipe(1), fake::recipe(1)), Error);
  EXPECT_EQ(fixture.watcher.steps, 0) << "it was known before the training";
}

TEST(Slimming, the_pull_is_lambda_times_the_rates_over_what_momentum_leaves) {
  Recipe recipe;
  recipe.epochs = 4;
  recipe.schedule.kind = Schedule::Kind::constant;
  recipe.optimizer.learning_rate = 0.1;
  recipe.optimizer.momentum = 0.9;
  EXPECT_NEAR(largest_pull(recipe, 1e-3, 100), 1e-3 * 400 * 0.1 / 0.1, 1e-12);
  recipe.schedule.kind = Schedule::Kind::cosine;
  EXPECT_NEAR(largest_pull(recipe, 1e-3, 100), 0.2, 1e-3);
  recipe.optimizer.kind = OptimizerOptions::Kind::adam;
  EXPECT_EQ(largest_pull(recipe, 1e-3, 100), 0);
}

TEST(Slimming, the_median_is_over_all_scales) {
  Graph graph = parse_text_graph(fake::kNet);
  graph.value(*find_value(graph, "scale")).constant = Tensor::of<float>({4}, {0.1f, -5, 3, 0.2f});
  EXPECT_FLOAT_EQ(static_cast<float>(median_scale(graph)), 3);
  EXPECT_EQ(median_scale(parse_text_graph("input x float32 [2]\ny = Relu(x)\noutput y")), 0);
}

}  // namespace
}  // namespace coppice
