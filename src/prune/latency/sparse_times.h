// How long a net takes by how many of each layer's weights are zero, measured here: all layers lose
// the same share, for several shares, and the nets run in turns in the runtime that leaves zeros
// out where that is faster, layer by layer under a clock.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "prune/masks/masks.h"

namespace coppice {

struct SparsePoint {
  double zeros = 0;  // share of the layer's weights
  double ms = 0;
};

struct SparseTimes {
  double whole_ms = 0;  // all layers with no more zeros than they came with
  double other_ms = 0;  // of these layers without a weight that may be masked
  // By the name of a weight: zeros rise, times sink (what takes longer with more zeros is noise).
  std::map<std::string, std::vector<SparsePoint>> layers = {};
};

struct MeasureSparse {
  int threads = 1;                                          // from 1 up
  uint64_t seed = 0;                                        // of the inputs
  std::function<void(int done, int runs)> before_run = {};  // may throw, to stop
};

// `pruning`: which layers, and how many filters go together; where they lie makes no difference to
// the time. Throws Error::input, naming the node, for what the runtime can't run, and as
// weights_to_mask does.
SparseTimes measure_sparse(const Graph& graph, const MagnitudeOptions& pruning,
                           const MeasureSparse& options);

// Between two points a straight line; outside them as at the nearest. Requires: one at least.
double time_at_zeros(const std::vector<SparsePoint>& points, double zeros);

// By the name of a weight, the share of its layer that becomes zero, so that the net is foretold to
// take `ms` at most and least is lost: the sum over layers of the share of their squared weights
// that leaves, so that every layer counts alike however large its weights are. Found by a price for
// time, the same for all layers, that each pays or saves. Throws Error::target, with the least time
// that can be had as a share of the whole, where that is more.
std::map<std::string, double> sparsity_by_time(const Graph& graph, const SparseTimes& times,
                                               double ms);

// What the net is foretold to take with such shares.
double foretold_ms(const SparseTimes& times, const std::map<std::string, double>& zeros);

}  // namespace coppice
