// Which layers of a graph run sparse, and by which loops: measured, layer by layer, with what it
// takes to bring images from one layout into another; and kept by processor and net.
//
// A layer (a convolution, or a product of few rows) is looked at only where enough of its weights
// are zero. It runs sparse where that and the copies that it needs take less than kDenseFavour of
// the dense time, and the whole net runs sparse only where it is faster than the whole net run
// dense.
#pragma once

#include <map>
#include <string>

#include "runtime/sparse/candidates.h"

namespace coppice::runtime {

struct SparseChoices {
  PlaneSizes sizes = {};
  std::map<int32_t, SparseVariant> convs = {};  // by a layer's first node
  std::map<int32_t, Isa> products = {};         // the same

  void leave_dense() {
    convs.clear();
    products.clear();
  }
};

// The share of the dense time that a sparse layer may take.
inline constexpr double kDenseFavour = 0.9;

// By timing. Requires: `candidates` are of this graph, which is simplified, and of these layers.
SparseChoices choose_sparse(const Graph& graph, const Inferred& inferred,
                            const std::vector<Layer>& layers, const SparseCandidates& candidates,
                            int threads);
// All layers that could, by the first variant: for tests.
SparseChoices all_sparse(const SparseCandidates& candidates);

// What choices are kept by: the processor, the threads, and all that decides how long layers take.
std::string choices_key(const SparseCandidates& candidates, int threads);
// Kept in `folder`, unless it is empty. Reading gives nothing where there is none for this key, or
// it isn't one.
std::optional<SparseChoices> read_choices(const std::string& folder, const std::string& key,
                                          const SparseCandidates& candidates);
void keep_choices(const std::string& folder, const std::string& key, const SparseChoices& choices);

}  // namespace coppice::runtime
