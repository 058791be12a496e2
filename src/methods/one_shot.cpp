// One-shot pruning without data: score every unit, choose by rank for the budget, cut, prove. What
// a method's paper does between and after (training) is not here.

#include <algorithm>

#include "core/error.h"
#include "groups/surgery.h"
#include "methods/methods.h"

namespace coppice {
namespace {

constexpr Method kMethods[] = {
    {"l1", "Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017, arXiv:1608.08710",
     "drops the filters with the smallest sum of absolute weights", "nothing but the model", "l1"},
    {"l2", "He et al., Soft Filter Pruning, IJCAI 2018, arXiv:1808.06866 (its criterion)",
     "drops the filters with the smallest Euclidean norm", "nothing but the model", "l2"},
    {"fpgm", "He et al., Filter Pruning via Geometric Median, CVPR 2019, arXiv:1811.00250",
     "drops the filters that the others of their layer can best stand in for",
     "nothing but the model", "fpgm"},
    {"bn-scale", "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519 (its ranking)",
     "drops the channels with the smallest BatchNormalization scale of the whole network",
     "BatchNormalization in the model", "bn-scale"},
    {"random", "the control that every criterion must beat", "drops filters at random, by --seed",
     "nothing but the model", "random"},
};

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
}

}  // namespace

std::span<const Method> methods() { return kMethods; }

const Method& find_method(const std::string& name) {
  std::string names;
  for (const Method& method : kMethods) {
    if (method.name == name) return method;
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  fail_usage("unknown method '" + name + "', expected one of " + names +
             "; 'coppice methods' says what each does");
}

Outcome prune_once(const Graph& graph, const Method& method, const OneShotOptions& options) {
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

Outcome apply_plan(const Graph& graph, const Plan& plan, OneShotOptions::Verify verify,
                   uint64_t seed) {
  const Groups groups = find_groups(graph);
  const Removal removal = removal_of(graph, groups, plan);
  const Inferred at_one = infer(graph);
  Outcome outcome;
  outcome.before = costs_of(graph, at_one);
  outcome.after = costs_after(graph, groups, at_one, removal);
  cut(graph, groups, removal, verify, seed, outcome);
  outcome.plan.method = plan.method;
  return outcome;
}

}  // namespace coppice
