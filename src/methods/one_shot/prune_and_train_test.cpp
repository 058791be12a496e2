// A training that is a step of recovering is judged as all steps are.
#include "methods/one_shot/prune_and_train.h"

#include <gtest/gtest.h>

#include "evidence/collector.h"
#include "runtime/executable.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

Measure on_random_images() {
  return [](const Graph& graph, std::span<const EvidenceRequest> requests) {
    Random random(3);
    Tensor x = Tensor::zeros(DType::f32, {12, 1, 4, 4});
    random.fill_normal(x.mutate<float>(), 1);
    Collector collector(graph, requests);
    compile(graph, {.inputs = {}, .batch = 12}, {.threads = 1}, collector.observation())
        .run(std::vector<Tensor>{x});
    return collector.finish();
  };
}

struct Distilled {
  Outcome outcome;
  Graph cut;
};

Distilled distilled(double rate) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.75};
  options.round_to = 1;
  Recipe recipe = fake::recipe(1);
  recipe.optimizer.learning_rate = rate;
  RecoverOptions recover;
  recover.distill = true;
  recover.judge = on_random_images();
  Distilled found;
  found.outcome = prune_and_train(
      session,
      [&](const Graph& graph) {
        Outcome outcome = prune_once(graph, find_criterion("l2"), options);
        found.cut = outcome.graph;
        return outcome;
      },
      recipe, recover);
  return found;
}

TEST(PruneAndTrain, a_training_that_takes_outputs_away_from_the_originals_is_not_kept) {
  const Distilled found = distilled(50);
  const RecoverStep& step = found.outcome.recovered->steps.back();
  EXPECT_EQ(step.name, "distill");
  EXPECT_FALSE(step.kept);
  EXPECT_GT(*step.after, *step.before);
  EXPECT_EQ(found.outcome.plan.recovered->dropped, std::vector<std::string>{"distill"});
  EXPECT_EQ(fake::tensor(found.outcome.graph, "w2"), fake::tensor(found.cut, "w2"));
}

TEST(PruneAndTrain, what_is_kept_is_what_was_trained) {
  for (const double rate : {1e-4, 1e-3, 1e-2}) {
    const Distilled found = distilled(rate);
    const RecoverStep& step = found.outcome.recovered->steps.back();
    EXPECT_EQ(step.kept, *step.after < *step.before);
    EXPECT_EQ(fake::tensor(found.outcome.graph, "w2") == fake::tensor(found.cut, "w2"), !step.kept);
  }
}

}  // namespace
}  // namespace coppice
