// See step.h. Without LibTorch: CMakeLists.txt says how these files are compiled.
#include "libtorch/loops/step.h"

#include <cmath>
#include <initializer_list>

#include "libtorch/loops/vector_clones.h"

namespace coppice::train {
namespace {

inline float whole_gradient(float gradient, float weight, const Factors& f) {
  const float sign = static_cast<float>(weight > 0) - static_cast<float>(weight < 0);
  return gradient + f.decay * weight + f.l1 * sign;
}

COPPICE_VECTOR_CLONES void step_plainly(const Numbers& numbers, const Factors f) {
  float* __restrict weight = numbers.weight;
  const float* __restrict gradient = numbers.gradient;
#pragma omp simd
  for (int64_t i = 0; i < numbers.count; ++i) {
    weight[i] -= f.rate * whole_gradient(gradient[i], weight[i], f);
  }
}

COPPICE_VECTOR_CLONES void step_with_momentum(const Numbers& numbers, const Factors f) {
  float* __restrict weight = numbers.weight;
  const float* __restrict gradient = numbers.gradient;
  float* __restrict velocity = numbers.slots[0];
#pragma omp simd
  for (int64_t i = 0; i < numbers.count; ++i) {
    const float g = whole_gradient(gradient[i], weight[i], f);
    const float v = f.momentum * velocity[i] + g;
    velocity[i] = v;
    weight[i] -= f.rate * (f.of_gradient * g + f.of_velocity * v);
  }
}

COPPICE_VECTOR_CLONES void step_by_adam(const Numbers& numbers, const Factors f) {
  float* __restrict weight = numbers.weight;
  const float* __restrict gradient = numbers.gradient;
  float* __restrict mean = numbers.slots[0];
  float* __restrict square = numbers.slots[1];
#pragma omp simd
  for (int64_t i = 0; i < numbers.count; ++i) {
    const float g = whole_gradient(gradient[i], weight[i], f);
    const float m = f.beta1 * mean[i] + f.rest1 * g;
    const float s = f.beta2 * square[i] + f.rest2 * (g * g);
    mean[i] = m;
    square[i] = s;
    weight[i] -= f.rate * m / (std::sqrt(s) * f.correction + f.epsilon);
  }
}

// Without a branch for each number: which of them are pruned is no pattern. As bytes, since GCC 12
// puts no bool into vectors.
COPPICE_VECTOR_CLONES void copy_where_kept(const float* from, const bool* pruned, float* to,
                                           int64_t count) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(pruned);
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float number = from[i];
    to[i] = bytes[i] != 0 ? 0 : number;
  }
}

}  // namespace

void step(const Numbers& numbers, const Factors& factors) {
  if (numbers.slots[1]) return step_by_adam(numbers, factors);
  if (numbers.slots[0]) return step_with_momentum(numbers, factors);
  step_plainly(numbers, factors);
}

void zero_pruned(const Numbers& numbers, const bool* pruned) {
  for (float* values : {numbers.weight, numbers.slots[0], numbers.slots[1]}) {
    if (values) copy_kept(values, pruned, values, numbers.count);
  }
}

void copy_kept(const float* from, const bool* pruned, float* to, int64_t count) {
  copy_where_kept(from, pruned, to, count);
}

}  // namespace coppice::train
