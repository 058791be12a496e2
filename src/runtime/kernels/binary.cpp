// Add, Sub, Mul, Div of two tensors: oneDNN where both have the output's shape and share a layout
// without empty channels, else one pass of our own (runtime/loops/repeated_binary.h).
//
// That pass takes operands as they lie: a blocked image keeps its blocks, and what is repeated
// along the channels is read wherever it is. Channels that fill up the last block are zero
// afterwards, whatever the function made of them.

#include <algorithm>
#include <string_view>

#include "runtime/kernels/views.h"
#include "runtime/loops/repeated_binary.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

struct Entry {
  std::string_view type;
  algorithm theirs;
  BinaryFunction ours;
};
constexpr Entry kEntries[] = {{"Add", algorithm::binary_add, BinaryFunction::add},
                              {"Mul", algorithm::binary_mul, BinaryFunction::mul},
                              {"Sub", algorithm::binary_sub, BinaryFunction::sub},
                              {"Div", algorithm::binary_div, BinaryFunction::div}};

const Entry& entry_of(const Node& node) {
  const Entry* entry = kEntries;
  while (entry->type != node.op_type) ++entry;
  return *entry;
}

bool padded(const Description& desc) {
  const onednn::Layout layout = onednn::layout_of(desc);
  return layout.dims != layout.padded_dims;
}

// Of equal shapes that the graph computes; the blocked layout wins. Behind a sum of blocks that are
// narrower than a vector oneDNN 2.6 applies post-ops past the end of the memory (nChw8c on AVX-512,
// nChw4c on AVX2), so there they are steps of their own.
bool lower_equal(Lowering& lowering, const Layer& layer, ValueId a, ValueId b, algorithm function) {
  Location first = lowering.packed(a);
  if (channel_block(first.desc) == 1) first = lowering.as(a, lowering.packed(b).desc);
  if (padded(first.desc)) return false;
  if (!layer.post_ops.empty() && channel_block(first.desc) != 1) return false;
  const Location second = lowering.as(b, first.desc);
  const FusedOps fused = fuse_operations(lowering, layer, first.desc, {}, Sum::never);
  const auto primitive = try_create([&] {
    return onednn::describe<dnnl::binary>(lowering.engine(), fused.attributes, function, first.desc,
                                          second.desc, first.desc);
  });
  if (!primitive || plain_loops(*primitive)) return false;
  const ValueId others[] = {b};
  const Location y = lowering.may_overwrite(a, others) ? first : lowering.allocate(first.desc);
  lowering.place_in(layer.output, y);
  lowering.add_primitive(*primitive, dnnl::binary(*primitive),
                         {{DNNL_ARG_SRC_0, first}, {DNNL_ARG_SRC_1, second}, {DNNL_ARG_DST, y}});
  return true;
}

struct Operand {
  Location location;
  Shape strides;  // in the output's view
};

Shape aligned(Shape shape, const Shape& out) {
  shape.insert(shape.begin(), out.size() - shape.size(), 1);
  return shape;
}

// The block that `id` lies in where it has the output's shape, else 1.
int64_t block_of(Lowering& lowering, ValueId id, const Shape& out) {
  if (lowering.shape(id) != out || lowering.constant(id)) return 1;
  return channel_block(lowering.natural(id).desc).value_or(1);
}

// Where `id` lies as an array of `shape`, in blocks or plain.
Location located(Lowering& lowering, ValueId id, const Shape& shape, int64_t block) {
  const Description blocked = blocked_description(shape, block);
  if (const Tensor* constant = lowering.constant(id); constant && block > 1) {
    return lowering.pack(*constant, plain_description(shape), blocked);
  }
  const Location plain{lowering.plain(id).buffer, plain_description(shape)};
  return block > 1 ? lowering.reorder(plain, blocked) : plain;
}

