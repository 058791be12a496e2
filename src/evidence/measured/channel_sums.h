// The cheap reductions, all in one pass over the value: sums by channel.
//
// Sums of a few hundred floats are added to sums in double, and squares are taken of what is left
// of a typical element, so that a mean far from zero costs the variance no digits. The outer axis
// is divided into slices, which are added up in order at the end: the result doesn't depend on the
// number of threads. Private to `evidence`.
#pragma once

#include <optional>
#include <vector>

#include "evidence/evidence.h"
#include "evidence/measured/channel_view.h"

namespace coppice {

struct ChannelSum {
  double shifted = 0, squares = 0;  // of a - shift
  double absolute = 0;
  int64_t zeros = 0;
  float largest = 0;
};

// Adds slice after slice of the outer axis to its own row of `sums`: [slices, channels]. Slice s
// ends at ends[s], and the first begins at 0. `shifts`: [channels], filled up to a multiple of 16.
void add_sums(const ChannelView& view, std::span<const float> shifts, std::span<const int64_t> ends,
              std::span<ChannelSum> sums);

class ChannelSums {
 public:
  explicit ChannelSums(int64_t axis) : axis_(axis) {}
  void add(const ObservedValue& value);
  Tensor result(Reduction reduction) const;         // one of the cheap ones
  std::optional<int64_t> first_not_finite() const;  // channel

 private:
  ChannelSum total_of(int64_t channel) const;
  double result_of(int64_t channel, Reduction reduction) const;

  int64_t axis_, channels_ = 0, count_ = 0;  // elements of a channel
  std::vector<float> shifts_, rows_;
  std::vector<ChannelSum> sums_;  // [slices, channels]
};

}  // namespace coppice
