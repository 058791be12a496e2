// Slice, Split, Concat, Pad and Transpose as strided copies, in the layout of their input where its
// blocks of channels stay whole, else in the plain one.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "graph/ops/ops.h"
#include "runtime/kernels/views.h"

namespace coppice::runtime {
namespace {

struct Source {
  BufferId buffer;
  int64_t block;
};

// Where `id` lies; plain where its layout isn't one we can see through.
Source source_of(Lowering& lowering, ValueId id) {
  if (!lowering.describable(id)) return {lowering.plain(id).buffer, 1};
  const Location natural = lowering.natural(id);
  if (const auto block = channel_block(natural.desc)) return {natural.buffer, *block};
  return {lowering.plain(id).buffer, 1};
}

Location place_blocked(Lowering& lowering, ValueId id, int64_t block) {
  return lowering.place(id, block == 1 ? lowering.plain_description_of(id)
                                       : blocked_description(lowering.shape(id), block));
}

bool movable(const Lowering& lowering, ValueId id) {
  const size_t width = size_of(lowering.dtype(id));
  return width == 1 || width == 2 || width == 4 || width == 8 || width == 16;
}

// One piece of `input`, copied into `output`.
void copy_piece(Lowering& lowering, ValueId input, ValueId output,
                const std::vector<AxisRange>& ranges) {
  Source source = source_of(lowering, input);
  const Shape& shape = lowering.shape(input);
  const bool whole = std::all_of(ranges.begin(), ranges.end(), [&](const AxisRange& range) {
    return keeps_blocks(range, shape[range.axis], source.block);
  });
  if (!whole || !lowering.describable(output)) source = {lowering.plain(input).buffer, 1};
  View from = view_of(shape, source.block);
  for (const AxisRange& range : ranges) narrow(from, range, source.block);
  const Location target = place_blocked(lowering, output, source.block);
  const View to = view_of(lowering.shape(output), source.block);
  const StridedCopy copy(from, to, size_of(lowering.dtype(input)));
  lowering.add_step({source.buffer, target.buffer},
                    [copy, source, to_buffer = target.buffer](Pointers pointers) {
                      copy(pointers[source.buffer], pointers[to_buffer]);
                    });
}

const Tensor* parameter(const Lowering& lowering, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) return nullptr;
  return lowering.constant(node.inputs[input]);
}

bool parameters_known(const Lowering& lowering, const Node& node) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && !lowering.constant(node.inputs[i])) return false;
  }
  return true;
}

int64_t axis_of(const Lowering& lowering, const Node& node) {
  return resolve_axis(lowering.graph(), node, node.attributes.integer("axis", 0),
                      static_cast<int64_t>(lowering.shape(node.inputs[0]).size()));
}

}  // namespace

bool lower_slice(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!parameters_known(lowering, node) || !movable(lowering, node.inputs[0])) return false;
  const auto slices = slice_ranges(lowering.graph(), node, lowering.shape(node.inputs[0]),
                                   parameter(lowering, node, 1), parameter(lowering, node, 2),
                                   parameter(lowering, node, 3), parameter(lowering, node, 4));
  if (!slices) return false;
  std::vector<AxisRange> ranges;
  for (const SliceRange& s : *slices) ranges.push_back({s.axis, s.start, s.step, s.count});
  copy_piece(lowering, node.inputs[0], layer.output, ranges);
  return true;
}

bool lower_split(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!movable(lowering, node.inputs[0])) return false;
  const int64_t axis = axis_of(lowering, node);
  int64_t first = 0;
  if (std::count(node.outputs.begin(), node.outputs.end(), kNoValue) > 0) return false;
  for (const ValueId output : node.outputs) {
    const int64_t count = lowering.shape(output)[axis];
    copy_piece(lowering, node.inputs[0], output, {{axis, first, 1, count}});
    first += count;
  }
  return true;
}

