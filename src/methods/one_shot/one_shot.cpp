// Plans are made of the graph before anything makes up for the cut; the proof is of the graph after
// that.
#include "methods/one_shot/one_shot.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "methods/one_shot/zeroed_filters.h"
#include "methods/unstructured/mask_weights.h"

namespace coppice {
namespace {

std::vector<char> groups_to_keep(const Graph& graph, const Groups& groups,
                                 const OneShotOptions& options) {
  std::vector<char> kept(groups.free.size(), 0);
  const auto add = [&](const std::vector<char>& more) {
    for (size_t g = 0; g < kept.size(); ++g) kept[g] = kept[g] || more[g];
  };
  for (const std::string& pattern : options.keep)
    add(matching_groups(graph, groups, pattern, "keep"));
  if (options.spine == OneShotOptions::Spine::keep) add(spine_groups(graph, groups));
  add(selected_streams(graph, groups));
  return kept;
}

Allocation by_layer_ratios(const Traced& traced, const Scores& scores,
                           const OneShotOptions& options) {
  const Groups& groups = traced.groups();
  std::vector<char> kept = groups_to_keep(traced.graph(), groups, options);
  for (size_t g = 0; g < scores.unscored.size(); ++g) kept[g] = kept[g] || scores.unscored[g];
  const double otherwise = options.budget.of == Budget::Of::ratio ? 1 - options.budget.kept : 0;
  const Widths widths = widths_by_ratios(traced.graph(), groups, options.layer_ratios, otherwise,
                                         kept, "layer-ratio");
  Removal removal = removal_for(groups, scores, widths);
  if (std::ranges::count(removal, 1) == 0) {
    fail_target(
        "nothing leaves: the groups that --layer-ratio names are too narrow for their shares, or "
        "to be kept");
  }
  const Costs after = traced.costs().after(removal);
  return {.removal = std::move(removal), .before = traced.costs().all(), .after = after};
}

struct CutOptions {
  Verify verify;
  uint64_t seed;
  CompensationOptions recover;
  enum class Zeroed { unasked, compared } zeroed = Zeroed::unasked;  // Outcome::zeroed_filters
};

// Cuts a copy of the prepared graph (tensors that stay are shared), and proves it. What leaves is
// made up for in the graph before; the proof is of that graph's cut, the plan of the original's.
void cut(Traced traced, const Removal& removal, const CutOptions& options, Outcome& outcome) {
  auto [graph, groups] = std::move(traced).take();
  outcome.plan = plan_of(graph, groups, removal);
  Graph zeroed;
  if (options.zeroed == CutOptions::Zeroed::compared && options.verify == Verify::on) {
    zeroed = graph;
    apply_masks(zeroed, masks_of_filters(zeroed, groups, removal));
  }
  if (options.recover.any()) {
    outcome.recovered = compensate(graph, groups, removal, options.recover);
  }
  outcome.graph = graph;
  remove_units(outcome.graph, groups, removal);
  merge_copies(outcome.graph);
  settle_selections(outcome.graph);
  for (const Group& group : groups.free) {
    const auto first = removal.begin() + group.first_unit;
    outcome.groups.push_back(
        {group.name, group.units(), std::count(first, first + group.units(), 0)});
  }
  if (options.verify == Verify::off) return;
  const bool zeroes = !zeroed.nodes.empty();
  outcome.proof =
      require_cut(graph, groups, removal, outcome.graph, options.seed, zeroes ? &zeroed : nullptr);
  outcome.verified = true;
  if (zeroes) outcome.zeroed_filters = zeroed_filters_of(*outcome.proof->zeroed);
}

// A plan on the graph that it fits: loosened, and with selections only if it doesn't fit without.
// They give a normalisation units of its own, but hold a few other things more tightly (a stream
// that a grouped convolution reads through one).
struct Replay {
  Traced traced;
  Removal removal;
};

Replay replay_of(Graph graph, const Plan& plan) {
  loosen(graph);
  Traced traced(std::move(graph));
  const auto fitting = [&] { return removal_of(traced.graph(), traced.groups(), plan); };
  if (auto removal = attempt(ErrorKind::input, fitting)) {
    return {std::move(traced), std::move(*removal)};
  }
  Graph selecting = traced.graph();
  add_selections(selecting);
  // Where there are none, the first try says what doesn't fit.
  if (selecting.nodes.size() != traced.graph().nodes.size()) traced = Traced(std::move(selecting));
  Removal removal = fitting();
  return {std::move(traced), std::move(removal)};
}

}  // namespace

Graph prepared(Graph graph, const Criterion& criterion, const OneShotOptions& options) {
  using Selection = OneShotOptions::Selection;
  loosen(graph);
  const Selection otherwise = criterion.ranks == Criterion::Ranks::normalisations
                                  ? Selection::before_batch_norms
                                  : Selection::none;
  if (options.selection.value_or(otherwise) == Selection::before_batch_norms) add_selections(graph);
  return graph;
}

Allocation choose(const Traced& traced, const Criterion& criterion, const OneShotOptions& options) {
  const Graph& graph = traced.graph();
  const Groups& groups = traced.groups();
  require_finite(graph);
  const Scores scores = score_units(graph, groups, criterion,
                                    {.seed = options.seed,
                                     .aggregate = options.aggregate,
                                     .own = options.of_criterion,
                                     .measure = options.measure});
  if (!options.layer_ratios.empty()) return by_layer_ratios(traced, scores, options);
  const AllocationOptions allocation{.budget = options.budget,
                                     .scope = options.scope.value_or(criterion.scope),
                                     .round_to = options.round_to,
                                     .most_of_group = options.most_of_group,
                                     .kept_groups = groups_to_keep(graph, groups, options)};
  return allocate(groups, traced.costs(), scores, allocation);
}

RemoveOptions removing(const OneShotOptions& options) {
  const bool proved = options.verify == Verify::on;
  return {.recover = options.recover,
          .proof = proved ? RemoveOptions::Proof::on : RemoveOptions::Proof::off,
          .seed = options.seed};
}

Outcome prune_once(const Graph& original, const Criterion& criterion,
                   const OneShotOptions& options) {
  Traced traced(prepared(original, criterion, options));
  const Allocation chosen = choose(traced, criterion, options);
  Outcome outcome;
  outcome.before = chosen.before;
  outcome.after = chosen.after;
  outcome.rounding_moved = chosen.rounding_moved;
  cut(std::move(traced), chosen.removal,
      {options.verify, options.seed, options.recover, CutOptions::Zeroed::compared}, outcome);
  outcome.plan.method = criterion.name;
  return outcome;
}

Outcome apply_plan(const Graph& original, const Plan& plan, Verify verify, uint64_t seed,
                   const CompensationOptions& recover) {
  Outcome outcome;
  if (!plan.masks.empty()) {
    if (recover.merge) {
      throw Error(
          ErrorKind::usage,
          "merge changes weights, found a plan with masks that hold some at zero; leave it out",
          {subject_hint("recover")});
    }
    outcome = mask_weights(original, plan.masks, verify);
    outcome.plan.method = plan.method;
    if (plan.slices.empty()) return outcome;
  }
  auto [traced, removal] =
      replay_of(plan.masks.empty() ? original : std::move(outcome.graph), plan);
  outcome.before = traced.costs().all();
  outcome.after = traced.costs().after(removal);
  cut(std::move(traced), removal, {verify, seed, recover}, outcome);
  if (!plan.masks.empty()) outcome.weights_after = count_weights(outcome.graph);
  outcome.plan.masks = plan.masks;
  outcome.plan.method = plan.method;
  return outcome;
}

}  // namespace coppice
