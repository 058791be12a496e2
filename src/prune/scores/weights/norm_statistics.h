// Whether filter norms are worth ranking by: how they are spread in each layer, and how far ranking
// by them differs from FPGM.
//
// Source: He et al., "Filter Pruning via Geometric Median", CVPR 2019, arXiv:1811.00250, Sec. 3.2:
// norms tell filters apart only where they deviate much and the smallest is near zero.
#pragma once

#include <vector>

#include "groups/groups.h"

namespace coppice {

// Euclidean norms of one layer's filters, as far as they are units of a group.
struct NormStatistics {
  ValueId weight = kNoValue;
  int64_t units = 0;
  double mean = 0, deviation = 0, least = 0, most = 0;
  // Of the filters that the group would lose by norm, the share that it would lose by FPGM, too.
  double overlap = 0;

  // The two preconditions. The limits are ours; the paper gives none.
  bool spread() const { return deviation >= kLeastSpread * mean; }
  bool reaches_zero() const { return least <= kMostLeast * mean; }
  static constexpr double kLeastSpread = 0.25, kMostLeast = 0.5;
};

// `removed`: the share of every group that would leave, for the overlap. Layers in the order of
// groups and their slices; only float32 ones.
std::vector<NormStatistics> norm_statistics(const Graph& graph, const Groups& groups,
                                            double removed);

}  // namespace coppice
