// See regrow.h.
#include "methods/sparse_training/regrow.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

std::vector<int64_t> indices_of(float value, std::span<const float> mask) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < std::ssize(mask); ++i) {
    if (mask[i] == value) indices.push_back(i);
  }
  return indices;
}

// The `count` smallest by `key`, ties by index.
template <typename Key>
std::vector<int64_t> smallest(std::vector<int64_t> indices, int64_t count, Key key) {
  const auto before = [&](int64_t a, int64_t b) {
    const auto first = key(a), second = key(b);
    return first < second || (first == second && a < b);
  };
  std::ranges::nth_element(indices, indices.begin() + count, before);
  indices.resize(count);
  return indices;
}

}  // namespace

Regrown regrow(const Tensor& mask, const Tensor& weight, const std::vector<double>& promise,
               int64_t count) {
  const std::span<const float> before = mask.as<float>(), weights = weight.as<float>();
  COPPICE_CHECK(before.size() == weights.size() && promise.size() == weights.size(),
                "a mask, a weight and promises of different sizes");
  const std::vector<int64_t> active = indices_of(1, before);
  COPPICE_CHECK(0 <= count && count <= std::ssize(active), "more to drop than there is");
  Regrown result{.mask = mask};
  const std::span<float> now = result.mask.mutate<float>();
  for (const int64_t i :
       smallest(active, count, [&](int64_t w) { return std::fabs(weights[w]); })) {
    now[i] = 0;
  }
  for (const int64_t i :
       smallest(indices_of(0, now), count, [&](int64_t w) { return -promise[w]; })) {
    now[i] = 1;
    result.grown += before[i] == 0;
  }
  return result;
}

}  // namespace coppice
