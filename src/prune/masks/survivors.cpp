// See survivors.h.
#include "prune/masks/survivors.h"

#include <algorithm>

#include "core/random.h"
#include "prune/masks/rank.h"

namespace coppice {
namespace {

// Layers in the graph's order, so that ties between layers don't go by name.
std::vector<RankedLayer> layers_of(const Masks& masks, const Graph& graph) {
  std::vector<RankedLayer> layers;
  for (const ValueId id : maskable_weights(graph)) {
    const auto mask = masks.find(graph.value(id).name);
    if (mask != masks.end()) layers.push_back(ranked(graph.value(id), mask->second));
  }
  return layers;
}

void drop(Masks& masks, std::span<const RankedLayer> layers, int64_t leaving) {
  int64_t most = 0;
  for (const RankedLayer& layer : layers) layer.for_each([&](size_t, uint32_t) { ++most; });
  RankCut cut = find_cut(layers, std::clamp<int64_t>(leaving, 0, most));
  for (const RankedLayer& layer : layers) masks.at(layer.name) = mask_below(layer, cut);
}

}  // namespace

Masks all_left(const Graph& graph, const std::vector<std::string>& keep, const Masks& zeros) {
  // No sparsity masks no more than is zero, and a layer's weights needn't be zero to be left.
  Masks masks = magnitude_masks(graph, {.sparsity = 0, .keep = keep});
  for (auto& [name, mask] : masks) {
    const auto found = zeros.find(name);
    if (found != zeros.end()) {
      mask = found->second;
    } else {
      std::ranges::fill(mask.mutate<float>(), 1.0f);
    }
  }
  return masks;
}

void drop_smallest(Masks& masks, const Graph& graph,
                   const std::map<std::string, int64_t>& leaving) {
  const std::vector<RankedLayer> layers = layers_of(masks, graph);
  for (const RankedLayer& layer : layers) {
    const auto count = leaving.find(layer.name);
    if (count != leaving.end()) drop(masks, {&layer, 1}, count->second);
  }
}

void drop_smallest_of_all(Masks& masks, const Graph& graph, int64_t leaving) {
  drop(masks, layers_of(masks, graph), leaving);
}

Masks shuffled(const Masks& masks, const Masks& within, uint64_t seed) {
  Masks others;
  for (const auto& [name, mask] : masks) {
    const std::span<const float> there = within.at(name).as<float>(), stays = mask.as<float>();
    std::vector<size_t> places;
    for (size_t i = 0; i < there.size(); ++i) {
      if (there[i] != 0) places.push_back(i);
    }
    Tensor other = Tensor::zeros(DType::f32, mask.shape());
    const std::span<float> chosen = other.mutate<float>();
    const std::vector<int64_t> order =
        Random::stream(seed, {others.size()}).permutation(std::ssize(places));
    const auto left = std::ranges::count_if(stays, [](float s) { return s != 0; });
    for (int64_t i = 0; i < left; ++i) chosen[places[order[i]]] = 1;
    others.emplace(name, std::move(other));
  }
  return others;
}

}  // namespace coppice
