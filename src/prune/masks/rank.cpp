// See rank.h. The bits of a float without its sign order as magnitudes do, so the weight at any
// rank is found by counting them twice, by their upper and by their lower half: exact, and over
// many tensors without gathering them.
#include "prune/masks/rank.h"

#include <algorithm>
#include <vector>

namespace coppice {

RankedLayer ranked(const Value& value, std::optional<Tensor> left) {
  RankedLayer layer{.name = value.name, .weight = *value.constant, .left = std::move(left)};
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

RankCut find_cut(std::span<const RankedLayer> layers, int64_t leaving) {
  constexpr uint32_t kHalf = 16, kBuckets = 1u << kHalf;
  RankCut cut{.magnitude = 0, .ties = leaving};
  for (const bool upper : {true, false}) {
    std::vector<int64_t> counts(kBuckets, 0);
    for (const RankedLayer& layer : layers) {
      layer.for_each([&](size_t, uint32_t bits) {
        if (upper) {
          ++counts[bits >> kHalf];
        } else if (bits >> kHalf == cut.magnitude >> kHalf) {
          ++counts[bits % kBuckets];
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
    if (bits < cut.magnitude || (bits == cut.magnitude && cut.ties-- > 0)) stays[i] = 0;
  });
  return mask;
}

}  // namespace coppice
