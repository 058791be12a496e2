// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626; Han, Mao, Dally, "Deep Compression", ICLR 2016,
// arXiv:1510.00149.
#include "methods/unstructured/deep_compression.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "groups/groups.h"
#include "methods/one_shot/same_structure.h"
#include "methods/unstructured/mask_weights.h"
#include "methods/unstructured/pattern.h"
#include "methods/unstructured/rescale_dropout.h"
#include "prune/masks/dead_units.h"
#include "prune/scores/criterion.h"
#include "session/session.h"

namespace coppice {
namespace {

double share_of_round(double final_sparsity, const DeepCompressionOptions& options, int64_t round) {
  const double done = static_cast<double>(round) / static_cast<double>(options.rounds);
  return 1 - std::pow(1 - final_sparsity, done);
}

enum class Layers { all, matrices, convolutions };

std::set<std::string> names_of(const Graph& graph, Layers layers) {
  std::set<std::string> names;
  for (const ValueId id : maskable_weights(graph)) {
    const bool matrix = graph.value(id).constant->rank() == 2;
    if (layers == Layers::all || matrix == (layers == Layers::matrices)) {
      names.insert(graph.value(id).name);
    }
  }
  return names;
}

void prune_and_retrain(Session& session, const DeepCompressionOptions& options, int64_t round,
                       Layers layers, Recipe recipe) {
  std::string suffix = " " + std::to_string(round) + " of " + std::to_string(options.rounds);
  const std::set<std::string> pruned = names_of(session.original(), layers);
  if (layers != Layers::all) {
    suffix += layers == Layers::matrices ? ", matrices" : ", convolutions";
    recipe.frozen = names_of(session.original(),
                             layers == Layers::matrices ? Layers::convolutions : Layers::matrices);
    if (pruned.empty() || recipe.frozen.empty()) {
      fail_target(
          "nothing to alternate: expected convolutions and matrices, found one kind alone; retrain "
          "all layers together");
    }
  }
  session.stage("pruning" + suffix, [&] {
    DeepCompressionOptions now = options;
    // Convolutions were frozen since matrices were chosen, so this ends the same ranking.
    if (layers == Layers::convolutions) {
      now.pruning.decided = names_of(session.graph(), Layers::matrices);
    }
    Masks masks = masks_of_round(session.graph(), now, round);
    std::erase_if(masks, [&](const auto& mask) { return !pruned.contains(mask.first); });
    session.mask(masks, Session::Masking::hard);
    Graph graph = session.graph();
    Masks alive = without_dead_units(graph, find_groups(graph), session.masks());
    if (options.pruning.together > 1) alive = in_whole_blocks(graph, options.pruning, alive);
    session.mask(alive, Session::Masking::hard);
    graph = session.graph();
    rescale_dropout(graph, session.original());
    session.edit(std::move(graph));
  });
  session.stage("retraining" + suffix, [&] { session.train(recipe); });
}

}  // namespace

MagnitudeOptions pruning_of_round(const Graph& graph, const DeepCompressionOptions& options,
                                  int64_t round) {
  MagnitudeOptions pruning = options.pruning;
  pruning.sparsity = share_of_round(pruning.sparsity, options, round);
  for (auto& [layer, sparsity] : pruning.layers)
    sparsity = share_of_round(sparsity, options, round);
  if (!options.quality) return pruning;
  const double quality =
      *options.quality * static_cast<double>(round) / static_cast<double>(options.rounds);
  for (const ValueId id : maskable_weights(graph)) {
    const Value& value = graph.value(id);
    pruning.layers.try_emplace(value.name, sparsity_of_quality(*value.constant, quality));
  }
  return pruning;
}

Masks masks_of_round(const Graph& graph, const DeepCompressionOptions& options, int64_t round) {
  return magnitude_masks(graph, pruning_of_round(graph, options, round));
}

Outcome deep_compression(Session& session, const DeepCompressionOptions& asked,
                         const Recipe& recipe) {
  require_finite(session.original());
  if (!asked.quality) require_denser_than_asked(session.original(), asked.pruning);
  const Pattern pattern =
      find_pattern(session.original(), pruning_of_round(session.original(), asked, asked.rounds));
  DeepCompressionOptions options = asked;
  options.pruning.filters = pattern.pruning.filters;
  if (options.sharing)
    bits_of_layers(session.original(), *options.sharing);  // what fails, fails now
  for (int64_t round = 1; round <= options.rounds; ++round) {
    if (options.retraining == DeepCompressionOptions::Retraining::together) {
      prune_and_retrain(session, options, round, Layers::all, recipe);
    } else {
      prune_and_retrain(session, options, round, Layers::matrices, recipe);
      prune_and_retrain(session, options, round, Layers::convolutions, recipe);
    }
  }
  if (options.sharing) share_and_tune(session, *options.sharing, recipe);
  Outcome outcome = mask_weights(session.original(), session.masks(), Verify::on);
  outcome.graph = session.graph();
  restore_dropout(outcome.graph, session.original());
  require_same_structure(outcome.graph, session.original(), session.original());
  outcome.weights_after = count_weights(outcome.graph);
  outcome.plan.method = "deep-compression";
  outcome.facts = {{"dropouts", count_dropouts(session.original())}};
  pattern.say(outcome);
  return outcome;
}

}  // namespace coppice
