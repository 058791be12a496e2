// Concat and Split: an axis as a sum of pieces.

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_concat(InferContext& context) {
  Shape out = context.shape(0);
  if (!context.node().attributes.has("axis")) context.fail("attribute 'axis' is missing");
  const int64_t axis = resolve_axis(context.graph(), context.node(),
                                    context.node().attributes.integer("axis", 0), context.rank(0));
  for (int i = 1; i < static_cast<int>(context.node().inputs.size()); ++i) {
    Shape piece = context.shape(i);
    const Shape original = piece;
    if (piece.size() == out.size()) {
      out[axis] += piece[axis];
      piece[axis] = out[axis];
    }
    if (piece != out) {
      context.fail("input " + std::to_string(i) + " has shape " + to_string(original) +
                   ", which doesn't fit to " + to_string(context.shape(0)) + " on the other axes");
    }
  }
  context.set(0, context.type(0).dtype, out);
}

void relate_concat(Relations& relations) {
  const int64_t concatenated =
      resolve_axis(relations.graph(), relations.node(),
                   relations.node().attributes.integer("axis", 0), relations.rank(0));
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    Axis labels = relations.input(0, axis);
    bool zero = relations.zero_when_dead(0, axis);
    for (int i = 1; i < relations.inputs(); ++i) {
      const Axis& piece = relations.input(i, axis);
      if (axis == concatenated) {
        labels.insert(labels.end(), piece.begin(), piece.end());
      } else {
        relations.unify(labels, piece, "other axes of Concat");
      }
      zero = zero && relations.zero_when_dead(i, axis);
    }
    relations.output(0, axis, std::move(labels), zero);
  }
}

std::vector<Tensor> evaluate_concat(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  const Tensor& first = *inputs[0];
  const int64_t axis = resolve_axis(graph, node, node.attributes.integer("axis", 0), first.rank());
  Shape out = first.shape();
  out[axis] = 0;
  for (const Tensor* input : inputs) out[axis] += input->shape()[axis];
  Tensor result = Tensor::zeros(first.dtype(), out);
  size_t outer = 1;
  for (int64_t i = 0; i < axis; ++i) outer *= out[i];
  std::byte* target = result.mutate_bytes().data();
  for (size_t o = 0; o < outer; ++o) {
    for (const Tensor* input : inputs) {
      const size_t row = input->bytes().size() / outer;
      std::copy_n(input->bytes().data() + o * row, row, target);
      target += row;
    }
  }
  return {std::move(result)};
}

// The sizes of Split's pieces: given (attribute or input), or equal, the last one smaller where
// opset 18 allows it. Nothing where they are given by a value that isn't known.
std::optional<std::vector<int64_t>> split_sizes(const Graph& graph, const Node& node, int64_t size,
                                                bool has_input, const Tensor* given) {
  if (has_input) return given ? std::optional(to_int64s(*given)) : std::nullopt;
  if (const auto sizes = node.attributes.integers("split")) return sizes;
  const auto pieces = static_cast<int64_t>(node.outputs.size());
  const int64_t asked = node.attributes.integer("num_outputs", pieces);
  if (asked != pieces) {
    fail_input(where(graph, node) + ": has " + std::to_string(pieces) + " outputs, 'num_outputs' " +
               "says " + std::to_string(asked));
  }
  if (graph.opset < 18 && size % pieces != 0) {
    fail_input(where(graph, node) + ": an axis of " + std::to_string(size) +
               " can't be split into " + std::to_string(pieces) + " equal pieces");
  }
  const int64_t piece = (size + pieces - 1) / pieces;
  std::vector<int64_t> sizes(pieces, piece);
  sizes.back() = size - piece * (pieces - 1);
  return sizes;
}

void infer_split(InferContext& context) {
  const Node& node = context.node();
  const int64_t axis =
      resolve_axis(context.graph(), node, node.attributes.integer("axis", 0), context.rank(0));
  const int64_t size = context.shape(0)[axis];
  const auto sizes = split_sizes(context.graph(), node, size, context.has(1), context.known(1));
  if (!sizes) return context.give_up();
  if (sizes->size() != node.outputs.size() ||
      std::accumulate(sizes->begin(), sizes->end(), int64_t{0}) != size) {
    context.fail("pieces don't add up to the axis of " + std::to_string(size));
  }
  for (size_t o = 0; o < sizes->size(); ++o) {
    Shape piece = context.shape(0);
    piece[axis] = (*sizes)[o];
    context.set(static_cast<int>(o), context.type(0).dtype, piece);
  }
}

void relate_split(Relations& relations) {
  const Node& node = relations.node();
  const int64_t split =
      resolve_axis(relations.graph(), node, node.attributes.integer("axis", 0), relations.rank(0));
  int64_t begin = 0;
  for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
    if (node.outputs[o] == kNoValue) return pin_input(relations, 0, PinKind::unknown, "Split");
    const int64_t size = relations.output_shape(o)[split];
    for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
      const Axis& labels = relations.input(0, axis);
      const auto first = labels.begin() + begin;
      relations.output(o, axis, axis == split ? Axis(first, first + size) : labels,
                       relations.zero_when_dead(0, axis));
    }
    begin += size;
  }
}

std::vector<Tensor> evaluate_split(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  const Tensor& x = *inputs[0];
  const int64_t axis = resolve_axis(graph, node, node.attributes.integer("axis", 0), x.rank());
  const Tensor* given = inputs.size() > 1 ? inputs[1] : nullptr;
  const auto sizes = split_sizes(graph, node, x.shape()[axis], given != nullptr, given);
  std::vector<Tensor> pieces;
  int64_t begin = 0;
  for (const int64_t size : *sizes) {
    std::vector<int64_t> keep(size);
    std::iota(keep.begin(), keep.end(), begin);
    pieces.push_back(take(x, axis, keep));
    begin += size;
  }
  return pieces;
}

void repair_split(RepairContext& context) {
  if (context.unchanged()) return;
  const Node& node = context.node();
  const int64_t axis = resolve_axis(context.graph(), node, node.attributes.integer("axis", 0),
                                    static_cast<int64_t>(context.old_input(0).size()));
  std::vector<int64_t> sizes;
  for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
    sizes.push_back(context.new_output(o)[axis]);
  }
  if (!context.has_input(1) && !node.attributes.has("split") &&
      std::ranges::count(sizes, sizes.front()) == std::ssize(sizes)) {
    return;  // still equal
  }
  if (context.graph().opset < 13) {
    context.set_attribute("split", sizes);
  } else {
    context.erase_attribute("num_outputs");  // sizes and a number exclude each other
    context.want(1, sizes);
  }
}

}  // namespace

extern const OpDef kConcat{.type = "Concat",
                           .arity = {1, -1},
                           .reads = {Reads::data},
                           .infer = infer_concat,
                           .relate = relate_concat,
                           .evaluate = evaluate_concat};
extern const OpDef kSplit{.type = "Split",
                          .arity = {1, 2, 1, -1},
                          .reads = {Reads::data, Reads::setting},
                          .moves = Moves::picks,
                          .infer = infer_split,
                          .relate = relate_split,
                          .repair = repair_split,
                          .evaluate = evaluate_split};

}  // namespace coppice
