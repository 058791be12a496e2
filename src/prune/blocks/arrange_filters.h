// Which filters should be neighbours, so that blocks of them (filter_blocks.h) keep more of the
// weights' magnitude: those whose large weights are at the same places.
//
// Greedily: a block begins with the filter of the largest sum that is left, and takes, one by one,
// the filter with which it keeps most, that is with the largest sum of what its cells have above
// the mean magnitude at which cells begin to leave. Then two filters of different blocks change
// places as long as that keeps more. Where filters are those of several layers (a residual stream)
// all count together.
//
// Source: rearranging filters for blocks: Lin et al., "1xN Pattern for Pruning Convolutional Neural
// Networks", TPAMI 2022, arXiv:2105.14713, Sec. 3.3.
// Differs: the paper sorts a layer's filters by their sums. Changing places: Pool, Yu, "Channel
// Permutations for N:M Sparsity", NeurIPS 2021, Sec. 4; there all pairs are judged before the best
// one changes, here each as it is met, in a few rounds.
#pragma once

#include "groups/permute.h"
#include "prune/masks/masks.h"

namespace coppice {

// `masks`: of single weights at the sparsity in question, which says how dense each layer is.
// Layers whose channels can't change places, or don't begin at a block, stay as they lie.
// Orders of all slices of a group, by group.
std::vector<std::vector<ChannelOrder>> arrange_filters(const Graph& graph, const Groups& groups,
                                                       const MagnitudeOptions& options,
                                                       const Masks& masks);

// By weight, its filters in these orders, which are composed (MagnitudeOptions::filters).
std::map<std::string, std::vector<int64_t>> filter_orders(const Graph& graph,
                                                          std::span<const ChannelOrder> orders);

}  // namespace coppice
