// What a reinforcement learner is told of a net's layers.
#pragma once

#include <vector>

#include "groups/traced.h"
#include "search/amc.h"

namespace coppice {

// One for each gene of the space, in the order in which the net computes them: whether it is a
// product of matrices, outputs, inputs, height and width of what it gives, stride, kernel, weights,
// and the share of the multiply-accumulates that the group's narrowest width saves.
std::vector<AmcLayer> amc_layers(const Traced& traced, const SearchSpace& space);

}  // namespace coppice
