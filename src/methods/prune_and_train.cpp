// Pruning once and the training that brings the accuracy back: what every paper's table reports.

#include "core/error.h"
#include "methods/methods.h"
#include "session/session.h"

namespace coppice {
namespace {

void require_masked(const Graph& graph, const Masks& masks) {
  for (const auto& [name, mask] : masks) {
    const std::span<const float> stays = mask.as<float>(),
                                 weights =
                                     graph.value(*find_value(graph, name)).constant->as<float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      COPPICE_CHECK(stays[i] != 0 || weights[i] == 0, "training moved a masked weight of " + name);
    }
  }
}

}  // namespace

Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe) {
  // What goes is a function of the original alone, so a resumed run just finds it again.
  Outcome outcome = prune(session.original());
  session.stage("pruning", [&] { session.adopt(outcome.graph, outcome.plan, outcome.plan.masks); });
  session.stage("fine-tuning", [&] { session.train(recipe); });
  outcome.graph = session.graph();
  if (outcome.weights_after) {
    outcome.weights_after = count_weights(outcome.graph);
    require_masked(outcome.graph, outcome.plan.masks);
  }
  return outcome;
}

}  // namespace coppice
