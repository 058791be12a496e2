// See geometry.h.
#include "codec/tensor/geometry.h"

#include <string>

#include "core/error.h"

namespace coppice::codec {

Geometry geometry_of(const Shape& shape) {
  Geometry geometry;
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    geometry.columns *= static_cast<uint64_t>(shape[axis]);
  }
  if (shape.size() < 3) return geometry;
  const auto width = static_cast<uint64_t>(shape.back());
  if (width == 1 || width > kMaxKernelWidth) return geometry;
  geometry.width = width;
  for (size_t axis = 2; axis < shape.size(); ++axis) {
    geometry.area *= static_cast<uint64_t>(shape[axis]);
  }
  return geometry;
}

void append_geometry(Bytes& bytes, const Geometry& geometry) {
  append_varint(bytes, geometry.columns);
  append_varint(bytes, geometry.area);
  append_varint(bytes, geometry.width);
}

Geometry take_geometry(ByteReader& reader, uint64_t elements) {
  Geometry geometry;
  geometry.columns = reader.varint(elements, "columns");
  geometry.area = reader.varint(geometry.columns, "kernel area");
  geometry.width = reader.varint(kMaxKernelWidth, "kernel width");
  const auto [columns, area, width] = geometry;
  if (width == 0 || area == 0 || columns == 0 || area % width != 0 || columns % area != 0 ||
      elements % columns != 0) {
    fail_input("kernel width " + std::to_string(width) + ", area " + std::to_string(area) +
               ", columns " + std::to_string(columns) + ", elements " + std::to_string(elements) +
               ", expected each to divide the next");
  }
  return geometry;
}

std::vector<uint8_t> neighbour_masks(const Geometry& geometry) {
  std::vector<uint8_t> masks(geometry.columns, 3);
  if (!geometry.has_kernels()) return masks;
  for (uint64_t column = 0; column < geometry.columns; ++column) {
    const uint64_t within = column % geometry.area;
    masks[column] = static_cast<uint8_t>((within % geometry.width >= 1 ? 1 : 0) |
                                         (within >= geometry.width ? 2 : 0));
  }
  return masks;
}

}  // namespace coppice::codec
