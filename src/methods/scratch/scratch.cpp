// See scratch.h. What is drawn is a function of structure and seed, so that a run that goes on
// finds the same.
#include "methods/scratch/scratch.h"

#include "methods/one_shot/same_structure.h"
#include "methods/scratch/given_structure.h"
#include "methods/unstructured/mask_weights.h"
#include "report/format.h"
#include "session/reinitialise.h"
#include "session/state/beside_weights.h"

namespace coppice {
namespace {

using Counter = ScratchBudget::Counter;

// All that stays zero beside the structure's weights.
Masks masks_of(const ScratchStructure& structure, const Kept& kept) {
  const Plan& plan = structure.outcome.plan;
  Masks masks = masks_after_cut(plan);
  add_masks(masks, zeros_after(kept, plan));
  return masks;
}

Graph drawn_anew(const ScratchStructure& structure, const Graph& original, const Masks& masks,
                 uint64_t seed) {
  Graph graph = structure.outcome.graph;
  const auto own = initialisation_of(graph);
  reinitialise(graph,
               {.by = own ? own : initialisation_of(original), .seed = seed, .masks = masks});
  return graph;
}

}  // namespace

Outcome train_from_scratch(Session& session, ScratchStructure structure, const Recipe& recipe,
                           const ScratchOptions& options) {
  Outcome& outcome = structure.outcome;
  const Graph& original = session.original();
  const bool keeps = options.zeros == SessionOptions::Zeros::keep;
  const Kept before = keeps ? kept_of(original) : Kept{};
  const Kept kept = keeps && !structure.of_original ? kept_of(outcome.graph) : before;
  const Masks masks = masks_of(structure, kept);
  const auto costs_by = [&](Counter counter) {
    return ScratchCosts{cost_of_pass(original, before.zeros, counter),
                        cost_of_pass(outcome.graph, masks, counter)};
  };
  const ScratchCosts costs = costs_by(options.budget.counter), macs = costs_by(Counter::macs);
  Recipe longer = recipe;
  longer.epochs = scratch_epochs(recipe.epochs, costs, options.budget);
  if (longer.epochs != recipe.epochs) {
    options.remark("trains " + std::to_string(longer.epochs) + " epochs: the dense net's " +
                   std::to_string(recipe.epochs) + ", which cost " + significant(costs.ratio(), 4) +
                   " times as much each");
  }
  session.stage("drawing weights anew", [&] {
    session.note("cost_ratio", costs.ratio());
    session.adopt(drawn_anew(structure, original, masks, options.seed), outcome.plan, masks);
  });
  session.stage("training from scratch", [&] { session.train(longer); });
  require_same_structure(session.graph(), outcome.graph,
                         structure.of_original ? original : outcome.graph);
  outcome.graph = session.graph();
  if (!masks.empty()) outcome.weights_after = count_weights(outcome.graph);
  require_zeros(outcome.graph, masks);
  const int64_t images = std::ssize(session.images(Part::training));
  outcome.facts = {{"scratch_epochs", longer.epochs},
                   {"training_macs", macs.structure * images * longer.epochs},
                   {"dense_training_macs", macs.dense * images * recipe.epochs}};
  return outcome;
}

}  // namespace coppice
