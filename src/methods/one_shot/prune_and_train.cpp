#include "methods/one_shot/prune_and_train.h"

#include <algorithm>

#include "methods/one_shot/same_structure.h"
#include "methods/unstructured/mask_weights.h"
#include "session/state/fact_names.h"

namespace coppice {

Measure measuring_in(Session& session, const Recipe& recipe, const OneShotOptions& options) {
  return session.measuring({.batches = std::max<int64_t>(1, options.images / recipe.batch),
                            .batch = recipe.batch,
                            .seed = options.seed,
                            .loss = recipe.loss,
                            .losses = recipe.losses});
}

Outcome outcome_of(const Session& session, const std::string& method,
                   const OneShotOptions& options) {
  Outcome outcome = apply_plan(session.original(), session.plan(), options.verify, options.seed);
  require_same_structure(session.graph(), outcome.graph, session.original(),
                         options.recover.any() ? NewBiases::allowed : NewBiases::none);
  outcome.graph = session.graph();
  outcome.plan.method = method;
  return outcome;
}

Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe) {
  // What goes is a function of the original alone, so a resumed run just finds it again.
  Outcome outcome = prune(session.original());
  session.stage("pruning", [&] {
    if (outcome.recovered && session.can_evaluate()) {
      const Graph plain = apply_plan(session.original(), outcome.plan, Verify::off, 0).graph;
      session.note(kUnrecoveredTop1, session.evaluate(plain, Part::held_out).top1);
    }
    session.adopt(outcome.graph, outcome.plan, outcome.plan.masks);
  });
  session.stage("fine-tuning", [&] { session.train(recipe); });
  require_same_structure(session.graph(), outcome.graph, session.original());
  outcome.graph = session.graph();
  if (outcome.weights_after) {
    outcome.weights_after = count_weights(outcome.graph);
    require_zeros(outcome.graph, outcome.plan.masks);
  }
  return outcome;
}

}  // namespace coppice
