// Plans are made of the graph before anything makes up for the cut; the proof is of the graph after
// that.
#include "methods/one_shot/one_shot.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "groups/cut/cut_out.h"
#include "groups/cut/surgery.h"
#include "groups/one_sample.h"
#include "methods/one_shot/zeroed_filters.h"
#include "methods/unstructured/mask_weights.h"
#include "prune/latency/latency_meter.h"
#include "prune/runtimes/runtimes.h"

namespace coppice {

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

namespace {

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

PlanRecovery record_of(const Recovered& recovered) {
  PlanRecovery record;
  for (const RecoverStep& step : recovered.steps) {
    (step.kept ? record.kept : record.dropped).push_back(step.name);
  }
  return record;
}

// Whether the outcome says how far zeroed filters alone are from the cut.
enum class Zeroed { unasked, compared };

// Whether all filters that leave are numbers that can be zeroed; codes of integers aren't.
bool filters_are_floats(const Graph& graph, const Groups& groups, const Removal& removal) {
  return std::ranges::all_of(groups.free, [&](const Group& group) {
    return std::ranges::all_of(group.slices, [&](const Slice& slice) {
      return slice.role != Role::filter ||
             graph.value(slice.tensor).constant->dtype() == DType::f32 ||
             leaving_indices(group, slice, removal).empty();
    });
  });
}

// Cuts a copy of the prepared graph (tensors that stay are shared), and proves it. What leaves is
// made up for in the graph before; the proof is of that graph's cut, the plan of the original's.
void cut(Traced traced, const Removal& removal, const OneShotOptions& options, Zeroed compared,
         Outcome& outcome) {
  auto [graph, groups] = std::move(traced).take();
  outcome.plan = plan_of(graph, groups, removal);
  Graph zeroed;
  if (compared == Zeroed::compared && options.verify == Verify::on &&
      filters_are_floats(graph, groups, removal)) {
    zeroed = graph;
    apply_masks(zeroed, masks_of_filters(zeroed, groups, removal));
  }
  if (options.recover.any()) {
    outcome.recovered = recover(graph, groups, removal, options.recover);
    outcome.plan.recovered = record_of(*outcome.recovered);
  }
  const bool zeroes = !zeroed.nodes.empty();
  cut_and_prove(graph, groups, removal, options, outcome, zeroes ? &zeroed : nullptr);
}

}  // namespace

namespace {

// Of what is read or given by a node; constants say their own.
TracedTypes types_of(const Graph& graph, const Groups& groups, const Removal& removal) {
  TracedTypes types;
  const auto whole = one_sample_of(graph, groups);
  if (!whole) return types;
  const std::vector<int64_t> counts = alive_counts(groups, removal);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    const auto& type = whole->types[i];
    if (value.constant || !type || value.name.empty()) continue;
    const auto id = static_cast<ValueId>(i);
    types.before.emplace(value.name, *type);
    types.after.emplace(value.name,
                        TensorType{type->dtype, shape_after(groups, id, type->shape, counts)});
  }
  return types;
}

}  // namespace

void cut_and_prove(const Graph& graph, const Groups& groups, const Removal& removal,
                   const OneShotOptions& options, Outcome& outcome, const Graph* zeroed) {
  outcome.graph = cut_out(graph, groups, removal);
  outcome.types = types_of(graph, groups, removal);
  for (const Group& group : groups.free) {
    const auto first = removal.begin() + group.first_unit;
    outcome.groups.push_back(
        {group.name, group.units(), std::count(first, first + group.units(), 0)});
  }
  if (options.verify == Verify::off) return;
  outcome.proof = require_cut(graph, groups, removal, outcome.graph, options.seed, zeroed);
  outcome.verified = true;
  if (zeroed) outcome.zeroed_filters = zeroed_filters_of(*outcome.proof->zeroed);
}

