// Eight lanes side by side: eight channels of a block, eight neighbours of a row, or eight channels
// that lie next to each other.

#include "evidence/measured/channel_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace coppice {
namespace {

constexpr int64_t kLanes = 8;
// Sums of so many floats lose less than their own rounding; a row of 32x32 pixels is flushed twice.
constexpr int64_t kFlush = 512;
constexpr int64_t kSlices = 16;

// Four floats that every compiler keeps in one register.
using Four = float __attribute__((vector_size(16)));
using FourInts = int32_t __attribute__((vector_size(16)));
constexpr int kFours = kLanes / 4;

struct Lanes {
  std::array<ChannelSum, kLanes> sums;
};

void add_flushed(const float* row, int64_t count, int64_t stride, const float* shifts,
                 ChannelSum* sums) {
  Four shift[kFours], shifted[kFours]{}, squares[kFours]{}, absolute[kFours]{}, largest[kFours]{};
  FourInts zeros[kFours]{};
  std::memcpy(shift, shifts, sizeof(shift));
  for (int64_t r = 0; r < count; ++r, row += stride) {
    for (int k = 0; k < kFours; ++k) {
      Four a;
      std::memcpy(&a, row + 4 * k, sizeof(a));
      const Four d = a - shift[k], magnitude = (a < 0) ? -a : a;
      shifted[k] += d;
      squares[k] += d * d;
      absolute[k] += magnitude;
      largest[k] = (magnitude > largest[k]) ? magnitude : largest[k];
      zeros[k] -= (a == 0);
    }
  }
  for (int64_t i = 0; i < kLanes; ++i) {
    sums[i].shifted += shifted[i / 4][i % 4];
    sums[i].squares += squares[i / 4][i % 4];
    sums[i].absolute += absolute[i / 4][i % 4];
    sums[i].zeros += zeros[i / 4][i % 4];
    sums[i].largest = std::max(sums[i].largest, largest[i / 4][i % 4]);
  }
}

// `count` times eight elements, `stride` apart; a lane's shift and sum are its own.
void add_lanes(const float* row, int64_t count, int64_t stride, const float* shifts,
               ChannelSum* sums) {
  for (; count > kFlush; count -= kFlush, row += kFlush * stride) {
    add_flushed(row, kFlush, stride, shifts, sums);
  }
  add_flushed(row, count, stride, shifts, sums);
}

void add_one(float a, float shift, ChannelSum& sum) {
  const double d = static_cast<double>(a) - shift;
  sum.shifted += d;
  sum.squares += d * d;
  sum.absolute += std::fabs(a);
  sum.zeros += a == 0;
  sum.largest = std::max(sum.largest, std::fabs(a));
}

void merge(const ChannelSum& from, ChannelSum& to) {
  to.shifted += from.shifted;
  to.squares += from.squares;
  to.absolute += from.absolute;
  to.zeros += from.zeros;
  to.largest = std::max(to.largest, from.largest);
}

struct Part {
  const ChannelView& view;
  const float* shifts;
  int64_t begin, end;  // of the outer axis
  ChannelSum* sums;    // [channels]
};

// Channels [8 g, 8 g + 8) of blocks.
void add_block(const Part& part, int64_t g) {
  const ChannelView& v = part.view;
  const int64_t first = g * kLanes, count = std::min(kLanes, v.channels - first);
  Lanes lanes{};
  for (int64_t o = part.begin; o < part.end; ++o) {
    add_lanes(&v.at(o, first, 0), v.inner, v.block, part.shifts + first, lanes.sums.data());
  }
  for (int64_t i = 0; i < count; ++i) merge(lanes.sums[i], part.sums[first + i]);
}

// Channel g, whose elements lie in rows.
void add_row(const Part& part, int64_t g) {
  const ChannelView& v = part.view;
  std::array<float, kLanes> shifts;
  shifts.fill(part.shifts[g]);
  Lanes lanes{};
  for (int64_t o = part.begin; o < part.end; ++o) {
    const float* row = &v.at(o, g, 0);
    add_lanes(row, v.inner / kLanes, kLanes, shifts.data(), lanes.sums.data());
    for (int64_t i = v.inner / kLanes * kLanes; i < v.inner; ++i) {
      add_one(row[i], shifts[0], part.sums[g]);
    }
  }
  for (const ChannelSum& lane : lanes.sums) merge(lane, part.sums[g]);
}

// Elements [8 g, 8 g + 8) of the channels and their few inner elements, row below row.
void add_columns(const Part& part, int64_t g) {
  const ChannelView& v = part.view;
  const int64_t width = v.channels * v.inner, first = g * kLanes;
  const int64_t count = std::min(kLanes, width - first);
  const float* row = v.data + part.begin * width + first;
  const auto channel = [&](int64_t i) { return (first + i) / v.inner; };
  Lanes lanes{};
  std::array<float, kLanes> shifts{};
  for (int64_t i = 0; i < count; ++i) shifts[i] = part.shifts[channel(i)];
  if (count == kLanes) {
    add_lanes(row, part.end - part.begin, width, shifts.data(), lanes.sums.data());
  } else {
    for (int64_t o = part.begin; o < part.end; ++o, row += width) {
      for (int64_t i = 0; i < count; ++i) add_one(row[i], shifts[i], lanes.sums[i]);
    }
  }
  for (int64_t i = 0; i < count; ++i) merge(lanes.sums[i], part.sums[channel(i)]);
}

}  // namespace

