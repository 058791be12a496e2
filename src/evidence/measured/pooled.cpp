#include "evidence/measured/pooled.h"

#include "evidence/measured/channel_sums.h"

namespace coppice {

void Pooled::add(const ObservedValue& value) {
  const ChannelView view = view_channels(value, axis_, rows_);
  channels_ = view.channels;
  const int64_t images = value.shape[0], outer = view.outer / std::max<int64_t>(images, 1);
  std::vector<int64_t> ends;
  for (int64_t n = 1; n <= images; ++n) ends.push_back(n * outer);
  const std::vector<float> shifts((channels_ + 15) / 16 * 16, 0.0f);
  std::vector<ChannelSum> sums(images * channels_);
  add_sums(view, shifts, ends, sums);
  const auto count = static_cast<double>(outer * view.inner);
  for (const ChannelSum& sum : sums) means_.push_back(sum.shifted / count);
}

Tensor Pooled::result() const {
  const auto images = channels_ == 0 ? 0 : std::ssize(means_) / channels_;
  return Tensor::of<double>({images, channels_}, means_);
}

}  // namespace coppice
