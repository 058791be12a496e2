// Observed values: a step right behind the one that computes them, in the layout that this one
// chose, so that nothing is copied; a layout that isn't blocked by channels is brought to rows.

#include <algorithm>

#include "runtime/kernels/views.h"

namespace coppice::runtime {
namespace {

void observe(Lowering& lowering, const Observation& observation, size_t which) {
  const ValueId id = observation.values[which];
  const auto block = channel_block(lowering.natural(id).desc);
  const BufferId buffer = block ? lowering.natural(id).buffer : lowering.plain(id).buffer;
  lowering.add_step(
      {buffer},
      [see = observation.see, which, buffer, shape = lowering.shape(id),
       together = block.value_or(1)](Pointers pointers) {
        see(which, {reinterpret_cast<const float*>(pointers[buffer]), shape, together});
      },
      "Observed");
}

}  // namespace

void observe_given(Lowering& lowering, const Observation& observation) {
  const std::vector<ValueId>& inputs = lowering.graph().inputs;
  for (size_t i = 0; i < observation.values.size(); ++i) {
    const ValueId id = observation.values[i];
    const bool given = std::ranges::find(inputs, id) != inputs.end();
    if (given || lowering.constant(id)) observe(lowering, observation, i);
  }
}

void observe_outputs(Lowering& lowering, const Observation& observation, const Layer& layer) {
  for (size_t i = 0; i < observation.values.size(); ++i) {
    for (const int32_t n : layer.nodes) {
      const std::vector<ValueId>& outputs = lowering.graph().nodes[n].outputs;
      const bool computed = std::ranges::find(outputs, observation.values[i]) != outputs.end();
      if (computed) observe(lowering, observation, i);
    }
  }
}

}  // namespace coppice::runtime
