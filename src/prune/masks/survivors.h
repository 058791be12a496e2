// Iterative pruning: which of the weights that masks leave go next.
//
// Source: Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv:1803.03635, Sec. 2.
// Differs: exactly round(p n) of n weights go, ties by index, where the authors' code removes all
// up to a threshold, and with it one more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "prune/masks/masks.h"

namespace coppice {

// Masks of all maskable weights but those of layers to keep: 1, but where `zeros`, masks of some of
// them, are 0. Throws Error::target where there is nothing to mask, Error::usage where a pattern
// matches nothing.
Masks all_left(const Graph& graph, const std::vector<std::string>& keep, const Masks& zeros);

// Of each layer that `leaving` names, masks the so many smallest |w| of those that are left; or of
// all layers together. The largest that is left in a layer stays, so fewer may go. Requires: masks
// are of constants of the graph.
void drop_smallest(Masks& masks, const Graph& graph, const std::map<std::string, int64_t>& leaving);
void drop_smallest_of_all(Masks& masks, const Graph& graph, int64_t leaving);

// As many zeros in each, at random places of those where `within`, masks of the same weights,
// isn't 0.
Masks shuffled(const Masks& masks, const Masks& within, uint64_t seed);

}  // namespace coppice
