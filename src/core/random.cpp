#include "core/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace coppice {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

constexpr uint64_t kGamma = 0x9e3779b97f4a7c15ULL;

}  // namespace

Random Random::stream(uint64_t seed, std::initializer_list<uint64_t> keys) {
  uint64_t state = mix(seed + kGamma);
  // The state is mixed once more than the key: else a seed and a key could change places.
  for (const uint64_t key : keys) state = mix(mix(state) ^ mix(key + kGamma));
  return Random(state);
}

uint64_t Random::next() { return mix(state_ += kGamma); }

uint64_t Random::below(uint64_t bound) {
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t drawn = next();
  while (drawn >= limit) drawn = next();
  return drawn % bound;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

void Random::fill_normal(std::span<float> values, float deviation) {
  for (float& value : values) value = static_cast<float>(normal() * deviation);
}

void Random::fill_uniform(std::span<float> values, float low, float high) {
  for (float& value : values) value = static_cast<float>(uniform(low, high));
}

std::vector<int64_t> Random::permutation(int64_t count) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[i], order[below(i + 1)]);
  return order;
}

}  // namespace coppice
