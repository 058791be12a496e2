// Criteria that look at more than weights, as methods: by images they are run on, or by a training.
#include "methods/one_shot/by_criterion.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "methods/options/blocks.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

template <Reduction kReduction>
std::vector<EvidenceRequest> needs(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& seen : view.activations) {
    requests.push_back({seen.value, kReduction, seen.axis});
  }
  return requests;
}

template <Reduction kReduction>
std::vector<float> score(const GroupView& view) {
  const Activation& seen = view.activations.front();
  const auto numbers = view.evidence->numbers({seen.value, kReduction, seen.axis});
  std::vector<float> scores(seen.indices.size(), 0);
  for (size_t i = 0; i < numbers.size(); ++i) {
    scores[i % scores.size()] += static_cast<float>(std::abs(numbers[i]));
  }
  return scores;
}

const Criterion kResponses{.name = "responses",
                           .paper = "none",
                           .about = "mean absolute response",
                           .score = score<Reduction::mean_absolute>,
                           .needs = needs<Reduction::mean_absolute>};
const Criterion kGates{.name = "gates",
                       .paper = "none",
                       .about = "gate gradients",
                       .score = score<Reduction::gate_gradients>,
                       .needs = needs<Reduction::gate_gradients>,
                       .answered = Criterion::Answered::by_training};

Settings settings_for(const Method& method, const std::string& flag = "") {
  Settings settings(options_of(method));
  settings.set(kPruneRatio, "0.5");
  settings.set(kRoundTo, "1");
  for (const OptionUse& use : method.options) {
    if (use.option->flag() == flag) settings.set(*use.option, "true");
  }
  method.settle(settings);
  return settings;
}

TEST(MethodByCriterion, looks_at_images_only_where_it_needs_them_and_no_session_measures) {
  const Method weights = method_by(find_criterion("l2")), responses = method_by(kResponses);
  EXPECT_FALSE(weights.images);
  EXPECT_FALSE(has_option(options_of(weights), kImages));
  Settings settings = settings_for(responses);
  EXPECT_EQ(responses.images(settings), 500);
  settings.set(kImages, "64");
  EXPECT_EQ(responses.images(settings), 64);
  EXPECT_FALSE(responses.decides_in_training(settings));
  const Settings soft = settings_for(responses, "--soft");
  EXPECT_EQ(responses.images(soft), 0);
  EXPECT_TRUE(responses.decides_in_training(soft));
}

TEST(MethodByCriterion, that_needs_gradients_is_one_that_trains) {
  const Method gates = method_by(kGates);
  EXPECT_FALSE(gates.prune);
  EXPECT_FALSE(gates.images);
  EXPECT_TRUE(gates.decides_in_training(settings_for(gates)));
}

TEST(MethodByCriterion, before_a_training_the_session_gives_it_gradients) {
  const Method gates = method_by(kGates);
  const Settings settings = settings_for(gates);
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Outcome outcome = run_in_training(gates, session, fake::recipe(1), {.settings = settings});
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape()[0], 2);
  EXPECT_EQ(outcome.plan.method, "gates");
  EXPECT_EQ(session.history().size(), 1u);
}

TEST(MethodByCriterion, before_a_training_it_is_handed_what_measures) {
  const Method responses = method_by(kResponses);
  const Settings settings = settings_for(responses);
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  int measured = 0;
  const Measure measure = [&](const Graph& graph, std::span<const EvidenceRequest> requests) {
    ++measured;
    return session.measuring({.batch = 8})(graph, requests);
  };
  const Outcome outcome = run_in_training(responses, session, fake::recipe(1),
                                          {.settings = settings, .measure = measure});
  EXPECT_EQ(measured, 1);
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape()[0], 2);
}

}  // namespace
}  // namespace coppice
