// See masks_by_score.h.
#include "prune/masks/masks_by_score.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

// The last in rank.
size_t largest_of(const ScoredLayer& layer) {
  size_t largest = 0;
  for (size_t i = 1; i < layer.scores.size(); ++i) {
    if (layer.scores[i] >= layer.scores[largest]) largest = i;
  }
  return largest;
}

// What lies below `score` leaves, and the first `ties` of those at it.
struct Cut {
  double score = kGoesFirst;
  int64_t ties = 0;
};

Cut find_cut(std::span<const ScoredLayer> layers, int64_t zeros) {
  if (zeros == 0) return {};
  std::vector<double> open;
  for (const ScoredLayer& layer : layers) {
    const size_t stays = largest_of(layer);
    for (size_t i = 0; i < layer.scores.size(); ++i) {
      if (i != stays) open.push_back(layer.scores[i]);
    }
  }
  std::ranges::nth_element(open, open.begin() + (zeros - 1));
  const double score = open[zeros - 1];
  return {score, zeros - std::ranges::count_if(open, [&](double x) { return x < score; })};
}

Tensor mask_of(const ScoredLayer& layer, Cut& cut) {
  Tensor mask = Tensor::zeros(DType::f32, layer.shape);
  const std::span<float> stays = mask.mutate<float>();
  const size_t largest = largest_of(layer);
  for (size_t i = 0; i < stays.size(); ++i) {
    const double score = layer.scores[i];
    const bool leaves =
        i != largest && (score < cut.score || (score == cut.score && cut.ties-- > 0));
    stays[i] = leaves ? 0 : 1;
  }
  return mask;
}

void mask_lowest(std::span<const ScoredLayer> layers, double sparsity, ScoredMasks& result) {
  int64_t all = 0;
  for (const ScoredLayer& layer : layers) all += std::ssize(layer.scores);
  Cut cut = find_cut(layers, zeros_at(sparsity, all, std::ssize(layers)));
  for (const ScoredLayer& layer : layers) {
    // Its best, and with it all, ranks below what leaves elsewhere.
    if (std::ranges::max(layer.scores) < cut.score) result.spared.push_back(layer.name);
    result.masks.emplace(layer.name, mask_of(layer, cut));
  }
}

}  // namespace

ScoredMasks masks_by_score(std::span<const ScoredLayer> layers, double sparsity,
                           MagnitudeOptions::Scope scope) {
  for (const ScoredLayer& layer : layers) {
    COPPICE_CHECK(std::ssize(layer.scores) == element_count(layer.shape) && !layer.scores.empty(),
                  "as many scores as weights are needed");
    COPPICE_CHECK(std::ranges::none_of(layer.scores, [](double x) { return std::isnan(x); }),
                  "a score of '" + layer.name + "' is no number");
  }
  ScoredMasks result;
  if (scope == MagnitudeOptions::Scope::global) {
    mask_lowest(layers, sparsity, result);
  } else {
    for (const ScoredLayer& layer : layers) mask_lowest({&layer, 1}, sparsity, result);
  }
  return result;
}

}  // namespace coppice
