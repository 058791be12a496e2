// See rank.h. The bits of a float without its sign order as magnitudes do, so the weight at any
// rank is found by counting them twice, by their upper and by their lower half: exact, and over
// many tensors without gathering them.
#include "prune/masks/rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace coppice {
namespace {

RankedLayer with_largest(RankedLayer layer) {
  layer.largest = static_cast<size_t>(layer.weight.size());  // none yet: all are visited
  uint32_t most = 0;
  size_t largest = layer.largest;
  layer.for_each([&](size_t i, uint32_t bits) {
    if (bits >= most) {
      most = bits;
      largest = i;
    }
  });
  layer.largest = largest;
  return layer;
}

}  // namespace

RankedLayer ranked(const Value& value, std::optional<Tensor> left) {
  return with_largest({.name = value.name, .weight = *value.constant, .left = std::move(left)});
}

RankedLayer ranked_in_blocks(const Value& value, FilterBlocks blocks) {
  std::vector<float> magnitudes;
  for (const float w : value.constant->as<float>()) magnitudes.push_back(std::fabs(w));
  Tensor cells = Tensor::zeros(DType::f32, {blocks.cells()});
  std::ranges::transform(blocks.means<float>(magnitudes), cells.mutate<float>().begin(),
                         [](double mean) { return static_cast<float>(mean); });
  return with_largest(
      {.name = value.name, .weight = std::move(cells), .blocks = std::move(blocks)});
}

RankCut find_cut(std::span<const RankedLayer> layers, int64_t leaving) {
  constexpr uint32_t kHalf = 16, kBuckets = 1u << kHalf;
  RankCut cut{.magnitude = 0, .ties = leaving};
  for (const bool upper : {true, false}) {
    std::vector<int64_t> counts(kBuckets, 0);
    for (const RankedLayer& layer : layers) {
      layer.for_each([&](size_t i, uint32_t bits) {
        if (upper) {
          counts[bits >> kHalf] += layer.size_of(i);
        } else if (bits >> kHalf == cut.magnitude >> kHalf) {
          counts[bits % kBuckets] += layer.size_of(i);
        }
      });
    }
    uint32_t bucket = 0;
    for (; bucket + 1 < kBuckets && counts[bucket] < cut.ties; ++bucket) cut.ties -= counts[bucket];
    cut.magnitude |= upper ? bucket << kHalf : bucket;
  }
  return cut;
}

Tensor mask_below(const RankedLayer& layer, RankCut& cut) {
  Tensor mask = Tensor::zeros(DType::f32, layer.weight.shape());
  const std::span<float> stays = mask.mutate<float>();
  if (layer.left) {
    std::ranges::copy(layer.left->as<float>(), stays.begin());
  } else {
    std::ranges::fill(stays, 1.0f);
  }
  layer.for_each([&](size_t i, uint32_t bits) {
    if (bits > cut.magnitude) return;
    if (bits == cut.magnitude && (cut.ties -= layer.size_of(i)) < 0) return;
    stays[i] = 0;
  });
  return layer.blocks ? layer.blocks->spread(stays) : mask;
}

}  // namespace coppice
