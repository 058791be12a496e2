// The mean over the positions of each image. Private to `evidence`.
#pragma once

#include <vector>

#include "evidence/evidence.h"
#include "evidence/measured/channel_view.h"

namespace coppice {

class Pooled {
 public:
  explicit Pooled(int64_t axis) : axis_(axis) {}
  void add(const ObservedValue& value);
  Tensor result() const;

 private:
  int64_t axis_, channels_ = 0;
  std::vector<float> rows_;
  std::vector<double> means_;  // [images, channels]
};

}  // namespace coppice
