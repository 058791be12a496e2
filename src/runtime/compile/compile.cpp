#include "runtime/compile/compile.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/op.h"
#include "graph/passes/fold_constants.h"
#include "graph/passes/simplify/remove_no_ops.h"
#include "runtime/kernels/steps.h"
#include "runtime/reference.h"

namespace coppice::runtime {
namespace {

std::optional<std::vector<Tensor>> evaluate_constant(const Graph& graph, const Node& node,
                                                     std::span<const Tensor* const> inputs) {
  return evaluate_node(graph, node, inputs);
}

bool lower_fast(Lowering& lowering, const Layer& layer) {
  const Lower function = find_lowering(lowering.node(layer));
  return function && function(lowering, layer);
}

void lower_layer(Lowering& lowering, const Layer& layer, const Observation& observation) {
  lowering.begin(layer);
  bool done = lower_fast(lowering, layer);
  if (!done && layer.nodes.size() == 1) {
    lower_fallback(lowering, layer);
    done = true;
  }
  if (done) {
    lowering.end(layer);
    return observe_outputs(lowering, observation, layer);
  }
  lowering.cancel(layer);
  for (const Layer& single : separate(lowering.graph(), layer)) {
    lower_layer(lowering, single, observation);
  }
}

bool is_learnt(Reads reads) {
  switch (reads) {
    case Reads::weight:
    case Reads::table:
    case Reads::bias:
    case Reads::scale:
    case Reads::shift:
    case Reads::statistic:
    case Reads::slope: return true;
    default: return false;
  }
}

// Without a branch an element, so that it costs no more than reading them.
bool has_nan(std::span<const float> numbers) {
  int found = 0;
  for (const float x : numbers) found |= x != x;
  return found != 0;
}

// While they count as outputs of the graph nothing takes them away.
class AsOutputs {
 public:
  AsOutputs(Graph& graph, std::span<const ValueId> values) : graph_(graph), own_(graph.outputs) {
    graph.outputs.insert(graph.outputs.end(), values.begin(), values.end());
  }
  ~AsOutputs() { graph_.outputs = own_; }
  AsOutputs(const AsOutputs&) = delete;
  AsOutputs& operator=(const AsOutputs&) = delete;

 private:
  Graph& graph_;
  std::vector<ValueId> own_;
};

}  // namespace

void leave_out_unread(Graph& graph, std::span<const ValueId> observed) {
  const AsOutputs kept(graph, observed);
  leave_out_unread_outputs(graph);
  remove_dead(graph);
}

void require_types(const Graph& graph, const Inferred& inferred) {
  for (const ValueId id : graph.inputs) {
    if (inferred.has(id)) continue;
    fail_input("input '" + graph.value(id).name +
               "': the file declares no shape for it; give its shape to compile");
  }
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      const bool known = id == kNoValue || (inferred.has(id) && !inferred.is_assumed(id) &&
                                            !inferred.is_reported(id));
      if (known) continue;
      require_runnable(graph, node);  // says more where the operator is the reason
      fail_input(where(graph, node) + ": the shape of its output '" + graph.value(id).name +
                 "' depends on data; expected shapes that follow from the inputs' shapes");
    }
  }
}

void require_observable(const Graph& graph, const Inferred& inferred,
                        std::span<const ValueId> values) {
  for (const ValueId id : values) {
    if (inferred.types.at(id)->dtype == DType::f32) continue;
    fail_input("value '" + graph.value(id).name + "' is " + name_of(inferred.types[id]->dtype) +
               ", only float32 values can be observed");
  }
}

void require_numbers(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue || !is_learnt(reads_as(node, i))) continue;
      const Value& value = graph.value(node.inputs[i]);
      if (!value.constant || value.constant->dtype() != DType::f32) continue;
      const std::span<const float> numbers = value.constant->as<float>();
      if (!has_nan(numbers)) continue;
      const auto first = std::ranges::find_if(numbers, [](float x) { return std::isnan(x); });
      fail_input(where(graph, node) + ": '" + value.name + "' holds a NaN, element " +
                 std::to_string(first - numbers.begin()) + " of " + std::to_string(numbers.size()) +
                 ", expected numbers");
    }
  }
}

void simplify(Graph& graph, const Inferred& inferred, std::span<const ValueId> observed) {
  const AsOutputs kept(graph, observed);
  fold_constants(graph, inferred, evaluate_constant);
  remove_no_ops(graph, inferred);
}

std::vector<Layer> layers_of(Graph& graph, const Inferred& inferred,
                             std::span<const ValueId> observed) {
  const AsOutputs kept(graph, observed);
  return fuse_layers(graph, inferred);
}

Plan lower(Graph& graph, const Inferred& inferred, const Observation& observation,
           SparseChoices choices) {
  const std::vector<Layer> layers = layers_of(graph, inferred, observation.values);
  for (const Node& node : graph.nodes) require_runnable(graph, node);
  Lowering lowering(graph, inferred, std::move(choices));
  observe_given(lowering, observation);
  for (const Layer& layer : layers) lower_layer(lowering, layer, observation);
  return lowering.finish();
}

}  // namespace coppice::runtime
