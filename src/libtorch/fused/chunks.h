// The numbers of a tensor whose channels lie side by side, cut into chunks by index, each of which
// stays in a core's cache while several loops go over it. What is found of the chunks is added up
// in their order, in double, so that threads change nothing.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace coppice::train {

struct Chunk {
  int64_t index, begin, count;  // of numbers
};

class Chunks {
 public:
  explicit Chunks(const at::Tensor& x);

  int64_t channels() const { return channels_; }
  int64_t period() const { return period_; }  // loops/channels.h
  int64_t size() const { return size_; }      // of all but the last
  int64_t number() const { return (numbers_ + size_ - 1) / size_; }
  double rows() const { return static_cast<double>(numbers_ / channels_); }
  double rows_of(int64_t index) const;
  // On LibTorch's threads.
  void each(const std::function<void(const Chunk&)>& work) const;

 private:
  int64_t channels_, period_, size_, numbers_;
};

// By channel, over all rows; the variance is sum / n.
struct Moments {
  std::vector<double> mean, variance;
};
Moments moments_of(const float* x, const Chunks& chunks);

}  // namespace coppice::train
