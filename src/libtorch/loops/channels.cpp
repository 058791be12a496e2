// See channels.h. Without LibTorch: CMakeLists.txt says how these files are compiled.
#include "libtorch/loops/channels.h"

#include <algorithm>
#include <numeric>

#include "libtorch/loops/vector_clones.h"

namespace coppice::train {
namespace {

constexpr int64_t kNumbersOfVector = 16;
// Sums of a shorter period would wait for themselves.
constexpr int64_t kLeastPeriod = 128;

// `gradient(at, i)`: of number at + i, whose place in the period is i.
template <typename Gradient>
[[gnu::always_inline]] inline void add(const float* x, int64_t count, const float* mean,
                                       std::span<float> sums, std::span<float> products,
                                       Gradient gradient) {
  const int64_t period = std::ssize(sums);
  float* __restrict sum = sums.data();
  float* __restrict product = products.data();
  for (int64_t at = 0; at < count; at += period) {
    const int64_t here = std::min(period, count - at);
#pragma omp simd
    for (int64_t i = 0; i < here; ++i) {
      const float g = gradient(at, i);
      sum[i] += g;
      product[i] += g * (x[at + i] - mean[i]);
    }
  }
}

template <typename Gradient>
[[gnu::always_inline]] inline void go_back(const float* x, int64_t count, const BackLine& line,
                                           float* found, Gradient gradient) {
  const int64_t period = std::ssize(line.mean);
  const float* __restrict mean_gradient = line.mean_gradient.data();
  const float* __restrict mean = line.mean.data();
  const float* __restrict slope = line.slope.data();
  const float* __restrict factor = line.factor.data();
  for (int64_t at = 0; at < count; at += period) {
    const int64_t here = std::min(period, count - at);
#pragma omp simd
    for (int64_t i = 0; i < here; ++i) {
      const float rest = gradient(at, i) - mean_gradient[i] - (x[at + i] - mean[i]) * slope[i];
      found[at + i] = rest * factor[i];
    }
  }
}

// Gradients as `add` and `go_back` ask for them.
[[gnu::always_inline]] inline auto as_given(const Back& back) {
  return [g = back.gradient](int64_t at, int64_t i) { return g[at + i]; };
}

// Of what a rectifier let pass, which is found again from x.
[[gnu::always_inline]] inline auto through_rectifier(const Back& back) {
  return
      [b = back, f = back.line.factor.data(), s = back.line.shift.data()](int64_t at, int64_t i) {
        return f[i] * b.x[at + i] + s[i] <= 0 ? 0 : b.gradient[at + i];
      };
}

}  // namespace

int64_t period_of(int64_t channels) {
  const int64_t once = std::lcm(channels, kNumbersOfVector);
  return once * ((kLeastPeriod + once - 1) / once);
}

std::vector<float> repeated(std::span<const double> by_channel, int64_t period) {
  std::vector<float> places(period);
  for (int64_t i = 0; i < period; ++i) {
    places[i] = static_cast<float>(by_channel[i % std::ssize(by_channel)]);
  }
  return places;
}

std::vector<double> folded(std::span<const float> by_place, int64_t channels) {
  std::vector<double> sums(channels, 0);
  for (size_t i = 0; i < by_place.size(); ++i) sums[i % channels] += by_place[i];
  return sums;
}

COPPICE_VECTOR_CLONES void add_numbers(const float* x, int64_t count, std::span<float> sums) {
  const int64_t period = std::ssize(sums);
  float* __restrict sum = sums.data();
  for (int64_t at = 0; at < count; at += period) {
    const float* __restrict from = x + at;
    const int64_t here = std::min(period, count - at);
#pragma omp simd
    for (int64_t i = 0; i < here; ++i) sum[i] += from[i];
  }
}

COPPICE_VECTOR_CLONES void add_squares(const float* x, int64_t count, const float* mean,
                                       std::span<float> sums) {
  const int64_t period = std::ssize(sums);
  float* __restrict sum = sums.data();
  for (int64_t at = 0; at < count; at += period) {
    const float* __restrict from = x + at;
    const int64_t here = std::min(period, count - at);
#pragma omp simd
    for (int64_t i = 0; i < here; ++i) sum[i] += (from[i] - mean[i]) * (from[i] - mean[i]);
  }
}

COPPICE_VECTOR_CLONES void add_gradients(const Back& back, int64_t count, const float* mean,
                                         std::span<float> sums, std::span<float> products) {
  add(back.x, count, mean, sums, products, as_given(back));
}

COPPICE_VECTOR_CLONES void add_rectified(const Back& back, int64_t count, const float* mean,
                                         std::span<float> sums, std::span<float> products) {
  add(back.x, count, mean, sums, products, through_rectifier(back));
}

COPPICE_VECTOR_CLONES void add_passing(const Back& back, const float* y, float* passed,
                                       int64_t count, const float* mean, std::span<float> sums,
                                       std::span<float> products) {
  add(back.x, count, mean, sums, products, [=, g = back.gradient](int64_t at, int64_t i) {
    return passed[at + i] = y[at + i] <= 0 ? 0 : g[at + i];
  });
}

COPPICE_VECTOR_CLONES void follow(const float* x, const float* other, int64_t count,
                                  const Line& line, float* y) {
  const int64_t period = std::ssize(line.factor);
  const float* __restrict factor = line.factor.data();
  const float* __restrict shift = line.shift.data();
  for (int64_t at = 0; at < count; at += period) {
    const float* __restrict from = x + at;
    float* __restrict to = y + at;
    const int64_t here = std::min(period, count - at);
    if (other) {
      const float* __restrict added = other + at;
#pragma omp simd
      for (int64_t i = 0; i < here; ++i) to[i] = factor[i] * from[i] + shift[i] + added[i];
    } else {
#pragma omp simd
      for (int64_t i = 0; i < here; ++i) to[i] = factor[i] * from[i] + shift[i];
    }
  }
}

COPPICE_VECTOR_CLONES void rectify(float* y, int64_t count) {
  // As LibTorch does, so that a number that is none stays none.
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) y[i] = y[i] <= 0 ? 0 : y[i];
}

COPPICE_VECTOR_CLONES void follow_back(const Back& back, int64_t count, const BackLine& line,
                                       float* found) {
  go_back(back.x, count, line, found, as_given(back));
}

COPPICE_VECTOR_CLONES void follow_back_rectified(const Back& back, int64_t count,
                                                 const BackLine& line, float* found) {
  go_back(back.x, count, line, found, through_rectifier(back));
}

}  // namespace coppice::train
