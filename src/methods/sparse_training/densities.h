// How many weights each layer of a net has that is sparse from the beginning.
//
//   uniform  the same share of every layer
//   erk      Erdos-Renyi-Kernel: a layer's density is eps (sum of its axes) / (product of its
//   axes);
//            layers for which that passes 1 are dense, and eps is solved for anew
//
// Source: Evci, Gale, Menick, Castro, Elsen, "Rigging the Lottery", ICML 2020, arXiv:1911.11134,
// Sec. 3 (1). Differs: counts are whole, and erk's are exact together: what rounding down leaves
// goes to the layers with the largest remainders; every layer has a weight.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"

namespace coppice {

enum class Densities { uniform, erk };

// By layer, the weights that stay. `shapes`: of the weights. Throws as zeros_at
// (prune/masks/masks.h) does.
std::vector<int64_t> uniform_counts(std::span<const Shape> shapes, double sparsity);
std::vector<int64_t> erk_counts(std::span<const Shape> shapes, double sparsity);

}  // namespace coppice
