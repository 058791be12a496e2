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

namespace {

// The error of the outputs before and after the training, where something judges.
RecoverStep distilled(const Session& session, const Graph& cut, const RecoverOptions& recover) {
  RecoverStep step{.name = "distill"};
  if (!recover.judge) return step;
  const OutputError judge(session.original(), recover.judge, recover.outputs);
  if (!judge.known()) return step;
  step.before = judge.of(cut);
  step.after = judge.of(session.graph());
  step.kept = *step.after < *step.before;
  return step;
}

}  // namespace

Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe, const RecoverOptions& recover) {
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
  if (recover.distill) {
    RecoverStep step = distilled(session, outcome.graph, recover);
    if (!outcome.plan.recovered) outcome.plan.recovered.emplace();
    (step.kept ? outcome.plan.recovered->kept : outcome.plan.recovered->dropped)
        .push_back(step.name);
    session.stage("keeping what helps", [&] {
      if (!step.kept) session.edit(outcome.graph);
    });
    if (!outcome.recovered) outcome.recovered.emplace();
    outcome.recovered->steps.push_back(std::move(step));
  }
  outcome.graph = session.graph();
  if (outcome.weights_after) {
    outcome.weights_after = count_weights(outcome.graph);
    require_zeros(outcome.graph, outcome.plan.masks);
  }
  return outcome;
}

}  // namespace coppice