Replay replay_of(Graph graph, const Plan& plan) {
  loosen(graph);
  Traced plain(std::move(graph));
  std::optional<Traced> speaking;  // says what doesn't fit
  const auto fitting = [&](const Traced& traced) {
    return removal_of(traced.graph(), traced.groups(), plan);
  };
  if (auto removal = attempt(ErrorKind::input, [&] { return fitting(plain); })) {
    return {std::move(plain), std::move(*removal)};
  }
  for (const SelectBefore before : {SelectBefore::batch_norms, SelectBefore::layers}) {
    Graph selecting = plain.graph();
    add_selections(selecting, before);
    if (selecting.nodes.size() == plain.graph().nodes.size()) continue;
    Traced traced(std::move(selecting));
    if (auto removal = attempt(ErrorKind::input, [&] { return fitting(traced); })) {
      return {std::move(traced), std::move(*removal)};
    }
    if (before == SelectBefore::batch_norms) speaking = std::move(traced);
  }
  Removal removal = fitting(speaking ? *speaking : plain);
  return {std::move(plain), std::move(removal)};
}

Graph prepared(Graph graph, const Criterion& criterion, const OneShotOptions& options) {
  using Selection = OneShotOptions::Selection;
  loosen(graph);
  const Selection otherwise = criterion.ranks == Criterion::Ranks::normalisations
                                  ? Selection::before_batch_norms
                                  : Selection::none;
  switch (options.selection.value_or(otherwise)) {
    case Selection::none: break;
    case Selection::before_batch_norms: add_selections(graph); break;
    case Selection::before_layers: add_selections(graph, SelectBefore::layers); break;
  }
  return graph;
}

Rounding rounding_of(const Traced& traced, const OneShotOptions& options) {
  if (options.round_to != kRoundAuto) return Rounding(options.round_to);
  const Runtime& runtime = options.runtime ? *options.runtime : usual_runtime();
  return Rounding(runtime, traced.graph(), traced.groups());
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
                                     .rounding = rounding_of(traced, options),
                                     .most_of_group = options.most_of_group,
                                     .kept_groups = groups_to_keep(graph, groups, options),
                                     .sensitivity = options.sensitivity};
  if (options.budget.of == Budget::Of::latency) {
    return options.latency->allocate(traced, scores, allocation);
  }
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
  cut(std::move(traced), chosen.removal, options, Zeroed::compared, outcome);
  outcome.plan.method = criterion.name;
  return outcome;
}

Outcome cut_to(Traced traced, const Removal& removal, const OneShotOptions& options) {
  Outcome outcome;
  outcome.before = traced.costs().all();
  outcome.after = traced.costs().after(removal);
  cut(std::move(traced), removal, options, Zeroed::unasked, outcome);
  return outcome;
}

Outcome apply_plan(const Graph& original, const Plan& plan, Verify verify, uint64_t seed,
                   const RecoverOptions& recovering) {
  if (!plan.orders.empty() && !plan.slices.empty()) {
    fail_input("a plan that orders channels cuts none, found slices beside orders");
  }
  Outcome outcome;
  if (!plan.masks.empty()) {
    if (recovering.fills_zeros()) {
      throw Error(
          ErrorKind::usage,
          "merge, basis and ls change weights, found a plan with masks that hold some at zero; "
          "leave them out",
          {subject_hint("recover")});
    }
    outcome = mask_weights(original, plan.masks, verify);
    outcome.plan.method = plan.method;
    outcome.plan.orders = plan.orders;
    if (plan.slices.empty()) return outcome;
  }
  auto [traced, removal] =
      replay_of(plan.masks.empty() ? original : std::move(outcome.graph), plan);
  OneShotOptions options;
  options.verify = verify;
  options.seed = seed;
  options.recover = recovering;
  auto weights_before = outcome.weights_before;
  outcome = cut_to(std::move(traced), removal, options);
  outcome.weights_before = weights_before;
  if (!plan.masks.empty()) outcome.weights_after = count_weights(outcome.graph);
  outcome.plan.masks = plan.masks;
  outcome.plan.method = plan.method;
  return outcome;
}

}  // namespace coppice
