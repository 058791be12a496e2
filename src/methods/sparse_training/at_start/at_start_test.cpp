// What pruning at the start looks at, and what it says of layers that ranks alone would empty.
#include "methods/sparse_training/at_start/at_start.h"

#include <gtest/gtest.h>

#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/at_start/at_start_options.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

// 36, 12 and 9 weights.
AtStartOptions half() {
  return {.pruning = {.sparsity = 0.5, .scope = MagnitudeOptions::Scope::global}};
}

std::vector<ScoredLayer> scored(const Graph& graph, double w2) {
  std::vector<ScoredLayer> layers;
  for (const char* name : {"w1", "w2", "fw"}) {
    const Tensor& weight = fake::tensor(graph, name);
    std::vector<double> scores(static_cast<size_t>(weight.size()), name[1] == '2' ? w2 : 1);
    for (size_t i = 0; i < scores.size(); ++i)
      scores[i] *= 1 + static_cast<double>(i) / static_cast<double>(scores.size());
    layers.push_back({name, weight.shape(), std::move(scores)});
  }
  return layers;
}

TEST(AtStart, warns_of_layers_that_would_have_been_emptied_and_puts_them_on_record) {
  for (const double w2 : {0.001, 1.0}) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet));
    AtStartOptions options = half();
    std::vector<std::string> warnings;
    options.warn = [&](const std::string& text) { warnings.push_back(text); };
    const Outcome outcome = prune_at_start(
        "snip", session, options,
        [&] {
          return masks_by_score(scored(session.graph(), w2), 0.5, MagnitudeOptions::Scope::global);
        },
        fake::recipe(1));
    EXPECT_EQ(outcome.weights_after->nonzero, 57 - 28);
    EXPECT_EQ(outcome.plan.method, "snip");
    const Facts& facts = session.stages()[0].facts;
    ASSERT_EQ(facts.size(), w2 < 1 ? 2u : 1u);
    EXPECT_EQ(facts[0], (std::pair<std::string, double>("density", 29.0 / 57)));
    ASSERT_EQ(warnings.size(), w2 < 1 ? 1u : 0u);
    if (w2 == 1) continue;
    EXPECT_EQ(facts[1], (std::pair<std::string, double>("spared_layers", 1)));
    EXPECT_NE(warnings[0].find("snip ranks all weights of w2 too low"), std::string::npos);
  }
}

TEST(AtStart, looks_at_ten_images_a_class_in_batches_no_larger_than_the_recipe_s) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  Recipe recipe = fake::recipe(1);
  recipe.loss.distillation = 0.9;
  const Collection usual = looking_at(session, half(), recipe);
  EXPECT_EQ(usual.batches * usual.batch, 28) << "of 30: four batches of seven";
  EXPECT_LE(usual.batch, recipe.batch);
  EXPECT_EQ(usual.mode, CollectOptions::Mode::training);
  EXPECT_EQ(usual.loss.distillation, 0) << "labels say what is scored";
  AtStartOptions five = half();
  five.images = 5;
  EXPECT_EQ(looking_at(session, five, recipe).batch, 5);
  five.images = 1000;
  EXPECT_EQ(looking_at(session, five, recipe).batches, 4);
}

TEST(AtStart, refuses_scores_that_tell_nothing_apart) {
  const std::vector<ScoredLayer> none = {{"a", {2}, {0, kGoesFirst}}, {"b", {1}, {0}}};
  const std::string message =
      fake::message_of(ErrorKind::target, [&] { require_signal(none, "snip"); });
  EXPECT_NE(message.find("no weight's score differs from 0"), std::string::npos) << message;
}

TEST(AtStart, methods_rank_all_layers_together_unless_told_otherwise) {
  for (const char* name : {"snip", "grasp", "synflow"}) {
    const Settings settings(options_of(find_method(name)));
    const AtStartOptions options = at_start_of({.settings = settings});
    EXPECT_EQ(options.pruning.scope, MagnitudeOptions::Scope::global) << name;
    EXPECT_EQ(options.pruning.sparsity, 0.9);
    EXPECT_EQ(options.images, 0) << "ten a class";
  }
}

}  // namespace
}  // namespace coppice
