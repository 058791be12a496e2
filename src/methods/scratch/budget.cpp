#include "methods/scratch/budget.h"

#include <algorithm>

#include "graph/views/operations.h"

namespace coppice {

int64_t cost_of_pass(const Graph& graph, const Masks& masks, ScratchBudget::Counter counter) {
  const Operations operations = operations_of(graph, infer(graph, fitting_sizes(graph, {})), masks);
  return std::max<int64_t>(
      1, counter == ScratchBudget::Counter::macs ? operations.macs : operations.flops);
}

int64_t scratch_epochs(int64_t dense, const ScratchCosts& costs, const ScratchBudget& budget) {
  if (budget.length == ScratchBudget::Length::dense) return dense;
  const auto matched = static_cast<int64_t>(static_cast<double>(dense) * costs.ratio());
  switch (budget.rule) {
    case ScratchBudget::Rule::paper: break;
    case ScratchBudget::Rule::imagenet: return std::clamp<int64_t>(matched, 1, 2 * dense);
    case ScratchBudget::Rule::strict: return std::max<int64_t>(1, matched + budget.rival);
  }
  return std::max<int64_t>(1, matched);
}

}  // namespace coppice
