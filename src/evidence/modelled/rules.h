// What each kind of node makes of the channels it reads. A rule gives nothing where the node is
// used in a way it doesn't understand.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "evidence/modelled/channel_model.h"
#include "graph/infer.h"

namespace coppice {

using MaybeModel = std::optional<ChannelModel>;
using ChannelModels = std::vector<std::shared_ptr<const ChannelModel>>;

struct RuleContext {
  const Graph& graph;
  const Inferred& inferred;
  const Node& node;
  const ChannelModels& models;    // by ValueId
  bool feeds_batch_norm = false;  // a BatchNormalization reads the output

  bool has(size_t input) const {
    return input < node.inputs.size() && node.inputs[input] != kNoValue;
  }
  const ChannelModel* model(size_t input) const {
    return has(input) ? models[node.inputs[input]].get() : nullptr;
  }
  const Tensor* constant(size_t input) const {
    return has(input) ? known_value(graph, inferred, node.inputs[input]) : nullptr;
  }
  const Shape& in(size_t input = 0) const { return inferred.shape(node.inputs[input]); }
  const Shape& out() const { return inferred.shape(node.outputs[0]); }
};

using Rule = MaybeModel (*)(const RuleContext&);

// Requires of all of them: the shapes of the node's inputs and of its first output are known.
MaybeModel after_contraction(const RuleContext& context);  // of a linear layer
MaybeModel after_batch_norm(const RuleContext& context);
MaybeModel after_elementwise(const RuleContext& context);  // of channels, and constants
bool is_elementwise(const Node& node);
// Rules for nodes that only move channels or positions; null for others.
Rule layout_rule(const Node& node);

}  // namespace coppice
