// A value's channels at sampled positions, and what a Conv reads for sampled positions of its
// output. Private to `evidence`.
#pragma once

#include <optional>
#include <vector>

#include "evidence/evidence.h"
#include "evidence/measured/channel_view.h"
#include "graph/ops/ops.h"

namespace coppice {

class Samples {
 public:
  // `window`: the value is what a Conv reads through it; empty: it is sampled as it is.
  Samples(const EvidenceRequest& request, std::optional<Window> window)
      : request_(request), window_(std::move(window)) {}
  void add(const ObservedValue& value);
  Tensor result() const;

 private:
  void add_channels(const ChannelView& view, int64_t first, int64_t position);
  void add_patch(const ChannelView& view, const Shape& input, const Shape& output, int64_t image,
                 int64_t position);

  EvidenceRequest request_;
  std::optional<Window> window_;
  int64_t images_ = 0, width_ = 0;
  std::vector<float> rows_, samples_;  // samples_: [samples, width_]
};

}  // namespace coppice
