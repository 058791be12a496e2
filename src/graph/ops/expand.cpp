// Expand and Tile: an axis is repeated. What is repeated along an axis of size 1 is new labels, one
// an index; a tiled axis carries its old labels again.

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_expand(InferContext& context) {
  const auto wanted = context.integers(1);
  if (!wanted) return;
  const auto out = broadcast(context.shape(0), *wanted);
  if (!out) {
    context.fail("shape " + to_string(context.shape(0)) + " doesn't expand to " +
                 to_string(*wanted));
  }
  context.set(0, context.type(0).dtype, *out);
}

void relate_expand(Relations& relations) {
  const Shape out = relations.output_shape(0);
  const int64_t shift = static_cast<int64_t>(out.size()) - relations.rank(0);
  const bool data = is_floating(relations.dtype(0));
  for (int64_t axis = 0; axis < static_cast<int64_t>(out.size()); ++axis) {
    const int64_t own = axis - shift;
    if (own >= 0 && relations.input_shape(0)[own] == out[axis]) {
      relations.output(0, axis, relations.input(0, own), relations.zero_when_dead(0, own));
    } else if (data && out[axis] > 1) {
      relations.output(0, axis, relations.fresh(out[axis]), false);
    }
  }
}

// Entries that still give the right size stay: a 1, or one that is computed.
void repair_expand(RepairContext& context) {
  if (context.unchanged()) return;
  const Shape &from = context.new_input(0), &to = context.new_output(0);
  const Tensor* now = context.now(1);
  std::vector<int64_t> wanted = to;
  if (now) {
    const std::vector<int64_t> entries = to_int64s(*now);
    const size_t skipped = to.size() - entries.size();
    wanted.assign(to.begin() + static_cast<int64_t>(skipped), to.end());
    for (size_t i = 0; i < entries.size(); ++i) {
      const size_t axis = skipped + i, missing = to.size() - from.size();
      if (entries[i] == 1 && axis >= missing && from[axis - missing] == to[axis]) wanted[i] = 1;
    }
  }
  context.want(1, wanted);
}

std::vector<Tensor> evaluate_expand(const Graph&, const Node&,
                                    std::span<const Tensor* const> inputs) {
  return {expanded(*inputs[0], *broadcast(inputs[0]->shape(), to_int64s(*inputs[1])))};
}

void infer_tile(InferContext& context) {
  const auto repeats = context.integers(1);
  if (!repeats) return;
  Shape out = context.shape(0);
  if (repeats->size() != out.size()) {
    context.fail("has " + std::to_string(repeats->size()) + " repeats, expected " +
                 std::to_string(out.size()));
  }
  for (size_t axis = 0; axis < out.size(); ++axis) out[axis] *= (*repeats)[axis];
  context.set(0, context.type(0).dtype, out);
}

void relate_tile(Relations& relations) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    const Axis& labels = relations.input(0, axis);
    Axis tiled;
    while (static_cast<int64_t>(tiled.size()) < relations.output_shape(0)[axis]) {
      tiled.insert(tiled.end(), labels.begin(), labels.end());
    }
    relations.output(0, axis, std::move(tiled), relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_tile(const Graph&, const Node&,
                                  std::span<const Tensor* const> inputs) {
  Tensor result = *inputs[0];
  const std::vector<int64_t> repeats = to_int64s(*inputs[1]);
  for (int64_t axis = 0; axis < result.rank(); ++axis) {
    std::vector<int64_t> picks;
    for (int64_t i = 0; i < repeats[axis] * result.shape()[axis]; ++i) {
      picks.push_back(i % result.shape()[axis]);
    }
    result = take(result, axis, picks);
  }
  return {std::move(result)};
}

}  // namespace

Tensor expanded(const Tensor& tensor, const Shape& shape) {
  const Shape strides = broadcast_strides(tensor.shape(), shape);
  const size_t width = size_of(tensor.dtype());
  Tensor result = Tensor::zeros(tensor.dtype(), shape);
  std::byte* target = result.mutate_bytes().data();
  Shape index(shape.size(), 0);
  int64_t offset = 0;
  for (int64_t i = 0; i < result.size(); ++i, target += width) {
    std::memcpy(target, tensor.bytes().data() + offset * static_cast<int64_t>(width), width);
    for (size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

extern const OpDef kExpand{.type = "Expand",
                           .arity = {2, 2},
                           .reads = {Reads::data, Reads::setting},
                           .moves = Moves::picks,
                           .infer = infer_expand,
                           .relate = relate_expand,
                           .repair = repair_expand,
                           .evaluate = evaluate_expand};
extern const OpDef kTile{.type = "Tile",
                         .arity = {2, 2},
                         .reads = {Reads::data, Reads::setting},
                         .moves = Moves::picks,
                         .infer = infer_tile,
                         .relate = relate_tile,
                         .evaluate = evaluate_tile};

}  // namespace coppice
