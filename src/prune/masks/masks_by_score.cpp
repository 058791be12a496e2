// See masks_by_score.h.
#include "prune/masks/masks_by_score.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

// A layer as what is ranked: its weights, or its blocks.
struct Ranked {
  const ScoredLayer& layer;
  std::vector<double> scores;
  size_t largest = 0;  // the last in rank

  explicit Ranked(const ScoredLayer& of)
      : layer(of), scores(of.blocks ? of.blocks->means<double>(of.scores) : of.scores) {
    for (size_t i = 1; i < scores.size(); ++i) {
      if (scores[i] >= scores[largest]) largest = i;
    }
  }
  int64_t size_of(size_t i) const {
    return layer.blocks ? layer.blocks->size_of(static_cast<int64_t>(i)) : 1;
  }
};

// What lies below `score` leaves, and of those at it the first that `ties` weights hold.
struct Cut {
  double score = kGoesFirst;
  int64_t ties = 0;
};

Cut find_cut(std::span<const Ranked> layers, int64_t zeros) {
  std::vector<double> open;  // one a weight
  for (const Ranked& ranked : layers) {
    for (size_t i = 0; i < ranked.scores.size(); ++i) {
      if (i != ranked.largest) {
        open.insert(open.end(), static_cast<size_t>(ranked.size_of(i)), ranked.scores[i]);
      }
    }
  }
  zeros = std::min(zeros, std::ssize(open));  // a layer's largest block is more than one weight
  if (zeros == 0) return {};
  std::ranges::nth_element(open, open.begin() + (zeros - 1));
  const double score = open[zeros - 1];
  return {score, zeros - std::ranges::count_if(open, [&](double x) { return x < score; })};
}

Tensor mask_of(const Ranked& ranked, Cut& cut) {
  std::vector<float> stays(ranked.scores.size());
  for (size_t i = 0; i < stays.size(); ++i) {
    const double score = ranked.scores[i];
    const bool leaves =
        i != ranked.largest &&
        (score < cut.score || (score == cut.score && (cut.ties -= ranked.size_of(i)) >= 0));
    stays[i] = leaves ? 0 : 1;
  }
  if (ranked.layer.blocks) return ranked.layer.blocks->spread(stays);
  Tensor mask = Tensor::zeros(DType::f32, ranked.layer.shape);
  std::ranges::copy(stays, mask.mutate<float>().begin());
  return mask;
}

void mask_lowest(std::span<const Ranked> layers, double sparsity, ScoredMasks& result) {
  int64_t all = 0;
  for (const Ranked& ranked : layers) all += std::ssize(ranked.layer.scores);
  Cut cut = find_cut(layers, zeros_at(sparsity, all, std::ssize(layers)));
  for (const Ranked& ranked : layers) {
    // Its best, and with it all, ranks below what leaves elsewhere.
    if (ranked.scores[ranked.largest] < cut.score) result.spared.push_back(ranked.layer.name);
    result.masks.emplace(ranked.layer.name, mask_of(ranked, cut));
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
  const std::vector<Ranked> all(layers.begin(), layers.end());
  if (scope == MagnitudeOptions::Scope::global) {
    mask_lowest(all, sparsity, result);
  } else {
    for (const Ranked& ranked : all) mask_lowest({&ranked, 1}, sparsity, result);
  }
  return result;
}

}  // namespace coppice
