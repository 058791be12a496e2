// One-shot pruning without data: score every unit, choose by rank for the budget, cut, prove. What
// a method's paper does between and after (training) is not here.

#include <algorithm>

#include "core/error.h"
#include "groups/surgery.h"
#include "methods/mask_weights.h"
#include "methods/methods.h"

namespace coppice {
namespace {

std::vector<char> groups_to_keep(const Graph& graph, const Groups& groups,
                                 const OneShotOptions& options) {
  std::vector<char> kept(groups.free.size(), 0);
  const auto add = [&](const std::vector<char>& more) {
    for (size_t g = 0; g < kept.size(); ++g) kept[g] = kept[g] || more[g];
  };
  for (const std::string& pattern : options.keep) add(matching_groups(graph, groups, pattern));
  if (options.spine == OneShotOptions::Spine::keep) add(spine_groups(graph, groups));
  return kept;
}

// Cuts a copy of the graph (tensors that stay are shared), and proves it.
void cut(const Graph& graph, const Groups& groups, const Removal& removal,
         OneShotOptions::Verify verify, uint64_t seed, Outcome& outcome) {
  outcome.graph = graph;
  remove_units(outcome.graph, groups, removal);
  outcome.plan = plan_of(graph, groups, removal);
  for (const Group& group : groups.free) {
    const auto first = removal.begin() + group.first_unit;
    outcome.groups.push_back(
        {group.name, group.units(), std::count(first, first + group.units(), 0)});
  }
  if (verify == OneShotOptions::Verify::off) return;
  outcome.proof = within("the cut can't be proved; '--verify off' does without", [&] {
    return prove_removal(graph, groups, removal, outcome.graph, seed);
  });
  const Comparison& comparison = outcome.proof->comparison;
  if (!comparison.equal()) {
    throw Error(ErrorKind::internal, "the cut model differs from the masked original by " +
                                         std::to_string(comparison.error) +
                                         " of its largest output, expected at most " +
                                         std::to_string(kProofTolerance) +
                                         "; nothing was written; please report this model");
  }
  outcome.verified = true;
}

}  // namespace

Outcome prune_once(const Graph& graph, const Method& method, const OneShotOptions& options) {
  COPPICE_CHECK(method.kind == Method::Kind::structured,
                "'" + std::string(method.name) + "' cuts nothing");
  require_finite(graph);
  const Groups groups = find_groups(graph);
  const Criterion& criterion = find_criterion(method.criterion);
  const Scores scores = score_units(graph, groups, criterion, options.seed);
  AllocationOptions allocation{.budget = options.budget,
                               .scope = criterion.scope,
                               .round_to = options.round_to,
                               .kept_groups = groups_to_keep(graph, groups, options)};
  const Allocation chosen = allocate(graph, groups, infer(graph), scores, allocation);
  Outcome outcome;
  outcome.before = chosen.before;
  outcome.after = chosen.after;
  outcome.rounding_moved = chosen.rounding_moved;
  cut(graph, groups, chosen.removal, options.verify, options.seed, outcome);
  outcome.plan.method = method.name;
  return outcome;
}

Outcome apply_plan(const Graph& original, const Plan& plan, OneShotOptions::Verify verify,
                   uint64_t seed) {
  Outcome outcome;
  if (!plan.masks.empty()) {
    outcome = mask_weights(original, plan.masks, verify);
    outcome.plan.method = plan.method;
    if (plan.slices.empty()) return outcome;
  }
  const Graph graph = plan.masks.empty() ? original : outcome.graph;
  const Groups groups = find_groups(graph);
  const Removal removal = removal_of(graph, groups, plan);
  const Inferred at_one = infer(graph);
  outcome.before = costs_of(graph, at_one);
  outcome.after = costs_after(graph, groups, at_one, removal);
  cut(graph, groups, removal, verify, seed, outcome);
  if (!plan.masks.empty()) outcome.weights_after = count_weights(outcome.graph);
  outcome.plan.masks = plan.masks;
  outcome.plan.method = plan.method;
  return outcome;
}

}  // namespace coppice
