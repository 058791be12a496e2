// The operators' definitions (one file each, listed in table.cpp) and the few helpers they share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/op.h"

namespace coppice {

// Spatial geometry of Conv and the pools, with auto_pad resolved. One entry a spatial axis.
struct Window {
  Shape kernel, strides, dilations, begin, end;  // begin/end: padding
};
// `input` is the spatial part of the input's shape. Throws Error::input where lengths don't agree.
Window window_of(const Graph& graph, const Node& node, const Shape& input, const Shape& kernel);
// Output size per spatial axis. `ceil`: round up (pools with ceil_mode), dropping a last window
// that would start in the padding, as PyTorch and ONNX Runtime do.
Shape window_output(const Window& window, const Shape& input, bool ceil);

// The same for ConvTranspose, which walks its windows over the output: padding crops there.
struct TransposedWindow {
  Window window;
  Shape output;
};
TransposedWindow transposed_window_of(const Graph& graph, const Node& node, const Shape& input,
                                      const Shape& kernel);

// numpy broadcasting. Empty where the shapes don't fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
// For each axis of `shape` right-aligned to `out`, the stride in elements, 0 where it is repeated.
Shape broadcast_strides(const Shape& shape, const Shape& out);

// Axes given as attribute (older opsets) or as a known input (newer ones), resolved and sorted.
// Empty optional where an input isn't known. `fallback` when neither is there.
std::optional<std::vector<int64_t>> axes_of(InferContext& context, int input,
                                            const std::vector<int64_t>& fallback);
std::optional<std::vector<int64_t>> axes_of(const Graph& graph, const Node& node,
                                            const Tensor* given, int64_t rank,
                                            const std::vector<int64_t>& fallback);

// Slice's arguments, resolved against a shape, from attributes or inputs.
struct SliceRange {
  int64_t axis, start, step, count;  // indices start, start + step, ... (count of them)
};
std::optional<std::vector<SliceRange>> slice_ranges(const Graph& graph, const Node& node,
                                                    const Shape& shape, const Tensor* starts,
                                                    const Tensor* ends, const Tensor* axes,
                                                    const Tensor* steps);

// What a Resize or Upsample gives: the new shape, and the scale of each axis. Empty where neither
// scales nor sizes are there.
struct ResizeTarget {
  Shape shape;
  std::vector<double> scales;
};
std::optional<ResizeTarget> resize_target(const Graph& graph, const Node& node, const Shape& input,
                                          const Tensor* scales, const Tensor* sizes);

// Pads per axis, [begin..., end...] over the whole rank.
std::optional<std::vector<int64_t>> pads_of(const Graph& graph, const Node& node, int64_t rank,
                                            const Tensor* pads, const Tensor* axes);

// The shape that a Reshape to `wanted` (with -1 and 0) gives. Throws Error::input if it can't.
Shape resolve_reshape(const Graph& graph, const Node& node, const Shape& input,
                      const std::vector<int64_t>& wanted);

// Numbers for a Reshape of `input` to `shape`: `now` where that resolves to it, else with only its
// sizes replaced (-1 and 0 stay), else `shape` itself.
std::vector<int64_t> fitting_reshape(const Graph& graph, const Node& node, const Shape& input,
                                     const std::vector<int64_t>& now, const Shape& shape);

// For each index of an axis how many before it stay: its place, if it stays itself.
std::vector<int64_t> places_after(const std::vector<bool>& alive);

// A tensor of one element as a number. Throws Error::input, naming the node, for any other.
double scalar_of(const Graph& graph, const Node& node, const Tensor& tensor);

// The tensor with its axes in another order.
Tensor transposed(const Tensor& tensor, const std::vector<int64_t>& order);
// The tensor repeated along the axes of size 1 (or that it lacks) to `shape`.
Tensor expanded(const Tensor& tensor, const Shape& shape);

// Axis labels through any change of shape that keeps the row-major order (see reshape.cpp).
void relate_reshape(Relations& relations);

void infer_same(InferContext& context);       // output 0 has the type of input 0
void infer_broadcast(InferContext& context);  // the type of input 0, the shape of all
// For operators whose outputs are no tensors, or whose shapes only the file tells.
void infer_nothing(InferContext& context);
// The type that attribute `name` gives by its number in ONNX, or else `otherwise`.
DType type_attribute(const Node& node, const char* name, DType otherwise);

// For OpDef::passes_gradient: of shapes, comparisons and places none; places beside the values.
bool no_gradient(const Node& node, int output);
bool gradient_of_first(const Node& node, int output);

}  // namespace coppice
