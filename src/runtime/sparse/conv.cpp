// See conv.h.
#include "runtime/sparse/conv.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace coppice::runtime {
namespace {

// Planes with more zeros than this between rows would cost more than they spare.
constexpr int64_t kMostPadding = 8;

// Of a row in a chunk.
constexpr int64_t kFewestEntries = 24;

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

bool in_place(const SparseWindow& window) {
  return window.strides[0] == 1 && window.strides[1] == 1;
}

// Where a tap reads, relative to the output's pixel times the stride.
int64_t shift(const SparseWindow& window, int axis, int64_t tap) {
  return tap * window.dilations[axis] - window.begin[axis];
}

// How far a window's last tap reaches past the end of `size` pixels.
int64_t overhang(const SparseWindow& window, int axis, int64_t size, int64_t outputs) {
  const int64_t last = (outputs - 1) * window.strides[axis];
  return std::max<int64_t>(0, last + shift(window, axis, window.kernel[axis] - 1) - (size - 1));
}

std::array<int64_t, 2> reach_of(const SparseWindow& window, int axis) {
  const int64_t stride = window.strides[axis];
  return {floor_div(shift(window, axis, 0), stride),
          floor_div(shift(window, axis, window.kernel[axis] - 1), stride)};
}

}  // namespace

bool require_planes(PlaneSizes& sizes, const Shape& x, const Shape& y, const SparseWindow& window) {
  std::array<int64_t, 2> most{};
  for (int axis = 0; axis < 2; ++axis) {
    most[axis] = std::max(window.begin[axis], overhang(window, axis, x[2 + axis], y[2 + axis]));
    if (window.begin[axis] < 0 || most[axis] > kMostPadding) return false;
  }
  if (in_place(window)) {
    sizes.require(x[2], x[3], most[0], most[1]);
    sizes.require(y[2], y[3], 0, 0);
    sizes.join(x[2], x[3], y[2], y[3]);
    return true;
  }
  const std::array<int64_t, 2> reach = reach_of(window, 1);
  sizes.require(x[2], x[3], 0, 0);
  sizes.require(y[2], y[3], 0, reach[1] - reach[0]);
  return reach[1] - reach[0] <= kMostPadding;
}

SparseConv::SparseConv(const Tensor& weight, const SparseWindow& window, const Planes& x,
                       const Planes& y, const SparseVariant& variant)
    : window_(window), x_(x), y_(y), tiles_(&tiles_of(variant.isa)), mask_(y.mask()) {
  StreamOptions options{};
  options.rows_together = runtime::rows_together(weight, window.groups);
  options.groups = window.groups;
  set_taps(weight, options);

  const int block = block_index(options.rows_together);
  const int64_t lanes = tiles_->lanes;
  const int64_t vectors = (y.rows * y.pitch + lanes - 1) / lanes;
  const int64_t most = std::min(variant.vectors, tiles_->most_vectors[block]);
  const int64_t tiles = (vectors + most - 1) / most;
  for (int64_t t = 0; t <= tiles; ++t) tile_begins_.push_back(vectors * t / tiles);

  options.chunk_channels = chunk_channels(weight, most * lanes, options.rows_together, variant);
  streams_ = streams_of(weight, options);
}

// As many as the cache holds of a tile with the rows above and below, but enough for some entries
// in each row: between chunks sums go to memory and come back.
int64_t SparseConv::chunk_channels(const Tensor& weight, int64_t pixels, int rows_together,
                                   const SparseVariant& variant) const {
  if (window_.groups > 1) return x_.channels;
  const int64_t above = (window_.kernel[0] - 1) * window_.dilations[0] * y_.pitch;
  const int64_t held = variant.chunk_bytes / (4 * (pixels + above));
  const int64_t entries = std::max<int64_t>(1, count_nonzeros(weight) / rows_together);
  const int64_t rows = std::max<int64_t>(1, y_.channels / rows_together);
  return std::max(held, kFewestEntries * rows * x_.channels / entries + 1);
}

void SparseConv::set_taps(const Tensor& weight, StreamOptions& options) {
  const int64_t taps = window_.kernel[0] * window_.kernel[1];
  const bool direct = in_place(window_);
  for (int axis = 0; axis < 2; ++axis) {
    const std::array<int64_t, 2> reach = reach_of(window_, axis);
    first_reach_[axis] = reach[0];
    reach_[axis] = reach[1] - reach[0];
  }
  phase_plane_ = ((y_.rows + reach_[0]) * y_.pitch + kLine - 1) / kLine * kLine + kLine;
  phase_floats_ = x_.channels * phase_plane_;
  options.channel_bytes = 4 * (direct ? x_.plane : phase_plane_);
  const auto values = weight.as<float>();
  for (int64_t tap = 0; tap < taps; ++tap) {
    const int64_t dy = shift(window_, 0, tap / window_.kernel[1]);
    const int64_t dx = shift(window_, 1, tap % window_.kernel[1]);
    if (direct) {
      options.tap_offsets.push_back(4 * (dy * x_.pitch + dx));
      continue;
    }
    bool used = false;
    for (size_t i = tap; i < values.size() && !used; i += taps) used = values[i] != 0;
    if (!used) {
      options.tap_offsets.push_back(0);
      continue;
    }
    const int64_t qy = floor_div(dy, window_.strides[0]), qx = floor_div(dx, window_.strides[1]);
    const Phase phase{dy - qy * window_.strides[0], dx - qx * window_.strides[1]};
    size_t which = 0;
    while (which < phases_.size() &&
           (phases_[which].row != phase.row || phases_[which].column != phase.column)) {
      ++which;
    }
    if (which == phases_.size()) phases_.push_back(phase);
    options.tap_offsets.push_back(4 * (static_cast<int64_t>(which) * phase_floats_ +
                                       (qy - first_reach_[0]) * y_.pitch + qx - first_reach_[1]));
  }
  if (!direct) {
    // One more line, and at least one phase, for weights that are all zero.
    scratch_floats_ = std::max<int64_t>(1, std::ssize(phases_)) * phase_floats_ + 2 * kLine;
  }
  COPPICE_CHECK(4 * std::max(scratch_floats_, x_.image) < std::numeric_limits<int32_t>::max(),
                "an image that offsets of 32 bits don't span");
}

