// See snapshot.h.
#include "session/state/snapshot.h"

#include "core/error.h"
#include "session/state/beside_weights.h"
#include "training/parameters.h"

namespace coppice {

NamedTensors weights_of(const Graph& graph) {
  NamedTensors weights;
  const auto add = [&](ValueId id) {
    weights.emplace(graph.value(id).name, *graph.value(id).constant);
  };
  for (const Parameter& parameter : trained_parameters(graph)) add(parameter.id);
  for (const ValueId id : running_statistics(graph)) add(id);
  return weights;
}

void set_weights(Graph& graph, const NamedTensors& weights) {
  const ConstantsByName constants(graph);
  for (const auto& [name, tensor] : weights) {
    const Tensor* const found = constants.find(name);
    COPPICE_CHECK(found != nullptr && found->shape() == tensor.shape(),
                  "weights of '" + name + "' that don't fit the graph");
    graph.value(constants.id(name)).constant = tensor;
  }
}

}  // namespace coppice
