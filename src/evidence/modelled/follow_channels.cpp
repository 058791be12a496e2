// See follow_channels.h; what each node does is in rules.h.
#include "evidence/modelled/follow_channels.h"

#include <algorithm>

#include "evidence/modelled/rules.h"
#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

Rule rule_of(const Node& node) {
  if (!node.op) return nullptr;
  if (linear_layer_of(node)) return after_contraction;
  if (is_batch_norm_at_inference(node)) return after_batch_norm;
  if (const Rule rule = layout_rule(node)) return rule;
  return is_elementwise(node) ? after_elementwise : nullptr;
}

bool shapes_known(const Node& node, const Inferred& inferred) {
  const auto known = [&](ValueId id) { return id == kNoValue || inferred.has(id); };
  return !node.outputs.empty() && node.outputs[0] != kNoValue && !node.inputs.empty() &&
         node.inputs[0] != kNoValue && std::ranges::all_of(node.inputs, known) &&
         inferred.has(node.outputs[0]);
}

}  // namespace

void follow_channels(const Graph& graph, const Inferred& inferred, const VisitChannels& visit) {
  ChannelModels models(graph.values.size());
  const auto readers = consumers(graph);
  std::vector<size_t> left(graph.values.size());
  for (size_t i = 0; i < left.size(); ++i) left[i] = readers[i].size();
  for (const Node& node : graph.nodes) {
    const Rule rule = rule_of(node);
    std::shared_ptr<const ChannelModel> output;
    if (rule && shapes_known(node, inferred)) {
      const bool normalised = std::ranges::any_of(readers[node.outputs[0]], [&](int32_t reader) {
        return is_batch_norm_at_inference(graph.nodes[reader]);
      });
      if (MaybeModel model = rule({graph, inferred, node, models, normalised})) {
        output = std::make_shared<ChannelModel>(std::move(*model));
      }
    }
    const ValueId data = node.inputs.empty() ? kNoValue : node.inputs[0];
    visit(node, data == kNoValue ? nullptr : models[data].get());
    if (output) models[node.outputs[0]] = output;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && --left[id] == 0) models[id] = nullptr;
    }
  }
}

void visit_modelled(const Graph& graph, const Inferred& inferred, const VisitMoments& visit) {
  follow_channels(graph, inferred, [&](const Node& node, const ChannelModel* model) {
    if (!model) return visit(node, nullptr);
    InputMoments input{model->axis, model->channels(), model->folded};
    if (model->scaled) input.moments = [model] { return moments_of(*model); };
    visit(node, &input);
  });
}

}  // namespace coppice
