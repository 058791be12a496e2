// Add, Sub, Mul, Div of two tensors. oneDNN wants its first operand whole and broadcasts the second
// one; operands of equal shape must share a layout, and the blocked one wins.

#include <string_view>

#include "runtime/steps/steps.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

struct Entry {
  std::string_view type;
  algorithm function;
  bool commutes;
};
constexpr Entry kEntries[] = {{"Add", algorithm::binary_add, true},
                              {"Mul", algorithm::binary_mul, true},
                              {"Sub", algorithm::binary_sub, false},
                              {"Div", algorithm::binary_div, false}};

bool is_plain(const Location& location, const Shape& shape) {
  return location.desc == plain_description(shape);
}

// The second operand of a broadcast, with axes of size 1 in front.
std::optional<Location> broadcast_operand(Lowering& lowering, ValueId id, const Location& first,
                                          const Shape& out) {
  Shape shape = lowering.shape(id);
  if (lowering.dtype(id) != DType::f32 || element_count(shape) == 0) return std::nullopt;
  if (shape.size() == out.size() && lowering.describable(id) && !is_plain(first, out)) {
    const Location natural = lowering.natural(id);
    if (!lowering.constant(id)) return natural;
  }
  shape.insert(shape.begin(), out.size() - shape.size(), 1);
  return Location{lowering.plain(id).buffer, plain_description(shape)};
}

}  // namespace

bool lower_binary(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const Entry* entry = kEntries;
  while (entry->type != node.op_type) ++entry;
  ValueId a = node.inputs[0], b = node.inputs[1];
  const Shape out = lowering.shape(node.outputs[0]);
  if (lowering.shape(a) != out && entry->commutes) std::swap(a, b);
  if (lowering.shape(a) != out || !lowering.describable(a)) return false;

  Location first = lowering.natural(a), second;
  if (lowering.shape(b) == out && lowering.describable(b)) {
    second = lowering.natural(b);
    if (is_plain(first, out) && !is_plain(second, out)) first = lowering.as(a, second.desc);
    second = lowering.as(b, first.desc);
  } else {
    const auto operand = broadcast_operand(lowering, b, first, out);
    if (!operand) return false;
    second = *operand;
  }
  const FusedOps fused = fuse_operations(lowering, layer, first.desc, {}, Sum::never);
  const auto primitive = try_create([&] {
    const dnnl::binary::desc desc(entry->function, first.desc, second.desc, first.desc);
    return dnnl::binary::primitive_desc(desc, fused.attributes, lowering.engine());
  });
  if (!primitive) return false;
  const ValueId others[] = {b};
  const Location y = lowering.may_overwrite(a, others) ? first : lowering.allocate(first.desc);
  lowering.place_in(layer.output, y);
  lowering.add_primitive(*primitive, dnnl::binary(*primitive),
                         {{DNNL_ARG_SRC_0, first}, {DNNL_ARG_SRC_1, second}, {DNNL_ARG_DST, y}});
  return true;
}

}  // namespace coppice::runtime
