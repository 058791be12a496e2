// A tensor as the context models see it: rows of columns, and kernels within a row.
//
// Rows are the first axis (filters, output neurons), columns all others. A convolution's row is
// kernels of `area` weights one after the other, each of lines of `width` weights; elsewhere both
// are 1. Pruned nets have dead columns and dead rows, and within a kernel neighbours resemble each
// other: these are the contexts.
#pragma once

#include <cstdint>

#include "codec/coders/bytes.h"
#include "core/tensor.h"

namespace coppice::codec {

struct Geometry {
  uint64_t columns = 1, area = 1, width = 1;

  // A kernel of one line of one weight has no neighbours.
  bool has_kernels() const { return width > 1; }
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

// Histories of the neighbours are kept in 64 bits; kernels with longer lines count as none.
inline constexpr uint64_t kMaxKernelWidth = 64;

// Sound for any shape with at least one element.
Geometry geometry_of(const Shape& shape);
// Varints of columns, area and width.
void append_geometry(Bytes& bytes, const Geometry& geometry);
// Throws Error::input unless width, area, columns and elements each divide the next, and
// 1 <= width <= kMaxKernelWidth.
Geometry take_geometry(ByteReader& reader, uint64_t elements);

// For each column which of its neighbours lie in the same kernel: bit 0 the one to the left (column
// - 1), bit 1 the one above (column - width). Without kernels: both bits everywhere.
std::vector<uint8_t> neighbour_masks(const Geometry& geometry);

}  // namespace coppice::codec
