// What layers can do without: how wrong they answer with fewer of the channels that they read.
#pragma once

#include <vector>

#include "prune/regression/regress_layers.h"

namespace coppice {

// By group, and by how many of its units leave (from 0 on): the squared error of the layer that
// decides it once that is refitted, in the original net, as a share of the variance of what it
// answers, or of the sum that this is a part of. Never falls; straight between a few counts that
// are tried. Nothing for groups that `whole` says stay. Throws as regress_layers does.
std::vector<std::vector<double>> error_curves(const Graph& graph, const Groups& groups,
                                              const std::vector<char>& whole,
                                              const RegressionOptions& options);

}  // namespace coppice
