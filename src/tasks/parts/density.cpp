// See density.h.
#include "tasks/parts/density.h"

#include <algorithm>

#include "report/format.h"

namespace coppice {
namespace {

constexpr double kNotable = 1e-3;  // of all weights; a few become or leave zero by chance

}  // namespace

double sparsity(const WeightCount& weights) {
  return weights.all > 0
             ? 1 - static_cast<double>(weights.nonzero) / static_cast<double>(weights.all)
             : 0;
}

bool DensityChange::denser() const {
  return sparsity(after.weights) < sparsity(before.weights) - kNotable ||
         after.shared_layers < before.shared_layers;
}

bool DensityChange::notable() const {
  return sparsity(before.weights) > kNotable || sparsity(after.weights) > kNotable ||
         before.shared_layers > 0 || after.shared_layers > 0;
}

DensityChange density_change(const Graph& before, const Graph& after) {
  DensityChange change{.before = {.weights = count_weights(before)},
                       .after = {.weights = count_weights(after)}};
  std::map<std::string, int64_t> values;
  for (const ValueId id : maskable_weights(before)) {
    const Value& value = before.value(id);
    if (const auto shared = shared_values(*value.constant)) values.emplace(value.name, *shared);
  }
  change.before.shared_layers = std::ssize(values);
  for (const ValueId id : maskable_weights(after)) {
    const Value& value = after.value(id);
    const auto known = values.find(value.name);
    const bool shares = known == values.end()
                            ? shared_values(*value.constant).has_value()
                            : count_values(*value.constant, known->second) <= known->second;
    change.after.shared_layers += shares;
  }
  return change;
}

std::vector<LayerDensity> layer_densities(const Graph& graph) {
  std::vector<LayerDensity> layers;
  for (const ValueId id : maskable_weights(graph)) {
    const Value& value = graph.value(id);
    const auto weights = value.constant->as<float>();
    layers.push_back(
        {.name = value.name,
         .weights = {.all = value.constant->size(),
                     .nonzero = std::ranges::count_if(weights, [](float w) { return w != 0; })}});
  }
  return layers;
}

int64_t count_zeros(const Kept& kept) {
  int64_t zeros = 0;
  for (const auto& [name, mask] : kept.zeros) zeros += mask.size() - nonzeros_of(mask);
  return zeros;
}

std::string shared_layers_text(int64_t layers) {
  return with_separators(layers) + (layers == 1 ? " layer" : " layers") + " of shared values";
}

std::string kept_line(const Kept& kept, const Graph& original) {
  if (kept.empty()) return "";
  const int64_t zeros = count_zeros(kept);
  std::string line = "keeps ";
  if (zeros > 0) {
    const double share =
        static_cast<double>(zeros) / static_cast<double>(count_weights(original).all);
    line += with_separators(zeros) + " zero weights (" + percentage(share) + ")";
  }
  if (!kept.values.empty()) {
    line += (zeros > 0 ? " and " : "") + shared_layers_text(std::ssize(kept.values));
  }
  return line + "; --zeros free lets go";
}

std::optional<std::string> why_denser(const DensityChange& change) {
  if (!change.denser()) return std::nullopt;
  const Density &before = change.before, &after = change.after;
  std::string text = "the result is denser than what came in: ";
  if (sparsity(after.weights) < sparsity(before.weights) - kNotable) {
    text += percentage(1 - sparsity(after.weights)) + " of its weights are nonzero, " +
            percentage(1 - sparsity(before.weights)) + " were before";
    if (after.weights.nonzero <= before.weights.nonzero) {
      text += " (of fewer weights; what was cut away held more of the zeros, or some came back)";
    }
    if (after.shared_layers < before.shared_layers) text += "; ";
  }
  if (after.shared_layers < before.shared_layers) {
    text += "of " + shared_layers_text(before.shared_layers) + " " +
            with_separators(after.shared_layers) + " still share theirs";
  }
  return text;
}

Json to_json(const Density& density) {
  return {{"weights", density.weights.all},
          {"nonzeros", density.weights.nonzero},
          {"sparsity", sparsity(density.weights)},
          {"shared_layers", density.shared_layers}};
}

Json to_json(const std::vector<LayerDensity>& layers) {
  Json list = Json::array();
  for (const LayerDensity& layer : layers) {
    list.push_back({{"name", layer.name},
                    {"weights", layer.weights.all},
                    {"nonzeros", layer.weights.nonzero},
                    {"density", 1 - sparsity(layer.weights)}});
  }
  return list;
}

}  // namespace coppice