void add_sums(const ChannelView& view, std::span<const float> shifts, std::span<const int64_t> ends,
              std::span<ChannelSum> sums) {
  const auto lanes_of = [](int64_t count) { return (count + kLanes - 1) / kLanes; };
  auto add = add_row;
  int64_t groups = view.channels;  // of columns, several may belong to one channel: not in parallel
  const bool columns = view.block == 1 && view.inner < kLanes;
  if (view.block > 1) {
    add = add_block;
    groups = lanes_of(view.channels);
  } else if (columns) {
    add = add_columns;
    groups = lanes_of(view.channels * view.inner);
  }
  const int64_t together = columns ? groups : 1, tasks = groups / std::max<int64_t>(together, 1);
  const int64_t slices = std::ssize(ends);
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t s = 0; s < slices; ++s) {
    for (int64_t t = 0; t < tasks; ++t) {
      const int64_t begin = s == 0 ? 0 : ends[s - 1];
      if (begin == ends[s]) continue;
      const Part part{view, shifts.data(), begin, ends[s], sums.data() + s * view.channels};
      for (int64_t g = t * together; g < (t + 1) * together; ++g) add(part, g);
    }
  }
}

void ChannelSums::add(const ObservedValue& value) {
  const ChannelView view = view_channels(value, axis_, rows_);
  if (view.outer * view.inner == 0) return;
  if (sums_.empty()) {
    channels_ = view.channels;
    sums_.resize(kSlices * channels_);
    shifts_.resize((channels_ + 15) / 16 * 16);
    for (int64_t c = 0; c < channels_; ++c) {
      double sum = 0;
      for (int64_t i = 0; i < view.inner; ++i) sum += view.at(0, c, i);
      const auto mean = static_cast<float>(sum / static_cast<double>(view.inner));
      shifts_[c] = std::isfinite(mean) ? mean : 0;
    }
  }
  std::array<int64_t, kSlices> ends;
  for (int64_t s = 0; s < kSlices; ++s) ends[s] = (s + 1) * view.outer / kSlices;
  add_sums(view, shifts_, ends, sums_);
  count_ += view.outer * view.inner;
}

Tensor ChannelSums::result(Reduction reduction) const {
  Tensor tensor = Tensor::zeros(DType::f64, {channels_});
  const auto numbers = tensor.mutate<double>();
  for (int64_t c = 0; c < channels_; ++c) numbers[c] = result_of(c, reduction);
  return tensor;
}

std::optional<int64_t> ChannelSums::first_not_finite() const {
  for (int64_t c = 0; c < channels_; ++c) {
    if (!std::isfinite(total_of(c).shifted)) return c;
  }
  return std::nullopt;
}

ChannelSum ChannelSums::total_of(int64_t channel) const {
  ChannelSum sum;
  for (int64_t s = 0; s < kSlices; ++s) merge(sums_[s * channels_ + channel], sum);
  return sum;
}

double ChannelSums::result_of(int64_t channel, Reduction reduction) const {
  const ChannelSum sum = total_of(channel);
  const auto count = static_cast<double>(count_);
  const double shifted = sum.shifted / count;
  switch (reduction) {
    case Reduction::mean: return shifts_[channel] + shifted;
    case Reduction::variance: return std::max(sum.squares / count - shifted * shifted, 0.0);
    case Reduction::mean_absolute: return sum.absolute / count;
    case Reduction::zero_share: return static_cast<double>(sum.zeros) / count;
    case Reduction::largest: return sum.largest;
    default: COPPICE_CHECK(false, "not a sum by channel");
  }
}

}  // namespace coppice
