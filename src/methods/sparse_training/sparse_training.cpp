// See sparse_training.h.
#include "methods/sparse_training/sparse_training.h"

#include <algorithm>

#include "methods/one_shot/same_structure.h"
#include "methods/unstructured/mask_weights.h"

namespace coppice {

const CountOption kMaskEvery({"mask-every", "N", "changes masks every N updates"}, 1, 1'000'000'000,
                             100);
const NumberOption kMaskUntil({"mask-until", "SHARE",
                               "changes masks until this share of the training is done"},
                              {.low = 0, .high = 1}, 0.75);

double density_of(const Session& session) {
  const auto all = static_cast<double>(count_weights(session.graph()).all);
  double masked = 0;
  for (const auto& [name, mask] : session.masks()) {
    masked += static_cast<double>(std::ranges::count(mask.as<float>(), 0.0f));
  }
  return (all - masked) / all;
}

int64_t updates_of(const Session& session, const Recipe& recipe) {
  return session.batches(recipe) * recipe.epochs;
}

Outcome masked_outcome(const Session& session, const std::string& method) {
  Outcome outcome = mask_weights(session.original(), session.masks(), Verify::on);
  require_same_structure(session.graph(), outcome.graph, session.original());
  outcome.graph = session.graph();
  outcome.weights_after = count_weights(outcome.graph);
  require_zeros(outcome.graph, session.masks());
  outcome.plan.method = method;
  return outcome;
}

}  // namespace coppice
