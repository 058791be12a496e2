// Add, Sub, Mul, Div of two tensors. oneDNN wants its first operand whole and broadcasts the second
// one; operands of equal shape must share a layout, and the blocked one wins.

#include <algorithm>
#include <string_view>

#include "runtime/steps/channelwise.h"

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

struct Operands {
  ValueId a, b;  // a has the output's shape
  algorithm function;
  Location first, second;
};

bool is_plain(const Location& location, const Shape& shape) {
  return location.desc == plain_description(shape);
}

std::optional<Operands> operands_of(const Lowering& lowering, const Node& node, const Shape& out) {
  const Entry* entry = kEntries;
  while (entry->type != node.op_type) ++entry;
  Operands o{node.inputs[0], node.inputs[1], entry->function, {}, {}};
  if (lowering.shape(o.a) != out && entry->commutes) std::swap(o.a, o.b);
  const bool fits =
      lowering.shape(o.a) == out && lowering.describable(o.a) && lowering.dtype(o.b) == DType::f32;
  return fits ? std::optional(o) : std::nullopt;
}

// Brings both operands into layouts that go together.
void settle_layouts(Lowering& lowering, Operands& o, const Shape& out) {
  o.first = lowering.natural(o.a);
  Shape shape = lowering.shape(o.b);
  if (shape == out) {
    o.second = lowering.natural(o.b);
    if (is_plain(o.first, out)) o.first = lowering.as(o.a, o.second.desc);
    o.second = lowering.as(o.b, o.first.desc);
  } else if (shape.size() == out.size() && lowering.describable(o.b) && !lowering.constant(o.b) &&
             !is_plain(o.first, out)) {
    o.second = lowering.natural(o.b);
  } else {
    shape.insert(shape.begin(), out.size() - shape.size(), 1);
    o.second = {lowering.plain(o.b).buffer, plain_description(shape)};
  }
}

void settle_plain(Lowering& lowering, Operands& o, const Shape& out) {
  Shape shape = lowering.shape(o.b);
  shape.insert(shape.begin(), out.size() - shape.size(), 1);
  o.first = lowering.plain(o.a);
  o.second = {lowering.plain(o.b).buffer, plain_description(shape)};
}

std::optional<dnnl::binary::primitive_desc> create(const Lowering& lowering, const Operands& o,
                                                   const FusedOps& fused) {
  return try_create([&] {
    const dnnl::binary::desc desc(o.function, o.first.desc, o.second.desc, o.first.desc);
    return dnnl::binary::primitive_desc(desc, fused.attributes, lowering.engine());
  });
}

bool padded(const Description& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  return !std::equal(d.dims, d.dims + d.ndims, d.padded_dims);
}

}  // namespace

bool lower_binary(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const Shape out = lowering.shape(node.outputs[0]);
  auto operands = operands_of(lowering, node, out);
  if (!operands || element_count(lowering.shape(operands->b)) == 0) return false;
  Operands& o = *operands;
  settle_layouts(lowering, o, out);
  // oneDNN 2.6 computes wrong numbers for a post-op where the channels don't fill the last block.
  if (!layer.post_ops.empty() && padded(o.first.desc)) return false;
  FusedOps fused = fuse_operations(lowering, layer, o.first.desc, {}, Sum::never);
  auto primitive = create(lowering, o, fused);
  if (primitive && plain_loops(*primitive)) {
    if (is_channelwise(lowering, o.b, out)) {
      if (!layer.post_ops.empty()) return false;  // comes back without them
      if (lower_channelwise(lowering, layer, o.a, o.b, o.function)) return true;
    }
    settle_plain(lowering, o, out);
    fused = fuse_operations(lowering, layer, o.first.desc, {}, Sum::never);
    primitive = create(lowering, o, fused);
  }
  if (!primitive) return false;
  const ValueId others[] = {o.b};
  const bool in_place = lowering.may_overwrite(o.a, others);
  const Location y = in_place ? o.first : lowering.allocate(o.first.desc);
  lowering.place_in(layer.output, y);
  lowering.add_primitive(
      *primitive, dnnl::binary(*primitive),
      {{DNNL_ARG_SRC_0, o.first}, {DNNL_ARG_SRC_1, o.second}, {DNNL_ARG_DST, y}});
  return true;
}

}  // namespace coppice::runtime
