// See runtime_fit.h.
#include "tasks/parts/runtime_fit.h"

#include <algorithm>

#include "core/attempt.h"
#include "graph/infer.h"
#include "prune/runtimes/estimate.h"
#include "report/format.h"

namespace coppice {
namespace {

std::optional<Inferred> shapes_by_name(const Graph& graph, const TracedTypes::ByName& types) {
  Inferred shapes;
  shapes.types.resize(graph.values.size());
  shapes.known.resize(graph.values.size());
  const auto find = [&](ValueId id) {
    auto& type = shapes.types[id];
    const Value& value = graph.value(id);
    if (!type && value.constant) {
      type = TensorType{value.constant->dtype(), value.constant->shape()};
    } else if (const auto found = types.find(value.name); !type && found != types.end()) {
      type = found->second;
    }
    return type.has_value();
  };
  for (const Node& node : graph.nodes) {
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (const ValueId id : *ids) {
        if (id != kNoValue && !find(id)) return std::nullopt;
      }
    }
  }
  return shapes;
}

std::optional<TimeEstimate> estimate(const Graph& graph, const TracedTypes::ByName& types,
                                     const Runtime& runtime) {
  return attempt(ErrorKind::input, [&] {
    const auto told = shapes_by_name(graph, types);
    return estimated_time(graph, told ? *told : infer(graph, fitting_sizes(graph, {})), runtime);
  });
}

}  // namespace

std::optional<RuntimeFit> fit_of(const Graph& before, const Graph& after, const TracedTypes& types,
                                 const Runtime& runtime) {
  const auto whole = estimate(before, types.before, runtime),
             cut = estimate(after, types.after, runtime);
  if (!whole || !cut || whole->ms <= 0) return std::nullopt;
  return RuntimeFit{.runtime = &runtime,
                    .time_kept = cut->ms / whole->ms,
                    .slowed_layers = std::max<int64_t>(0, cut->slow_layers - whole->slow_layers)};
}

std::optional<std::string> why_slow(const RuntimeFit& fit) {
  if (fit.slowed_layers == 0 && fit.time_kept <= 1) return std::nullopt;
  const std::string runtime = fit.runtime->about;
  std::string text =
      runtime + " would take an estimated " + times(fit.time_kept) + " the uncut model's time";
  if (fit.slowed_layers > 0) {
    text += ": " + with_separators(fit.slowed_layers) +
            (fit.slowed_layers == 1 ? " layer leaves" : " layers leave") +
            " its fast kernels, which want multiples of " + std::to_string(fit.runtime->lane) +
            " channels, and of " + std::to_string(fit.runtime->block) + " in each group";
  }
  return text;
}

std::optional<std::string> why_not_here(const Runtime& runtime) {
  if (runs_here(runtime)) return std::nullopt;
  const bool narrower = runtime.block > usual_runtime().block;
  return std::string(narrower ? "this CPU lacks AVX-512" : "this CPU has AVX-512") +
         ": times measured here aren't those of " + runtime.about +
         ", which the widths are for; measure there, too";
}

Json to_json(const RuntimeFit& fit) {
  return {{"runtime", fit.runtime->name},
          {"estimated_time_kept", fit.time_kept},
          {"slowed_layers", fit.slowed_layers}};
}

}  // namespace coppice
