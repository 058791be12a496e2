// Covariances of channels: a Gram matrix of what is left of a typical element, with a column of
// ones that gives sums and count. Private to `evidence`.
#pragma once

#include <vector>

#include "evidence/evidence.h"
#include "evidence/measured/channel_view.h"

namespace coppice {

class Covariances {
 public:
  explicit Covariances(int64_t axis) : axis_(axis) {}
  void add(const ObservedValue& value);
  Tensor result() const;

 private:
  void pack(const ChannelView& view, int64_t first, int64_t rows);

  int64_t axis_, channels_ = 0;
  std::vector<float> shifts_, rows_, samples_;  // samples_: [rows, channels + 1]
  std::vector<double> gram_;                    // [channels + 1, channels + 1]
};

}  // namespace coppice
