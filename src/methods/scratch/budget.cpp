#include "methods/scratch/budget.h"

#include <algorithm>

#include "graph/views/operations.h"
#include "training/judging/evaluation.h"

namespace coppice {

int64_t cost_of_pass(const Graph& graph, const Masks& masks, ScratchBudget::Counter counter) {
  const Operations operations = operations_of(graph, infer(graph, fitting_sizes(graph, {})), masks);
  const int64_t all = counter == ScratchBudget::Counter::macs ? operations.macs : operations.flops;
  return std::max<int64_t>(1, all / std::max<int64_t>(1, fixed_batch(graph)));
}

int64_t scratch_epochs(int64_t dense, const ScratchCosts& costs, const ScratchBudget& budget) {
  if (budget.length == ScratchBudget::Length::dense) return dense;
  const int64_t matched = dense * costs.dense / costs.structure;
  switch (budget.rule) {
    case ScratchBudget::Rule::paper: break;
    case ScratchBudget::Rule::imagenet: return std::clamp<int64_t>(matched, 1, 2 * dense);
    case ScratchBudget::Rule::strict: return std::max<int64_t>(1, matched + budget.rival);
  }
  return std::max<int64_t>(1, matched);
}

}  // namespace coppice
