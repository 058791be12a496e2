#include "methods/unstructured/mask_weights.h"

#include <bit>
#include <cstdint>

#include "core/error.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

// Why not run both models, as for a cut: every bit can be compared.
void require_masked(const Value& before, const Value& after, const Masks& masks) {
  const auto mask = masks.find(before.name);
  if (mask == masks.end()) {
    const bool shared = before.constant->bytes().data() == after.constant->bytes().data();
    COPPICE_CHECK(shared || *before.constant == *after.constant, "'" + before.name + "' changed");
    return;
  }
  const std::span<const float> stays = mask->second.as<float>(), old = before.constant->as<float>(),
                               now = after.constant->as<float>();
  for (size_t i = 0; i < now.size(); ++i) {
    const float expected = stays[i] == 0 ? 0 : old[i];
    COPPICE_CHECK(std::bit_cast<uint32_t>(now[i]) == std::bit_cast<uint32_t>(expected),
                  "'" + before.name + "' differs at element " + std::to_string(i));
  }
}

}  // namespace

Outcome mask_weights(const Graph& graph, const Masks& masks, Verify verify) {
  Outcome outcome;
  outcome.graph = graph;
  apply_masks(outcome.graph, masks);
  outcome.plan.masks = masks;
  outcome.before = outcome.after = costs_of(graph, infer(graph, fitting_sizes(graph, {})));
  outcome.weights_before = count_weights(graph);
  outcome.weights_after = count_weights(outcome.graph);
  if (verify == Verify::off) return outcome;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) require_masked(graph.values[i], outcome.graph.values[i], masks);
  }
  outcome.verified = true;
  return outcome;
}

void require_zeros(const Graph& graph, const Masks& masks) {
  const ValueNames names(graph);
  for (const auto& [name, mask] : masks) {
    const std::span<const float> stays = mask.as<float>(),
                                 weights = graph.value(*names.find(name)).constant->as<float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      COPPICE_CHECK(stays[i] != 0 || weights[i] == 0, "training moved a masked weight of " + name);
    }
  }
}

}  // namespace coppice
