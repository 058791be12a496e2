// The layers that may run sparse, and what is worth a try for each.
#pragma once

#include <vector>

#include "runtime/sparse/product/product_layer.h"

namespace coppice::runtime {

// Below this share of zeros no sparse loop was ever faster, on any processor that we measured.
inline constexpr double kFewestZeros = 0.4;

struct Candidate {
  const Layer* layer;
  SparseLayer sparse;
  int64_t nonzeros;
  int rows_together;
  std::string key;  // layers of one key take as long
};

struct ProductCandidate {
  const Layer* layer;
  ProductLayer product;
  int64_t nonzeros;
  std::string key;
};

struct SparseCandidates {
  std::vector<Candidate> layers = {};
  PlaneSizes sizes = {};  // that they need
  std::vector<ProductCandidate> products = {};

  bool empty() const { return layers.empty() && products.empty(); }
};
SparseCandidates candidates_of(const Graph& graph, const Inferred& inferred,
                               const std::vector<Layer>& layers);
// At most three.
std::vector<SparseVariant> variants_of(const Candidate& candidate);

struct LayerCost {
  double dense_ms = 0, sparse_ms = 0;
  double bring_x_ms = 0, bring_y_ms = 0;  // from one layout into the other
  SparseVariant variant = {};
};
LayerCost measure_layer(const Graph& graph, const Inferred& inferred, const Candidate& candidate,
                        const PlaneSizes& sizes, int threads);
// Products read and write images as the dense ones do.
LayerCost measure_product(const Graph& graph, const Inferred& inferred,
                          const ProductCandidate& candidate, int threads);

}  // namespace coppice::runtime
