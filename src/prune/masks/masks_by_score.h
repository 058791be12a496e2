// Masks by scores of single weights, whatever gives them: larger stays.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "prune/blocks/filter_blocks.h"
#include "prune/masks/masks.h"

namespace coppice {

// Below every score: what is zero already goes first.
inline constexpr double kGoesFirst = -std::numeric_limits<double>::infinity();

struct ScoredLayer {
  std::string name;  // of the weight
  Shape shape;
  std::vector<double> scores;  // one a weight, row-major; no NaN
  // In which weights stay or go together, by the mean of their scores.
  std::optional<FilterBlocks> blocks = {};
};

struct ScoredMasks {
  Masks masks;
  // Layers that their ranks alone would have left without a weight: the largest score stayed.
  std::vector<std::string> spared = {};
};

// zeros_at(sparsity) zeros of each layer, or of all together: the smallest scores; of equal ones
// the first by index, with layers in order. The largest of a layer always stays. Throws as zeros_at
// does. In blocks there may be a few zeros less.
ScoredMasks masks_by_score(std::span<const ScoredLayer> layers, double sparsity,
                           MagnitudeOptions::Scope scope);

}  // namespace coppice
