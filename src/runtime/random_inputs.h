// What a graph is fed where any numbers do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/op.h"

namespace coppice {

// float32: normal, deviation 1; any other type: zeros, which are valid as indices and as flags.
std::vector<Tensor> random_inputs(std::span<const TensorType> types, uint64_t seed);

}  // namespace coppice
