// Weights that a file stores as integers: what they stand for, whatever operator reads them
// (DequantizeLinear, QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger).
//
//   w = (code - zero_point) * step      one zero point and step for all, or one for each channel
#pragma once

#include <optional>
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
  for (int64_t i = 0; i < codes.size(); ++i) visit(i, i / inner % size);
}

// All of the graph's whose step and zero point, if any, are constants, each code tensor once.
std::vector<Quantised> quantised_constants(const Graph& graph);

// The zero point of each code, as a number; 0 where there is none.
std::vector<int64_t> zero_points_of(const Graph& graph, const Quantised& quantised);

// The floats that the codes stand for. Nothing for steps that aren't by tensor or by channel.
std::optional<Tensor> dequantised(const Graph& graph, const Quantised& quantised);

// The graph with floats in place of all such weights: for who looks at weights, not for who runs
// them.
Graph with_readable_weights(const Graph& graph);

}  // namespace coppice
