#include "evidence/measured/covariances.h"

#include <algorithm>
#include <cmath>

#include "runtime/loops/gram.h"

namespace coppice {

void Covariances::add(const ObservedValue& value) {
  const ChannelView view = view_channels(value, axis_, rows_);
  const int64_t rows = view.outer * view.inner, columns = view.channels + 1;
  if (rows == 0) return;
  if (gram_.empty()) {
    channels_ = view.channels;
    gram_.resize(columns * columns);
    for (int64_t c = 0; c < channels_; ++c) {
      double sum = 0;
      for (int64_t i = 0; i < view.inner; ++i) sum += view.at(0, c, i);
      shifts_.push_back(static_cast<float>(sum / static_cast<double>(view.inner)));
    }
  }
  for (int64_t first = 0; first < rows; first += kGramRows) {
    const int64_t count = std::min(kGramRows, rows - first);
    samples_.resize(count * columns);
    pack(view, first, count);
    add_gram(samples_, count, columns, gram_);
  }
}

// Positions [first, first + rows) of all, one below the other.
void Covariances::pack(const ChannelView& view, int64_t first, int64_t rows) {
  const int64_t step = view.block > 1 ? view.block : 1;  // channels that lie together
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows; ++r) {
    float* const to = samples_.data() + r * (channels_ + 1);
    const int64_t o = (first + r) / view.inner, i = (first + r) % view.inner;
    for (int64_t c = 0; c < channels_; c += step) {
      const float* from = &view.at(o, c, i);
      const int64_t count = std::min(step, channels_ - c);
      for (int64_t k = 0; k < count; ++k) to[c + k] = from[k] - shifts_[c + k];
    }
    to[channels_] = 1;
  }
}

Tensor Covariances::result() const {
  Tensor tensor = Tensor::zeros(DType::f64, {channels_, channels_});
  const auto numbers = tensor.mutate<double>();
  const int64_t columns = channels_ + 1;
  const auto moment = [&](int64_t i, int64_t j) { return gram_[i * columns + j]; };
  const double count = moment(channels_, channels_);
  for (int64_t i = 0; i < channels_; ++i) {
    for (int64_t j = 0; j < channels_; ++j) {
      numbers[i * channels_ + j] =
          moment(i, j) / count - moment(i, channels_) / count * (moment(channels_, j) / count);
    }
  }
  return tensor;
}

}  // namespace coppice
