// The criteria (one file each, listed in table.cpp) and what they share.
#pragma once

#include <functional>
#include <vector>

#include "prune/scores/criterion.h"

namespace coppice {

// The slices that stand for the group's filters: those with Role::filter, or where there are none
// (units that come straight from an input) those that read the units, or else all.
std::vector<const Slice*> members_of(const Group& group);

// By group: the values that Conv, Gemm and MatMul read its units from (Conv: all channels at once).
std::vector<std::vector<Activation>> activations_of(const Graph& graph, const Groups& groups);

// For each index of the slice's axis, `reduce` over the weights of that index: rows of contiguous
// elements are added up in double.
enum class Power { absolute, square };
std::vector<double> sums_by_index(const Tensor& tensor, int64_t axis, Power power);

// The norm of each unit's weights: the sum of absolute values, or the Euclidean norm.
std::vector<double> norms_of(const Tensor& tensor, const Slice& slice, Power power);

// The weights of each unit, one row a unit: [units, weights of a unit].
std::vector<std::vector<float>> filters_of(const Tensor& tensor, const Slice& slice);

// Each member divided by its mean. One of zeros tells nothing and goes, unless all do.
std::vector<std::vector<double>> normalised(std::vector<std::vector<double>> members);
// One score a unit from those of a group's members, of which there is one at least (aggregate.cpp).
std::vector<float> aggregated(const std::vector<std::vector<double>>& members, Aggregate how);

}  // namespace coppice