bool lower_transpose(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!movable(lowering, node.inputs[0])) return false;
  const View plain = plain_view(lowering.shape(node.inputs[0]));
  std::vector<int64_t> order(plain.extents.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.attributes.integers("perm").value_or(order);
  View from;
  for (const int64_t axis : order) {
    from.extents.push_back(plain.extents[axis]);
    from.strides.push_back(plain.strides[axis]);
  }
  const BufferId source = lowering.plain(node.inputs[0]).buffer;
  const BufferId target = place_blocked(lowering, layer.output, 1).buffer;
  const StridedCopy copy(from, plain_view(from.extents), size_of(lowering.dtype(node.inputs[0])));
  lowering.add_step({source, target}, [copy, source, target](Pointers pointers) {
    copy(pointers[source], pointers[target]);
  });
  return true;
}

bool lower_concat(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!movable(lowering, layer.output)) return false;
  const int64_t axis = axis_of(lowering, node);
  // All inputs share one layout, and seams between channels fall between blocks; else plain.
  int64_t block =
      lowering.describable(layer.output) ? source_of(lowering, node.inputs[0]).block : 1;
  int64_t seam = 0;
  for (const ValueId id : node.inputs) {
    const bool fits = lowering.describable(id) && source_of(lowering, id).block == block &&
                      (axis != 1 || seam % block == 0);
    if (!fits) block = 1;
    seam += lowering.shape(id)[axis];
  }
  const BufferId target = place_blocked(lowering, layer.output, block).buffer;
  std::vector<std::pair<StridedCopy, BufferId>> copies;
  std::vector<BufferId> buffers{target};
  int64_t first = 0;
  for (const ValueId id : node.inputs) {
    const Shape& shape = lowering.shape(id);
    View to = view_of(lowering.shape(layer.output), block);
    narrow(to, {axis, first, 1, shape[axis]}, block);
    first += shape[axis];
    buffers.push_back(block == 1 ? lowering.plain(id).buffer : lowering.natural(id).buffer);
    copies.emplace_back(StridedCopy(view_of(shape, block), to, size_of(lowering.dtype(id))),
                        buffers.back());
  }
  lowering.add_step(buffers, [copies, target](Pointers pointers) {
    for (const auto& [copy, source] : copies) copy(pointers[source], pointers[target]);
  });
  return true;
}

bool lower_pad(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const ValueId input = node.inputs[0];
  if (!parameters_known(lowering, node) || !lowering.describable(input)) return false;
  if (node.attributes.text("mode", "constant") != "constant") return false;
  const Shape &x = lowering.shape(input), &y = lowering.shape(layer.output);
  const auto rank = static_cast<int64_t>(x.size());
  const auto pads = pads_of(lowering.graph(), node, rank, parameter(lowering, node, 1),
                            parameter(lowering, node, 3));
  float value = node.attributes.real("value", 0);
  if (const Tensor* given = parameter(lowering, node, 2)) {
    if (given->dtype() != DType::f32 || given->size() != 1) return false;
    value = given->as<float>()[0];
  }
  if (!pads || *std::min_element(pads->begin(), pads->end()) < 0) return false;

  Source source = source_of(lowering, input);
  // Channels that fill up a last block must stay zero, so other values need the plain layout.
  if ((rank > 1 && (*pads)[1] % source.block != 0) || (value != 0 && source.block > 1)) {
    source = {lowering.plain(input).buffer, 1};
  }
  const Location target = place_blocked(lowering, layer.output, source.block);
  View to = view_of(y, source.block);
  for (int64_t axis = 0; axis < rank; ++axis) {
    narrow(to, {axis, (*pads)[axis], 1, x[axis]}, source.block);
  }
  const StridedCopy copy(view_of(x, source.block), to, sizeof(float));
  const size_t floats = target.desc.get_size() / sizeof(float);
  lowering.add_step({source.buffer, target.buffer},
                    [copy, source, to_buffer = target.buffer, floats, value](Pointers pointers) {
                      std::fill_n(reinterpret_cast<float*>(pointers[to_buffer]), floats, value);
                      copy(pointers[source.buffer], pointers[to_buffer]);
                    });
  return true;
}

}  // namespace coppice::runtime
