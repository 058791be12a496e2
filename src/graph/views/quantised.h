// Weights that a file stores as integers: what they stand for, whatever operator reads them
// (DequantizeLinear, QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger).
//
//   w = (code - zero_point) * step      one zero point and step for all, or one for each channel
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"

namespace coppice {

// A constant of codes, as one node reads it.
struct Quantised {
  ValueId codes = kNoValue, step = kNoValue, zero_point = kNoValue;
  int64_t axis = 0;  // of the codes, along which step and zero point lie where they are several
};

// Calls `visit` with the number of each code and its index along the axis.
template <typename Visit>
void for_each_place(const Tensor& codes, int64_t axis, Visit visit) {
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < codes.rank(); ++i) inner *= codes.shape()[i];
  const int64_t size = codes.rank() == 0 ? 1 : codes.shape()[axis];
  int64_t number = 0;
  while (number < codes.size()) {
    for (int64_t place = 0; place < size; ++place) {
      for (int64_t i = 0; i < inner; ++i) visit(number++, place);
    }
  }
}

// Calls `body` with the codes as a span of their own type; widened, where that isn't a usual one.
template <typename Body>
void with_codes(const Tensor& codes, Body body) {
  if (codes.dtype() == DType::i8) return body(codes.as<int8_t>());
  if (codes.dtype() == DType::u8) return body(codes.as<uint8_t>());
  if (codes.dtype() == DType::i32) return body(codes.as<int32_t>());
  const std::vector<int64_t> wide = to_int64s(codes);
  body(std::span<const int64_t>(wide));
}

// All of the graph's whose step and zero point, if any, are constants, each code tensor once.
std::vector<Quantised> quantised_constants(const Graph& graph);

// Its zero points: one for all codes, or one for each index of the axis; {0} where there is none.
std::vector<int64_t> zero_points_of(const Graph& graph, const Quantised& quantised);

// A graph's constants, for who looks at weights, not for who runs them: codes as the floats that
// they stand for, made each time anew, since those of all layers take several times the file's
// memory. Codes whose steps aren't by tensor or by channel are given as they are.
class ReadableWeights {
 public:
  // Requires: `graph` outlives it.
  explicit ReadableWeights(const Graph& graph);

  // Requires: a constant.
  Tensor at(ValueId id) const;

 private:
  const Graph& graph_;
  std::unordered_map<ValueId, Quantised> quantised_;  // by codes
};

}  // namespace coppice
