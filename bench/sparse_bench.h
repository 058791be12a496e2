// What sparse_bench is told, and its measurements of single layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/executable.h"
#include "support/onnxruntime.h"

namespace coppice {

struct SparseBenchOptions {
  int rounds = 5, threads = 1;
  bool profile = false;
  std::vector<std::string> what;
};

// Zeros in blocks of `together` output channels; the stem, of three channels, stays dense.
void prune_at_random(Graph& graph, double zeros, int64_t together);
Target target_of(int threads, Target::Sparsity sparsity);

// Convolutions on sparse weights, whether or not that pays, beside oneDNN's direct ones.
void measure_convolutions(const SparseBenchOptions& options);
// Products of few rows, with weights that no cache has; ONNX Runtime's run one after the other, so
// that what its caches hold is there.
void measure_products(const SparseBenchOptions& options, std::optional<OnnxRuntime>& peer);
// Layers at every sparsity: what is chosen beside dense, which it must never be slower than.
void walk_sparsities(const SparseBenchOptions& options);

}  // namespace coppice
