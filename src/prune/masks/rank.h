// The weights of one layer, or of several together, ranked by magnitude: which of them leave if so
// many of the smallest do. Ties leave by index, with layers in order, and each layer's last in rank
// always stays. Linear in the number of weights.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"
#include "prune/blocks/filter_blocks.h"

namespace coppice {

struct RankedLayer {
  std::string name;
  Tensor weight;                    // or, of a layer in blocks, the mean magnitude of each cell
  std::optional<Tensor> left = {};  // f32; where it is 0 a weight is gone, and has no rank
  size_t largest = 0;               // the last in rank
  std::optional<FilterBlocks> blocks = {};

  // How many weights leave with one that is ranked, and how many there are.
  int64_t size_of(size_t i) const { return blocks ? blocks->size_of(static_cast<int64_t>(i)) : 1; }
  int64_t all() const { return blocks ? element_count(blocks->shape()) : weight.size(); }

  // Calls visit(index, bits) for each weight that may leave; bits order as magnitudes do.
  template <typename Visit>
  void for_each(Visit visit) const {
    const std::span<const float> weights = weight.as<float>();
    const std::span<const float> stays = left ? left->as<float>() : std::span<const float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      if (i == largest || (left && stays[i] == 0)) continue;
      visit(i, std::bit_cast<uint32_t>(weights[i]) & 0x7fffffffu);
    }
  }
};

// Requires: `value` is a constant of float32.
RankedLayer ranked(const Value& value, std::optional<Tensor> left = {});
// Its blocks by the mean of their magnitudes, so that they compare with single weights.
RankedLayer ranked_in_blocks(const Value& value, FilterBlocks blocks);

// What lies below `magnitude` leaves, and of those at it the first that `ties` weights hold.
struct RankCut {
  uint32_t magnitude = 0;
  int64_t ties = 0;
};

// For the `leaving` smallest weights of all that may leave in these layers; no more.
RankCut find_cut(std::span<const RankedLayer> layers, int64_t leaving);

// By weight, 0 where it leaves or is gone, else 1. Of the ties that leave, those of this layer are
// taken from `cut`: layers are asked for in order.
Tensor mask_below(const RankedLayer& layer, RankCut& cut);

}  // namespace coppice
