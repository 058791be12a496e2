// See output_gradients.h.
#include "training/output_gradients.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "graph/infer.h"
#include "training/parameters.h"

namespace coppice {
namespace {

constexpr int32_t kNone = -1;

bool chooses_rows(const Node& node) {
  constexpr std::string_view kTypes[] = {"Compress", "NonMaxSuppression", "NonZero", "Unique"};
  return std::ranges::find(kTypes, node.op_type) != std::end(kTypes);
}

// By value the first node of that kind which it is behind, of those whose choice isn't known from
// the shapes alone.
std::vector<int32_t> choosers(const Graph& graph, const Inferred& inferred) {
  std::vector<int32_t> behind(graph.values.size(), kNone);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    int32_t chooser = kNone;
    for (const ValueId id : node.inputs) {
      if (chooser == kNone && id != kNoValue) chooser = behind[id];
    }
    if (chooser == kNone && chooses_rows(node)) chooser = static_cast<int32_t>(n);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && !known_value(graph, inferred, id)) behind[id] = chooser;
    }
  }
  return behind;
}

// By value the node at which the gradient to it was lost.
std::vector<int32_t> stops(const Graph& graph, const std::vector<char>& reached) {
  std::vector<int32_t> lost(graph.values.size(), kNone);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    int32_t stop = kNone;
    for (const ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      if (reached[id]) stop = static_cast<int32_t>(n);
      if (stop == kNone) stop = lost[id];
    }
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && !reached[id]) lost[id] = stop;
    }
  }
  return lost;
}

}  // namespace

std::vector<std::optional<NotFollowed>> outputs_not_followed(const Graph& graph) {
  const std::vector<char> reached = values_with_gradient(graph);
  const std::vector<int32_t> behind = choosers(graph, infer(graph)), lost = stops(graph, reached);
  std::vector<std::optional<NotFollowed>> result;
  for (const ValueId id : graph.outputs) {
    const int32_t stop = behind[id] != kNone ? behind[id] : lost[id];
    if (behind[id] == kNone && reached[id]) {
      result.emplace_back();
      continue;
    }
    const std::string name = "output '" + graph.value(id).name + "'";
    NotFollowed why{.reason = name + " depends on no weight that is trained"};
    if (stop != kNone) {
      const Node& node = graph.nodes[stop];
      why.reason = name + " is behind " + where(graph, node) +
                   (behind[id] != kNone ? ", which chooses rows by what is in them"
                                        : ", through which no gradient comes");
      why.stop = node.op_type;
    }
    if (behind[id] != kNone) why.values = NotFollowed::Values::unknown_size;
    result.push_back(std::move(why));
  }
  return result;
}

void fail_without_gradients(const std::vector<std::optional<NotFollowed>>& outputs) {
  const auto stopped = std::ranges::find_if(
      outputs, [](const auto& output) { return output && !output->stop.empty(); });
  const std::string without =
      stopped == outputs.end() ? "" : "; export the model without " + (*stopped)->stop;
  fail_input(outputs.front()->reason + ", so there is nothing to train it by" + without);
}

void require_gradients(const Graph& graph) {
  const std::vector<std::optional<NotFollowed>> outputs = outputs_not_followed(graph);
  const bool none = std::ranges::all_of(outputs, [](const auto& output) { return bool(output); });
  if (none && !outputs.empty()) fail_without_gradients(outputs);
}

}  // namespace coppice
