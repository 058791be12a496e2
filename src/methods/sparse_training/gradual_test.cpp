// Gradual pruning under a fake trainer: what is zero when, and that it stays so.
#include "methods/sparse_training/gradual.h"

#include <gtest/gtest.h>

#include <cmath>

#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/mask_schedule.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

// 100 and 60 weights; 3 updates an epoch.
constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [10, 10] random
    const w2 float32 [3, 20] random
    const up float32 [16, 10] random
    const wide float32 [10, 20] random
    f = Flatten(x)
    i = MatMul(f, up)
    h = MatMul(i, w1)
    r = Relu(h)
    j = MatMul(r, wide)
    y = Gemm(j, w2) {transB=1}
    output y)";

GradualOptions options(double sparsity, MagnitudeOptions::Scope scope) {
  return {.pruning = {.sparsity = sparsity, .scope = scope, .keep = {"^up$", "^wide$"}},
          .from = 0,
          .until = 0.75,
          .every = 2};
}

int64_t zeros(const Graph& graph, const char* name) {
  return std::ranges::count(fake::tensor(graph, name).as<float>(), 0.0f);
}

// After each update, of both weights.
std::vector<std::pair<int64_t, int64_t>> zeros_by_update(const GradualOptions& how,
                                                         Outcome& outcome) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kNet));
  std::vector<std::pair<int64_t, int64_t>> found;
  Masks before;
  fixture.watcher.after_step = [&] {
    Graph graph = session.graph();
    OptimizerState state;
    fixture.trainer.store(graph, state);
    apply_masks(graph, session.masks());  // set behind the update
    found.emplace_back(zeros(graph, "w1"), zeros(graph, "w2"));
    for (const auto& [name, mask] : before) {
      for (int64_t i = 0; i < mask.size(); ++i) {
        if (mask.as<float>()[i] == 0) {
          EXPECT_EQ(session.masks().at(name).as<float>()[i], 0) << "a masked weight came back";
        }
      }
    }
    before = session.masks();
  };
  outcome = prune_gradually(session, how, fake::recipe(4));
  for (const EpochRecord& epoch : session.history()) {
    EXPECT_EQ(epoch.facts.front().first, "density");
  }
  return found;
}

// Updates 1, 3, 5, 7 and 9 of 12: s = 0.9 (1 - (1 - (t - 1) / 8)^3).
TEST(Gradual, masks_by_layer_exactly_what_the_schedule_says_and_trains_on) {
  Outcome outcome;
  const auto found = zeros_by_update(options(0.9, MagnitudeOptions::Scope::layer), outcome);
  ASSERT_EQ(found.size(), 12u);
  const CubicSchedule schedule{.final = 0.9, .first = 1, .last = 9, .every = 2};
  for (int64_t update = 1; update <= 12; ++update) {
    const int64_t event = update >= 9 ? 9 : (update - 1) / 2 * 2 + 1;
    const double sparsity = schedule.sparsity(event);
    EXPECT_EQ(found[update - 1].first, static_cast<int64_t>(std::floor(100 * sparsity + 1e-9)));
    EXPECT_EQ(found[update - 1].second, static_cast<int64_t>(std::floor(60 * sparsity + 1e-9)));
  }
  EXPECT_EQ(outcome.plan.method, "gradual");
  EXPECT_EQ(outcome.plan.masks.size(), 2u);
  EXPECT_EQ(outcome.weights_after->nonzero, 10 + 6 + 160 + 200);
  EXPECT_TRUE(outcome.verified);
}

TEST(Gradual, masks_globally_to_the_exact_count_of_all) {
  Outcome outcome;
  const auto found = zeros_by_update(options(0.75, MagnitudeOptions::Scope::global), outcome);
  EXPECT_EQ(found.back().first + found.back().second, 120);
  EXPECT_NE(found.back().first, 75);
}

TEST(Gradual, gives_one_event_at_the_last_sparsity_where_nothing_else_fits) {
  GradualOptions how = options(0.8, MagnitudeOptions::Scope::layer);
  how.from = how.until = 0.25;
  how.every = 1000;
  Outcome outcome;
  const auto found = zeros_by_update(how, outcome);
  EXPECT_EQ(found[1].first, 0);
  EXPECT_EQ(found[2].first, 80);
  EXPECT_EQ(found.back().first, 80);
}

TEST(Gradual, refuses_before_training_what_could_not_be_reached) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kNet));
  const std::string message = fake::message_of(ErrorKind::target, [&] {
    prune_gradually(session, options(0.999, MagnitudeOptions::Scope::global), fake::recipe());
  });
  EXPECT_NE(message.find("every layer keeps one"), std::string::npos) << message;
  EXPECT_EQ(fixture.watcher.steps, 0);
}

TEST(Gradual, refuses_a_schedule_that_goes_backwards) {
  const Method& method = find_method("gradual");
  const auto message = [&](const char* name, const char* value) {
    Settings settings(options_of(method));
    for (const OptionUse& use : method.options) {
      if (use.option->name() == name) settings.set(*use.option, value);
    }
    return fake::message_of(ErrorKind::usage, [&] { method.settle(settings); });
  };
  EXPECT_EQ(message("mask-from", "0.6"),
            "--mask-from is 0.6, expected at most --mask-until, which is 0.5");
  EXPECT_EQ(message("initial-sparsity", "0.95"),
            "--initial-sparsity is 0.95, expected at most --sparsity, which is 0.9");
}

}  // namespace
}  // namespace coppice
