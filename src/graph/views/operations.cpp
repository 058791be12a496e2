// See operations.h.
#include "graph/views/operations.h"

#include <algorithm>
#include <string_view>

#include "graph/cost.h"
#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "graph/views/constants_behind.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

class Counter {
 public:
  Counter(const Graph& graph, const Inferred& inferred, const std::map<std::string, Tensor>& masks)
      : graph_(graph), masks_(masks), source_(constants_behind(graph)) {
    for (const auto& type : inferred.types) shapes_.push_back(type ? type->shape : Shape{});
  }

  Operations run() const {
    Operations all;
    for (const Node& node : graph_.nodes) {
      const int64_t macs = macs_of(node);
      all.macs += macs;
      all.flops += 2 * macs + beside_macs(node);
    }
    return all;
  }

 private:
  int64_t elements(ValueId id) const { return element_count(shapes_[id]); }

  // A weight is multiplied with as often as any other of its tensor.
  int64_t macs_of(const Node& node) const {
    const int64_t macs = node_macs(node, shapes_);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (macs == 0 || reads_as(node, i) != Reads::weight || node.inputs[i] == kNoValue) continue;
      const ValueId weight = source_[node.inputs[i]];
      if (weight == kNoValue) continue;
      const auto mask = masks_.find(graph_.value(weight).name);
      if (mask == masks_.end()) continue;
      const std::span<const float> stays = mask->second.as<float>();
      const int64_t left = std::ssize(stays) - std::ranges::count(stays, 0.0f);
      return macs / std::ssize(stays) * left;
    }
    return macs;
  }

  int64_t beside_macs(const Node& node) const {
    if (!node.op || node.outputs.empty() || node.outputs[0] == kNoValue) return 0;
    const int64_t given = elements(node.outputs[0]);
    if (const auto layer = linear_layer_of(node)) {
      const auto bias = static_cast<size_t>(layer->bias);
      const bool has = layer->bias >= 0 && bias < node.inputs.size();
      return has && node.inputs[bias] != kNoValue ? given : 0;
    }
    if (is_batch_norm(node)) return 2 * given;
    const std::string_view type = node.op->type;
    if (type == "Relu") return given;
    if (type == "GlobalAveragePool" || type == "GlobalMaxPool") return elements(node.inputs[0]);
    if (type != "AveragePool" && type != "MaxPool") return 0;
    return given * element_count(node.attributes.integers("kernel_shape").value_or(Shape{}));
  }

  const Graph& graph_;
  const std::map<std::string, Tensor>& masks_;
  std::vector<ValueId> source_;
  std::vector<Shape> shapes_;
};

}  // namespace

Operations operations_of(const Graph& graph, const Inferred& inferred,
                         const std::map<std::string, Tensor>& masks) {
  return Counter(graph, inferred, masks).run();
}

}  // namespace coppice
