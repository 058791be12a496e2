// See planes.h.
#include "runtime/sparse/planes.h"

#include <algorithm>

#include "core/error.h"

namespace coppice::runtime {
namespace {

int64_t whole_lines(int64_t floats) { return (floats + kLine - 1) / kLine * kLine; }

}  // namespace

void Planes::clear_around(float* data, int64_t computed) const {
  for (int64_t n = 0; n < images; ++n) {
    float* const first = data + n * image;
    std::fill_n(first, lead, 0.0f);
    for (int64_t c = 0; c < channels && computed < plane; ++c) {
      std::fill_n(first + lead + c * plane + computed, plane - computed, 0.0f);
    }
    std::fill_n(first + image - lead, lead, 0.0f);
  }
}

void Planes::clear_between(float* data) const {
  clear_around(data, rows * pitch);
  if (pitch == columns) return;
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      float* row = data + n * image + lead + c * plane + columns;
      for (int64_t y = 0; y < rows; ++y, row += pitch) std::fill_n(row, pitch - columns, 0.0f);
    }
  }
}

std::vector<uint32_t> Planes::mask() const {
  std::vector<uint32_t> mask(plane, 0);
  for (int64_t y = 0; y < rows; ++y) std::fill_n(mask.begin() + y * pitch, columns, ~0u);
  return mask;
}

size_t PlaneSizes::class_of(Size size) {
  const auto [place, added] = sizes_.try_emplace(size, classes_.size());
  if (added) classes_.push_back({size.second, 0});
  return place->second;
}

void PlaneSizes::require(int64_t height, int64_t width, int64_t rows, int64_t columns) {
  Class& all = classes_[class_of({height, width})];
  all.pitch = std::max(all.pitch, width + columns);
  all.gap = std::max(all.gap, rows);
}

void PlaneSizes::join(int64_t height, int64_t width, int64_t other_height, int64_t other_width) {
  const size_t kept = class_of({height, width}), gone = class_of({other_height, other_width});
  if (kept == gone) return;
  classes_[kept].pitch = std::max(classes_[kept].pitch, classes_[gone].pitch);
  classes_[kept].gap = std::max(classes_[kept].gap, classes_[gone].gap);
  for (auto& [size, which] : sizes_) {
    if (which == gone) which = kept;
  }
}

bool PlaneSizes::knows(const Shape& shape) const {
  return shape.size() == 4 && sizes_.contains({shape[2], shape[3]});
}

Planes PlaneSizes::of(const Shape& shape) const {
  COPPICE_CHECK(knows(shape), "planes of a size that nobody asked for");
  const Class& all = classes_[sizes_.at({shape[2], shape[3]})];
  Planes planes{shape[0], shape[1], shape[2], shape[3], all.pitch, all.gap, 0, 0, 0};
  planes.plane = whole_lines((shape[2] + all.gap) * all.pitch);
  planes.lead = planes.plane;
  planes.image = 2 * planes.lead + shape[1] * planes.plane;
  return planes;
}

}  // namespace coppice::runtime
