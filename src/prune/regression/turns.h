// A layer at its turn: what it reads in the net as it is by now, what it is asked for, and its
// weights. The header needs Eigen, so only prune includes it.
#pragma once

#include <vector>

#include "prune/regression/choose_units.h"
#include "prune/regression/original_samples.h"
#include "prune/regression/unit_readers.h"

namespace coppice {

// All without what has left before.
struct Turn {
  const LayerWork& work;
  std::vector<int64_t> rows, columns;  // of the weight as a matrix
  Tensor inputs;                       // [N, all columns]
  Matrix weight;                       // [rows, columns], with the layer's scale
  // By row; factor: what BatchNormalization behind multiplies the output by; counts: its square.
  Vector bias, factor, counts;
  SampleMoments moments;

  explicit Turn(const LayerWork& its) : work(its) {}
};

// The net by now: masked, so that names and numbers are the original's, and what has left.
struct NetByNow {
  Graph graph;
  Removal removal;
};

class Turns {
 public:
  // Requires: all of them live as long.
  Turns(const Graph& original, const Groups& groups, const std::vector<LayerWork>& works,
        const RegressionOptions& options)
      : original_(original),
        groups_(groups),
        works_(works),
        options_(options),
        readers_(unit_readers(original, groups)) {}

  Turn of(const LayerWork& work, const WantedSamples& wanted, const NetByNow& net) const;
  // Whether its outputs and its inputs vary. Throws Error::input for a layer that loses inputs.
  bool varies(const Turn& turn) const;
  // The LASSO's problem over a group's units, of all layers that read them.
  LassoProblem problem_of(const Turn& turn, size_t group, const NetByNow& net) const;
  ReadUnits read_units(const Turn& turn, size_t group) const;
  // Of the weight as a matrix.
  std::vector<int64_t> live_columns(const Contraction& layer, const Removal& removal) const;

 private:
  Turn of_other(int32_t node, const NetByNow& net) const;
  Vector factor_behind(const LayerWork& work, const Graph& graph) const;

  const Graph& original_;
  const Groups& groups_;
  const std::vector<LayerWork>& works_;
  const RegressionOptions& options_;
  std::vector<UnitReaders> readers_;
};

}  // namespace coppice
