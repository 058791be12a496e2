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
  if (!codes || is_floating(codes->dtype()) || size_of(codes->dtype()) == 0) return std::nullopt;
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
  const Tensor* zero = constant(graph, quantised.zero_point);
  return !zero || zero->size() == 0 ? std::vector<int64_t>{0} : to_int64s(*zero);
}

namespace {

// Nothing for steps that aren't by tensor or by channel.
std::optional<Tensor> dequantised(const Graph& graph, const Quantised& quantised) {
  const Tensor& codes = *constant(graph, quantised.codes);
  const Tensor* step = constant(graph, quantised.step);
  const std::vector<int64_t> zeros = zero_points_of(graph, quantised);
  const auto by_channel = [&](size_t count, const Tensor* tensor) {
    return count == 1 || (tensor->rank() == 1 && codes.rank() > 0 &&
                          std::ssize(zeros) <= codes.shape()[quantised.axis] &&
                          tensor->size() == codes.shape()[quantised.axis]);
  };
  if (size_of(codes.dtype()) == 0 || (step && step->dtype() != DType::f32)) return std::nullopt;
  if (step && !by_channel(static_cast<size_t>(step->size()), step)) return std::nullopt;
  if (!by_channel(zeros.size(), constant(graph, quantised.zero_point))) return std::nullopt;
  Tensor result = Tensor::zeros(DType::f32, codes.shape());
  const auto floats = result.mutate<float>();
  const std::span<const float> steps = step ? step->as<float>() : std::span<const float>{};
  const auto at = [](const auto& several, int64_t place) {
    return several[several.size() == 1 ? 0 : place];
  };
  with_codes(codes, [&](auto numbers) {
    for_each_place(codes, quantised.axis, [&](int64_t i, int64_t place) {
      const double by = steps.empty() ? 1 : at(steps, place);
      floats[i] = static_cast<float>(
          static_cast<double>(static_cast<int64_t>(numbers[i]) - at(zeros, place)) * by);
    });
  });
  return result;
}

}  // namespace

ReadableWeights::ReadableWeights(const Graph& graph) : graph_(graph) {
  for (const Quantised& quantised : quantised_constants(graph)) {
    quantised_.emplace(quantised.codes, quantised);
  }
}

Tensor ReadableWeights::at(ValueId id) const {
  const auto found = quantised_.find(id);
  if (found != quantised_.end()) {
    if (auto floats = dequantised(graph_, found->second)) return std::move(*floats);
  }
  return *graph_.value(id).constant;
}

}  // namespace coppice
