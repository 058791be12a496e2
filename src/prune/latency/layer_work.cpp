// See layer_work.h.
#include "prune/latency/layer_work.h"

#include "core/words/hash_of.h"
#include "graph/fitted.h"

namespace coppice {
namespace {

std::vector<Shape> shapes_at_batch_1(const Graph& graph) {
  return shape_table(infer_fitting(graph, {}).inferred);
}

}  // namespace

LayerWork::LayerWork(const Traced& traced)
    : traced_(traced), shapes_(shapes_at_batch_1(traced.graph())) {}

std::vector<double> LayerWork::after(const Removal& removal) const {
  const Groups& groups = traced_.groups();
  const std::vector<int64_t> counts = alive_counts(groups, removal);
  std::vector<Shape> shapes = shapes_;
  for (size_t id = 0; id < shapes.size(); ++id) {
    for (size_t axis = 0; axis < shapes[id].size(); ++axis) {
      const int32_t pooled = axis < groups.axes[id].size() ? groups.axes[id][axis] : -1;
      if (pooled < 0) continue;
      // Where samples and channels are one axis, it was traced at another batch.
      const int64_t traced = std::ssize(groups.axis_pool[pooled].offsets) - 1;
      shapes[id][axis] = shapes[id][axis] * counts[pooled] / traced;
    }
  }
  std::vector<double> work;
  for (const Node& node : traced_.graph().nodes) {
    int64_t amount = node.op && node.op->macs ? node_macs(node, shapes) : 0;
    if (amount == 0 && !node.outputs.empty() && node.outputs[0] != kNoValue) {
      amount = element_count(shapes[node.outputs[0]]);
    }
    work.push_back(static_cast<double>(amount));
  }
  return work;
}

int LayerWork::node_named(const std::string& name) const {
  const std::vector<Node>& nodes = traced_.graph().nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (label_of(traced_.graph(), nodes[i]) == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const ValueId id : nodes[i].outputs) {
      if (id != kNoValue && traced_.graph().value(id).name == name) return static_cast<int>(i);
    }
  }
  return -1;
}

std::string structure_hash(const Traced& traced) {
  std::string text;
  const std::vector<Shape> shapes = shapes_at_batch_1(traced.graph());
  for (const Node& node : traced.graph().nodes) {
    text += node.op_type + ' ' + node.name;
    for (const std::vector<ValueId>& ids : {node.inputs, node.outputs}) {
      for (const ValueId id : ids) text += id == kNoValue ? " -" : ' ' + to_string(shapes[id]);
    }
    text += '\n';
  }
  return hash_of(text);
}

}  // namespace coppice