// `id` as it is read while the output is written in blocks of channels.
Operand operand_of(Lowering& lowering, ValueId id, const Shape& out, int64_t block) {
  const Shape shape = aligned(lowering.shape(id), out);
  const bool as_it_lies = lowering.shape(id).size() == out.size() && !lowering.constant(id) &&
                          channel_block(lowering.natural(id).desc) == block;
  const bool blocked = block > 1 && (as_it_lies || shape[1] == out[1]);
  const Location location = as_it_lies && blocked
                                ? lowering.natural(id)
                                : located(lowering, id, shape, blocked ? block : 1);
  View view = view_of(shape, blocked ? block : 1);
  if (block > 1 && !blocked) {  // one channel: nothing to go on to
    view.extents.push_back(1);
    view.strides.push_back(0);
  }
  for (size_t axis = 0; axis < view.strides.size(); ++axis) {
    if (view.extents[axis] == 1) view.strides[axis] = 0;
  }
  if (blocked && shape[1] != out[1]) view.strides.back() = 0;
  return {location, view.strides};
}

// Zeros where channels fill up the last block.
struct EmptyChannels {
  int64_t images, blocks, pixels, block, first;

  void clear(float* z) const {
    if (first == block) return;
    for (int64_t n = 0; n < images; ++n) {
      float* const last = z + ((n + 1) * blocks - 1) * pixels * block;
      for (int64_t p = 0; p < pixels; ++p)
        std::fill(last + p * block + first, last + (p + 1) * block, 0.0f);
    }
  }
};

EmptyChannels empty_channels(const Shape& out, int64_t block) {
  if (block == 1) return {0, 0, 0, 1, 1};
  return {out[0], (out[1] + block - 1) / block, element_count({out.begin() + 2, out.end()}), block,
          (out[1] - 1) % block + 1};
}

bool readable(const Lowering& lowering, ValueId id) {
  return lowering.dtype(id) == DType::f32 && element_count(lowering.shape(id)) > 0;
}

// The operand that the output may be written over, or kNoValue.
ValueId overwritten(const Lowering& lowering, ValueId a, ValueId b, const Shape& out) {
  for (const auto& [id, other] : {std::pair(a, b), std::pair(b, a)}) {
    if (lowering.shape(id) == out && lowering.may_overwrite(id, {&other, 1})) return id;
  }
  return kNoValue;
}

void lower_repeated(Lowering& lowering, const Layer& layer, ValueId a, ValueId b,
                    BinaryFunction function) {
  const Shape out = lowering.shape(layer.output);
  const int64_t block = std::max(block_of(lowering, a, out), block_of(lowering, b, out));
  const Operand x = operand_of(lowering, a, out, block), y = operand_of(lowering, b, out, block);
  const ValueId kept = overwritten(lowering, a, b, out);
  const Location z = kept == kNoValue ? lowering.allocate(blocked_description(out, block))
                                      : (kept == a ? x : y).location;
  lowering.place_in(layer.output, z);
  const RepeatedBinary compute(function, view_of(out, block).extents, x.strides, y.strides);
  const EmptyChannels empty = empty_channels(out, block);
  const BufferId buffers[] = {x.location.buffer, y.location.buffer, z.buffer};
  lowering.add_step({buffers[0], buffers[1], buffers[2]}, [=](Pointers pointers) {
    const auto at = [&](BufferId id) { return reinterpret_cast<float*>(pointers[id]); };
    compute(at(buffers[0]), at(buffers[1]), at(buffers[2]));
    empty.clear(at(buffers[2]));
  });
}

}  // namespace

bool lower_binary(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const ValueId a = node.inputs[0], b = node.inputs[1];
  if (!lowering.describable(node.outputs[0]) || !readable(lowering, a) || !readable(lowering, b)) {
    return false;
  }
  const Entry& entry = entry_of(node);
  const Shape& out = lowering.shape(node.outputs[0]);
  const bool equal = lowering.shape(a) == out && lowering.shape(b) == out &&
                     !lowering.constant(a) && !lowering.constant(b);
  if (equal && lower_equal(lowering, layer, a, b, entry.theirs)) return true;
  if (!layer.post_ops.empty()) return false;  // comes back without them
  lower_repeated(lowering, layer, a, b, entry.ours);
  return true;
}

}  // namespace coppice::runtime
