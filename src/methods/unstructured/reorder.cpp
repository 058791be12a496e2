// See reorder.h.
#include "methods/unstructured/reorder.h"

#include "core/error.h"
#include "verify/compare.h"

namespace coppice {

void reorder(Outcome& outcome, Verify verify, uint64_t seed) {
  if (outcome.plan.orders.empty()) return;
  const Graph before = outcome.graph;
  reorder_channels(outcome.graph, outcome.plan.orders);
  if (verify == Verify::off) return;
  const Comparison comparison = compare(before, outcome.graph, fitting_sizes(before, {}), seed);
  if (comparison.equal()) return;
  fail_input("the orders of channels change the outputs by " + std::to_string(comparison.error) +
             " of the largest, expected at most " + std::to_string(comparison.allowed()) +
             "; is this another model's plan?");
}

}  // namespace coppice
