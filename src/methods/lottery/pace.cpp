// See pace.h.
#include "methods/lottery/pace.h"

#include <algorithm>
#include <cmath>

#include "prune/masks/survivors.h"
#include "prune/plan/plan.h"

namespace coppice {
namespace {

// The rates of layers that have one of their own.
std::map<std::string, double> own_rates(const Graph& graph, const Pace& pace) {
  std::map<std::string, double> rates;
  for (const auto& [pattern, rate] : pace.layers) {
    for (const std::string& name : weights_matching(graph, pattern, "round-rate")) {
      rates[name] = rate;
    }
  }
  return rates;
}

}  // namespace

int64_t rounds_to(double sparsity, double rate) {
  const double rounds = std::log1p(-sparsity) / std::log1p(-rate);
  return std::max<int64_t>(1, std::llround(std::ceil(rounds - 1e-9)));
}

int64_t left_towards(double sparsity, int64_t all, int64_t round, int64_t rounds) {
  const double done = static_cast<double>(round) / static_cast<double>(rounds);
  return std::llround(static_cast<double>(all) * std::pow(1 - sparsity, done));
}

int64_t leaving_at(double rate, int64_t left) {
  return std::llround(rate * static_cast<double>(left));
}

int64_t count_left(const Masks& masks) {
  int64_t left = 0;
  for (const auto& [name, mask] : masks) left += nonzeros_of(mask);
  return left;
}

Masks next_masks(Masks masks, const Masks& all, const Graph& graph, const Pace& pace,
                 int64_t round) {
  const auto leaving = [&](int64_t left, int64_t begun_with, double rate) {
    if (!pace.sparsity) return leaving_at(rate, left);
    return left - left_towards(*pace.sparsity, begun_with, round, pace.rounds);
  };
  if (pace.scope == MagnitudeOptions::Scope::global) {
    drop_smallest_of_all(masks, graph, leaving(count_left(masks), count_left(all), pace.rate));
    return masks;
  }
  const std::map<std::string, double> rates = own_rates(graph, pace);
  std::map<std::string, int64_t> counts;
  for (const auto& [name, mask] : masks) {
    const auto own = rates.find(name);
    counts[name] = leaving(nonzeros_of(mask), nonzeros_of(all.at(name)),
                           own == rates.end() ? pace.rate : own->second);
  }
  drop_smallest(masks, graph, counts);
  return masks;
}

}  // namespace coppice
