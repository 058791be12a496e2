// See beside_weights.h.
#include "session/state/beside_weights.h"

#include <algorithm>

#include "core/error.h"

namespace coppice {

ConstantsByName::ConstantsByName(const Graph& graph) : graph_(graph) {
  const auto add = [&](ValueId id) {
    if (id != kNoValue && graph.value(id).constant) ids_.emplace(graph.value(id).name, id);
  };
  for (const Node& node : graph.nodes) {
    std::ranges::for_each(node.inputs, add);
    std::ranges::for_each(node.captures, add);
  }
  std::ranges::for_each(graph.outputs, add);
}

ValueId ConstantsByName::id(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? kNoValue : found->second;
}

const Tensor* ConstantsByName::find(std::string_view name) const {
  const ValueId found = id(name);
  return found == kNoValue ? nullptr : &*graph_.value(found).constant;
}

void cut(NamedTensors& tensors, const Graph& graph, const Groups& groups, const Removal& removal) {
  const ConstantsByName constants(graph);
  for (auto& [name, tensor] : tensors) {
    const ValueId id = constants.id(name);
    COPPICE_CHECK(id != kNoValue, "a tensor beside a weight that isn't there: " + name);
    std::vector<std::optional<std::vector<int64_t>>> keep(tensor.shape().size());
    for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
      const std::vector<char> stays = alive(groups, id, axis, removal);
      if (stays.empty()) continue;
      keep[axis].emplace();
      for (size_t i = 0; i < stays.size(); ++i) {
        if (stays[i]) keep[axis]->push_back(static_cast<int64_t>(i));
      }
    }
    tensor = take(tensor, keep);
  }
}

void keep_fitting(NamedTensors& tensors, const Graph& graph) {
  const ConstantsByName constants(graph);
  std::erase_if(tensors, [&](const auto& beside) {
    const Tensor* const weight = constants.find(beside.first);
    return weight == nullptr || weight->shape() != beside.second.shape();
  });
}

void keep_fitting(OptimizerState& state, const Graph& before, const Graph& after) {
  for (auto& [slot, tensors] : state.slots) keep_fitting(tensors, after);
  const auto codes = state.slots.find(kCodesSlot);
  if (codes == state.slots.end()) return;
  const ConstantsByName was(before), is(after);
  std::erase_if(codes->second, [&](const auto& beside) {
    const Tensor *const old = was.find(beside.first), *const now = is.find(beside.first);
    return old == nullptr || *old != *now;
  });
}

void stop_masked(OptimizerState& state, const NamedTensors& masks) {
  for (auto& [slot, tensors] : state.slots) {
    if (slot == kCodesSlot) continue;
    for (auto& [name, tensor] : tensors) {
      const auto mask = masks.find(name);
      if (mask == masks.end()) continue;
      const std::span<const float> stays = mask->second.as<float>();
      const std::span<float> moment = tensor.mutate<float>();
      for (size_t i = 0; i < stays.size(); ++i) {
        if (stays[i] == 0) moment[i] = 0;
      }
    }
  }
}

void add_masks(NamedTensors& all, const NamedTensors& masks) {
  for (const auto& [name, mask] : masks) {
    const std::span<float> stays = all.emplace(name, mask).first->second.mutate<float>();
    for (size_t i = 0; i < stays.size(); ++i) stays[i] *= mask.as<float>()[i];
  }
}

}  // namespace coppice