size_t SparseConv::weight_bytes() const {
  size_t bytes = 0;
  for (const Stream& stream : streams_) {
    bytes += stream.entries.size() * sizeof(float);
    for (const auto& begins : stream.begins) bytes += begins.size() * sizeof(int32_t);
  }
  return bytes;
}

void SparseConv::gather_plane(const float* from, float* to, const Phase& phase) const {
  const int64_t stride = window_.strides[1];
  const int64_t columns = std::min(y_.pitch, y_.columns + reach_[1]);
  // The first and the last column that lie in the image.
  const int64_t left = first_reach_[1] * stride + phase.column;
  const int64_t first = std::clamp<int64_t>(-floor_div(left, stride), 0, columns);
  const int64_t last =
      std::clamp<int64_t>(floor_div(x_.columns - 1 - left, stride) + 1, first, columns);
  for (int64_t i = 0; i < y_.rows + reach_[0]; ++i, to += y_.pitch) {
    const int64_t row = (i + first_reach_[0]) * window_.strides[0] + phase.row;
    if (row < 0 || row >= x_.rows) {
      std::fill_n(to, y_.pitch, 0.0f);
      continue;
    }
    const float* const source = from + row * x_.pitch + left;
    std::fill_n(to, first, 0.0f);
    if (stride == 2) {
      tiles_->every_second(source + 2 * first, to + first, last - first);
    } else {
      for (int64_t j = first; j < last; ++j) to[j] = source[stride * j];
    }
    std::fill(to + last, to + y_.pitch, 0.0f);
  }
}

void SparseConv::gather(const Operands& operands) const {
  const int64_t planes = std::ssize(phases_) * x_.channels;
  // Lanes between rows read past the last phase; what they compute is masked, but must be numbers.
  std::fill_n(operands.scratch + scratch_floats_ - 2 * kLine, 2 * kLine, 0.0f);
#pragma omp parallel for num_threads(operands.threads) if (operands.threads > 1)
  for (int64_t p = 0; p < planes; ++p) {
    float* const to = operands.scratch + p * phase_plane_;
    gather_plane(operands.x + x_.lead + p % x_.channels * x_.plane, to, phases_[p / x_.channels]);
    const int64_t written = (y_.rows + reach_[0]) * y_.pitch;
    std::fill(to + written, to + phase_plane_, 0.0f);
  }
}

// `item` of the tiles times `parts` of the rows.
void SparseConv::run_tiles(const Operands& operands, int64_t image, int64_t item,
                           int64_t parts) const {
  const int64_t t = item / parts, part = item % parts;
  const int64_t first = tile_begins_[t] * tiles_->lanes;
  const int64_t vectors = tile_begins_[t + 1] - tile_begins_[t];
  const float* const x =
      scratch_floats_ ? operands.scratch : operands.x + image * x_.image + x_.lead;
  const int64_t place = image * y_.image + y_.lead + first;
  for (const Stream& stream : streams_) {
    const TileFunction function = tiles_->functions[block_index(stream.rows_together)]
                                                   [std::min<int64_t>(vectors, kMostVectors)];
    COPPICE_CHECK(function, "a tile that no loop computes");
    TileJob job{.stream = stream.entries.data(),
                .begins = nullptr,
                .rows = stream.rows.data(),
                .first_group = stream.groups() * part / parts,
                .last_group = stream.groups() * (part + 1) / parts,
                .x = x + first,
                .y = operands.y + place,
                .y_plane = y_.plane,
                .bias = operands.bias,
                .mask = mask_.data() + first,
                .start = operands.start ? operands.start + place : nullptr,
                .finish = operands.finish,
                .place = place,
                .first_chunk = false,
                .last_chunk = false};
    for (size_t chunk = 0; chunk < stream.begins.size(); ++chunk) {
      job.begins = stream.begins[chunk].data();
      job.first_chunk = chunk == 0;
      job.last_chunk = chunk + 1 == stream.begins.size();
      function(job);
    }
  }
}

void SparseConv::run(const Operands& operands) const {
  const int64_t tiles = std::ssize(tile_begins_) - 1;
  // Few tiles: every thread takes its share of the rows of each instead.
  const int64_t parts = tiles < 4 * operands.threads ? operands.threads : 1;
  for (int64_t image = 0; image < x_.images; ++image) {
    if (scratch_floats_) {
      Operands of_image = operands;
      of_image.x = operands.x + image * x_.image;
      gather(of_image);
    }
#pragma omp parallel for schedule(static) num_threads(operands.threads) if (operands.threads > 1)
    for (int64_t i = 0; i < tiles * parts; ++i) {
      // Rows of one part one after the other: their weights stay with one thread.
      run_tiles(operands, image, i % tiles * parts + i / tiles, parts);
    }
  }
  y_.clear_around(operands.y, tile_begins_.back() * tiles_->lanes);
}

}  // namespace coppice::runtime
