// Passes over numbers whose channels lie side by side: number i is of channel i % channels, as in
// channels_last and in a matrix. What is by channel comes repeated to a period that fills vectors
// however many channels there are, so twelve or thirteen of them cost what sixteen do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::train {

// A multiple of `channels` and of the numbers in a vector.
int64_t period_of(int64_t channels);
// What is by channel, over and over.
std::vector<float> repeated(std::span<const double> by_channel, int64_t period);
// The sums of what stands at the places of each channel.
std::vector<double> folded(std::span<const float> by_place, int64_t channels);

// `count`: of numbers, a multiple of the channels. What is by place is in spans and behind `mean`;
// all else is by number.

// sums += x
void add_numbers(const float* x, int64_t count, std::span<float> sums);
// sums += (x - mean)^2
void add_squares(const float* x, int64_t count, const float* mean, std::span<float> sums);

struct Line {  // y = factor x + shift
  std::span<const float> factor, shift;
};
// y = line(x), and with `other`, which may be null, y = line(x) + other
void follow(const float* x, const float* other, int64_t count, const Line& line, float* y);
// y = max(y, 0)
void rectify(float* y, int64_t count);

struct Back {
  const float *x, *gradient;
  Line line;  // what x was put on, where it was rectified
};
// sums += g;  products += g (x - mean)
//
//   add_gradients   g = gradient
//   add_rectified   g = gradient where line(x) > 0, else 0
//   add_passing     g = gradient where y > 0, else 0, which is written to `passed`, too
void add_gradients(const Back& back, int64_t count, const float* mean, std::span<float> sums,
                   std::span<float> products);
void add_rectified(const Back& back, int64_t count, const float* mean, std::span<float> sums,
                   std::span<float> products);
void add_passing(const Back& back, const float* y, float* passed, int64_t count, const float* mean,
                 std::span<float> sums, std::span<float> products);

struct BackLine {  // found = (g - mean_gradient - (x - mean) slope) factor
  std::span<const float> mean_gradient, mean, slope, factor;
};
// g as add_gradients and add_rectified have it.
void follow_back(const Back& back, int64_t count, const BackLine& line, float* found);
void follow_back_rectified(const Back& back, int64_t count, const BackLine& line, float* found);

}  // namespace coppice::train
