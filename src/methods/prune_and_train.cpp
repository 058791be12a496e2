// A one-shot cut and the training that brings the accuracy back: what every paper's table reports.

#include "methods/methods.h"
#include "session/session.h"

namespace coppice {

Outcome prune_and_train(Session& session, const Method& method, const OneShotOptions& options,
                        const Recipe& recipe) {
  // The cut is a function of the original alone, so a resumed run just makes it again.
  Outcome outcome = prune_once(session.original(), method, options);
  session.stage("cutting", [&] { session.adopt(outcome.graph, outcome.plan, {}); });
  session.stage("fine-tuning", [&] { session.train(recipe); });
  outcome.graph = session.graph();
  return outcome;
}

}  // namespace coppice
