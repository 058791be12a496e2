// Transpose: axes permute, and so do their labels.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

std::vector<int64_t> permutation_of(const Graph& graph, const Node& node, int64_t rank) {
  std::vector<int64_t> order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  if (const auto given = node.attributes.integers("perm")) order = *given;
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < rank; ++i) {
    if (static_cast<int64_t>(sorted.size()) != rank || sorted[i] != i) {
      fail_input(where(graph, node) + ": 'perm' is no permutation of " + std::to_string(rank) +
                 " axes");
    }
  }
  return order;
}

void infer_transpose(InferContext& context) {
  Shape out;
  for (const int64_t axis : permutation_of(context.graph(), context.node(), context.rank(0))) {
    out.push_back(context.shape(0)[axis]);
  }
  context.set(0, context.type(0).dtype, out);
}

void relate_transpose(Relations& relations) {
  int64_t out = 0;
  for (const int64_t axis :
       permutation_of(relations.graph(), relations.node(), relations.rank(0))) {
    relations.output(0, out++, relations.input(0, axis), relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_transpose(const Graph& graph, const Node& node,
                                       std::span<const Tensor* const> inputs) {
  return {transposed(*inputs[0], permutation_of(graph, node, inputs[0]->rank()))};
}

bool keeps_order(const Node& node, const Shape& shape, std::span<const Tensor* const>) {
  std::vector<int64_t> order(shape.size()), reversed(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return node.attributes.integers("perm").value_or(reversed) == order;
}

}  // namespace

Tensor transposed(const Tensor& x, const std::vector<int64_t>& order) {
  const size_t width = size_of(x.dtype());
  Shape out(order.size()), strides(order.size());
  for (size_t axis = 0; axis < order.size(); ++axis) {
    out[axis] = x.shape()[order[axis]];
    strides[axis] = element_count({x.shape().begin() + order[axis] + 1, x.shape().end()});
  }
  Tensor result = Tensor::zeros(x.dtype(), out);
  std::byte* target = result.mutate_bytes().data();
  const std::byte* source = x.bytes().data();
  Shape index(out.size(), 0);
  for (int64_t i = 0; i < result.size(); ++i, target += width) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < out.size(); ++axis) offset += index[axis] * strides[axis];
    std::memcpy(target, source + offset * static_cast<int64_t>(width), width);
    for (size_t axis = out.size(); axis-- > 0;) {
      if (++index[axis] < out[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

extern const OpDef kTranspose{.type = "Transpose",
                              .arity = {1, 1},
                              .reads = {Reads::data},
                              .moves = Moves::permutes,
                              .infer = infer_transpose,
                              .relate = relate_transpose,
                              .evaluate = evaluate_transpose,
                              .idle = keeps_order};

}  // namespace coppice
