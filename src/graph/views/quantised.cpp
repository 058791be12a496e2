#include "graph/views/quantised.h"

#include <algorithm>

#include "graph/op.h"

namespace coppice {
namespace {

const Tensor* constant(const Graph& graph, ValueId id) {
  return id != kNoValue && graph.value(id).constant ? &*graph.value(id).constant : nullptr;
}

ValueId input_of(const Node& node, size_t input) {
  return input < node.inputs.size() ? node.inputs[input] : kNoValue;
}

// Of a vector of steps: as the operator says, else filters of a kernel, or columns of a matrix.
int64_t axis_of(const Graph& graph, const Node& node, size_t input, int64_t rank) {
  if (input == 0 && !node.op->macs) {
    return resolve_axis(graph, node, node.attributes.integer("axis", 1), rank);
  }
  return rank > 2 ? 0 : rank - 1;
}

std::optional<Quantised> quantised_at(const Graph& graph, const Node& node, size_t input) {
  if (reads_as(node, input) != Reads::code) return std::nullopt;
  const Tensor* codes = constant(graph, node.inputs[input]);
  if (!codes || is_floating(codes->dtype())) return std::nullopt;
  Quantised found{.codes = node.inputs[input]};
  if (reads_as(node, input + 1) == Reads::step) found.step = input_of(node, input + 1);
  if (reads_as(node, input + 2) == Reads::zero_point) found.zero_point = input_of(node, input + 2);
  for (const ValueId id : {found.step, found.zero_point}) {
    if (id != kNoValue && !constant(graph, id)) return std::nullopt;
  }
  const Tensor* step = constant(graph, found.step);
  const Tensor* zero = constant(graph, found.zero_point);
  const bool several = (step && step->size() > 1) || (zero && zero->size() > 1);
  if (several && codes->rank() > 0) found.axis = axis_of(graph, node, input, codes->rank());
  return found;
}

}  // namespace

std::vector<Quantised> quantised_constants(const Graph& graph) {
  std::vector<Quantised> all;
  std::vector<char> met(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue || met[node.inputs[i]]) continue;
      if (auto found = quantised_at(graph, node, i)) {
        met[found->codes] = 1;
        all.push_back(*found);
      }
    }
  }
  return all;
}

std::vector<int64_t> zero_points_of(const Graph& graph, const Quantised& quantised) {
  const Tensor& codes = *constant(graph, quantised.codes);
  std::vector<int64_t> zeros(static_cast<size_t>(codes.size()), 0);
  const Tensor* zero = constant(graph, quantised.zero_point);
  if (!zero || zero->size() == 0) return zeros;
  const std::vector<int64_t> points = to_int64s(*zero);
  for_each_place(codes, quantised.axis, [&](int64_t i, int64_t place) {
    zeros[i] = points[points.size() == 1 ? 0 : std::min<size_t>(place, points.size() - 1)];
  });
  return zeros;
}

std::optional<Tensor> dequantised(const Graph& graph, const Quantised& quantised) {
  const Tensor& codes = *constant(graph, quantised.codes);
  const Tensor* step = constant(graph, quantised.step);
  const bool by_channel = step && step->size() > 1;
  if (size_of(codes.dtype()) == 0 || (step && step->dtype() != DType::f32)) return std::nullopt;
  if (by_channel && (step->rank() != 1 || step->size() != codes.shape()[quantised.axis])) {
    return std::nullopt;
  }
  const std::vector<int64_t> numbers = to_int64s(codes), zeros = zero_points_of(graph, quantised);
  Tensor result = Tensor::zeros(DType::f32, codes.shape());
  const auto floats = result.mutate<float>();
  for_each_place(codes, quantised.axis, [&](int64_t i, int64_t place) {
    const double by = step ? step->as<float>()[by_channel ? place : 0] : 1;
    floats[i] = static_cast<float>(static_cast<double>(numbers[i] - zeros[i]) * by);
  });
  return result;
}

Graph with_readable_weights(const Graph& graph) {
  Graph readable = graph;
  for (const Quantised& quantised : quantised_constants(graph)) {
    if (auto floats = dequantised(graph, quantised)) {
      readable.value(quantised.codes).constant = std::move(*floats);
    }
  }
  return readable;
}

}  // namespace coppice
