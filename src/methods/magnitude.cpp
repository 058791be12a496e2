// Unstructured pruning by magnitude: the smallest weights become zero, every shape stays.
//
// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626, Sec. 3.
// Differs: once and without training again; by rank (prune/masks.h).

#include "methods/mask_weights.h"
#include "methods/methods.h"

namespace coppice {

Outcome prune_by_magnitude(const Graph& graph, const MagnitudeOptions& options,
                           OneShotOptions::Verify verify) {
  require_finite(graph);
  require_denser_than_asked(graph, options);
  Outcome outcome = mask_weights(graph, magnitude_masks(graph, options), verify);
  outcome.plan.method = "magnitude";
  return outcome;
}

}  // namespace coppice
