// See kept.h.
#include "session/state/kept.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "graph/value_names.h"
#include "sharing/kmeans.h"

namespace coppice {
namespace {

constexpr double kSparse = 0.1;             // more zeros than that aren't chance
constexpr int64_t kSmallLayer = 256;        // below, a few zeros are a tenth
constexpr int64_t kFewWeights = 16;         // below, values may be few by design
constexpr int64_t kMostValues = 256;        // half-precision weights soon have more
constexpr double kMostDifferent = 2.0 / 3;  // values, by weights

int64_t zeros_in(const Tensor& weight) { return std::ranges::count(weight.as<float>(), 0.0f); }

bool more_than_chance(int64_t zeros, int64_t all) {
  return static_cast<double>(zeros) > kSparse * static_cast<double>(all);
}

void share_again(Tensor& weight, int64_t values) {
  const std::span<float> weights = weight.mutate<float>();
  const SharedWeights shared =
      share_weights(std::span<const float>(weights), {.clusters = static_cast<int>(values)});
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = weight_of(shared, shared.codes[i]);
}

}  // namespace

int64_t count_values(const Tensor& weight, int64_t most) {
  std::unordered_set<uint32_t> values;
  for (const float w : weight.as<float>()) {
    if (w != 0) values.insert(std::bit_cast<uint32_t>(w));
    if (std::ssize(values) > most) break;
  }
  return std::ssize(values);
}

std::optional<int64_t> shared_values(const Tensor& weight) {
  const int64_t nonzero = weight.size() - zeros_in(weight);
  if (nonzero < kFewWeights) return std::nullopt;
  const int64_t values = count_values(weight, kMostValues);
  if (values > kMostValues) return std::nullopt;
  if (static_cast<double>(values) > kMostDifferent * static_cast<double>(nonzero)) return {};
  return values;
}

Kept kept_of(const Graph& graph) {
  const WeightCount count = count_weights(graph);
  const bool is_sparse = more_than_chance(count.all - count.nonzero, count.all);
  const ValueNames names(graph);
  Kept kept;
  for (auto& [name, mask] : masks_of_zeros(graph)) {
    const Tensor& weight = *graph.value(*names.find(name)).constant;
    const std::optional<int64_t> values = shared_values(weight);
    if (values) kept.values.emplace(name, *values);
    const int64_t zeros = zeros_in(weight);
    const bool layer_is = weight.size() >= kSmallLayer && more_than_chance(zeros, weight.size());
    if (zeros > 0 && (is_sparse || layer_is || values)) kept.zeros.emplace(name, mask);
  }
  return kept;
}

Masks zeros_after(const Kept& kept, const Plan& plan) {
  Masks zeros = kept.zeros;
  for (const PlanSlice& slice : plan.slices) {
    const auto mask = zeros.find(slice.tensor);
    if (mask == zeros.end()) continue;
    std::vector<std::optional<std::vector<int64_t>>> keep(mask->second.shape().size());
    keep[slice.axis] = slice.keep;
    mask->second = take(mask->second, keep);
  }
  return zeros;
}

std::set<std::string> sharing_after(const Kept& kept, const Graph& graph) {
  std::set<std::string> shared;
  if (kept.values.empty()) return shared;
  const ValueNames names(graph);
  for (const auto& [name, values] : kept.values) {
    if (names.find(name)) shared.insert(name);
  }
  return shared;
}

bool restore(Graph& graph, const Kept& kept, const Plan& plan) {
  if (kept.empty()) return false;
  bool any = false;
  apply_masks(graph, zeros_after(kept, plan));
  const ValueNames names(graph);
  for (const std::string& name : sharing_after(kept, graph)) {
    Tensor& weight = *graph.value(*names.find(name)).constant;
    const int64_t values = kept.values.at(name);
    if (count_values(weight, values) <= values) continue;
    share_again(weight, values);
    any = true;
  }
  return any;
}

}  // namespace coppice
