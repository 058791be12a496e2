#include "prune/compensate/places.h"

#include <algorithm>
#include <map>
#include <utility>

#include "graph/is_onnx.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"

namespace coppice {
namespace {

ValueId add_bias(Graph& graph, Groups& groups, NewBias& bias, ValueNames& names) {
  const std::string stem = graph.value(bias.weight).name + "_bias";
  const ValueId id = add_constant(graph, names.unused(stem), std::move(bias.tensor));
  Node& node = graph.nodes[bias.node];
  node.inputs.resize(3, kNoValue);
  node.inputs[2] = id;
  groups.axes.push_back(
      {groups.axes[bias.weight].empty() ? -1 : groups.axes[bias.weight][bias.filter_axis]});
  const Tensor& tensor = *graph.value(id).constant;
  groups.inferred.types.push_back(TensorType{DType::f32, tensor.shape()});
  groups.inferred.known.push_back(std::nullopt);
  return id;
}

}  // namespace

Places::Places(const Graph& graph)
    : graph_(graph), readers_(consumers(graph)), is_output_(graph.values.size(), 0) {
  for (const ValueId id : graph.outputs) is_output_[id] = 1;
}

bool Places::own_vector(ValueId id, int64_t size) const {
  if (id == kNoValue || readers_[id].size() != 1) return false;
  const auto& constant = graph_.value(id).constant;
  return constant && constant->dtype() == DType::f32 && constant->size() == size &&
         constant->shape().back() == size && !is_output(id);
}

const Node* Places::only_reader(ValueId id) const {
  if (is_output(id) || readers_[id].size() != 1) return nullptr;
  return &graph_.nodes[readers_[id][0]];
}

std::optional<Place> Places::of(const Node& node, const Contraction& layer) const {
  if (readers_[layer.weight].size() != 1 || is_output(layer.weight)) return std::nullopt;
  const Node* reader = only_reader(node.outputs[0]);
  if (reader && is_batch_norm_at_inference(*reader) && reader->inputs.size() == 5 &&
      reader->inputs[0] == node.outputs[0] && layer.out_axis == 1) {
    if (!own_vector(reader->inputs[3], layer.filters)) return std::nullopt;
    return Place{reader->inputs[3], -1, reader};
  }
  if (is_onnx(node, "MatMul")) return in_sum(reader, layer);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (!has_bias) return Place{};
  const double beta = is_onnx(node, "Gemm") ? node.attributes.real("beta", 1) : 1;
  if (beta == 0 || !own_vector(node.inputs[2], layer.filters)) return std::nullopt;
  return Place{node.inputs[2], 1 / beta, nullptr};
}

// A MatMul has no bias of its own, but often an Add behind it.
std::optional<Place> Places::in_sum(const Node* reader, const Contraction& layer) const {
  if (!reader || !is_onnx(*reader, "Add")) return std::nullopt;
  for (const ValueId id : reader->inputs) {
    if (own_vector(id, layer.filters)) return Place{id, 1, nullptr};
  }
  return std::nullopt;
}

std::vector<ValueId> add_biases(Graph& graph, Groups& groups, std::vector<NewBias> biases) {
  ValueNames names(graph);
  std::map<std::pair<ValueId, int64_t>, ValueId> of_filters;  // (weight, axis) -> the vector
  std::vector<ValueId> added;
  for (NewBias& bias : biases) {
    added.push_back(add_bias(graph, groups, bias, names));
    of_filters.emplace(std::pair(bias.weight, bias.filter_axis), added.back());
  }
  for (Group& group : groups.free) {
    std::vector<Slice> slices;
    for (const Slice& slice : group.slices) {
      const auto found = of_filters.find({slice.tensor, slice.axis});
      if (found != of_filters.end())
        slices.push_back({found->second, 0, Role::bias, slice.indices});
    }
    std::ranges::stable_sort(slices, {}, &Slice::tensor);
    group.slices.insert(group.slices.end(), slices.begin(), slices.end());
  }
  return added;
}

}  // namespace coppice
