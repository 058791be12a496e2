#include "graph/passes/separate_vectors.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"

namespace coppice {
namespace {

bool is_weight(const Node& node, size_t input) {
  const Reads as = reads_as(node, input);
  return as == Reads::weight || as == Reads::table;
}

// The bias of a layer with weights: one with the weights stays one with them.
bool is_bias(const Node& node, size_t input) { return reads_as(node, input) == Reads::bias; }

bool may_be_one_number(const Node& node, size_t input) {
  return is_bias(node, input) || (is_batch_norm(node) && input >= 1);
}

bool is_vector(const Tensor& tensor) {
  return std::ranges::count_if(tensor.shape(), [](int64_t size) { return size > 1; }) <= 1;
}

class Separator {
 public:
  explicit Separator(Graph& graph)
      : graph_(graph), names_(graph), source_(graph.values.size(), kNoValue) {
    for (size_t i = 0; i < graph.values.size(); ++i) {
      const auto& constant = graph.values[i].constant;
      if (constant && is_floating(constant->dtype()) && is_vector(*constant)) {
        source_[i] = static_cast<ValueId>(i);
      }
    }
    for (const Node& node : graph.nodes) follow_identity(node);
    taken_.assign(graph.values.size(), 0);
    for (const ValueId id : graph.outputs) take(id);
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.captures) take(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const bool passes = is_identity(node) && source_of(node.inputs[i]) != kNoValue;
        if (!passes && !is_separable(node, i)) take(node.inputs[i]);
      }
    }
  }

  void run() {
    for (Node& node : graph_.nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (is_separable(node, i)) separate(node, i);
      }
    }
  }

 private:
  static bool is_identity(const Node& node) {
    return is_onnx(node, "Identity") && node.inputs.size() == 1 && node.outputs.size() == 1;
  }

  void follow_identity(const Node& node) {
    if (is_identity(node) && node.inputs[0] != kNoValue) {
      source_[node.outputs[0]] = source_[node.inputs[0]];
    }
  }

  ValueId source_of(ValueId id) const {
    return id == kNoValue || static_cast<size_t>(id) >= source_.size() ? kNoValue : source_[id];
  }

  void take(ValueId id) {
    if (const ValueId source = source_of(id); source != kNoValue) taken_[source] = 1;
  }

  bool is_separable(const Node& node, size_t input) const {
    const ValueId source = source_of(node.inputs[input]);
    if (source == kNoValue || !is_onnx(node) || is_identity(node)) return false;
    if (is_setting(node, input) || is_weight(node, input)) return false;
    return graph_.value(source).constant->size() > 1 || may_be_one_number(node, input);
  }

  void separate(Node& node, size_t input) {
    const ValueId source = source_of(node.inputs[input]);
    const std::pair layer{node.inputs.size() > 1 ? node.inputs[1] : kNoValue, source};
    const bool bias = is_bias(node, input);
    if (bias) {
      if (const auto shared = biases_.find(layer); shared != biases_.end()) {
        node.inputs[input] = shared->second;
        return;
      }
    }
    if (taken_[source]) {
      node.inputs[input] = copy(source);
    } else {
      taken_[source] = 1;
      node.inputs[input] = source;
    }
    if (bias) biases_[layer] = node.inputs[input];
  }

  ValueId copy(ValueId source) {
    const Value& from = graph_.value(source);
    const ValueId original = from.copy_of == kNoValue ? source : from.copy_of;
    const Tensor tensor = *from.constant;
    const ValueId id = add_constant(graph_, names_.unused(from.name), tensor);
    graph_.value(id).copy_of = original;
    return id;
  }

  Graph& graph_;
  ValueNames names_;
  std::vector<ValueId> source_;  // by value: the vector that it is, or passes on
  std::vector<char> taken_;      // by vector: whether a use has it already
  std::map<std::pair<ValueId, ValueId>, ValueId> biases_;  // (weight, vector) -> the layer's bias
};

// Constants with one original, by what is in them: a vector that a whole network shared may have as
// many different copies as there are layers.
class Different {
 public:
  explicit Different(const Graph& graph) : graph_(graph) {}

  bool empty() const { return kept_.empty(); }

  // The first constant of that original that was asked for and equals `id`: itself where it is new.
  ValueId first_like(ValueId id, ValueId original) {
    const Tensor& tensor = *graph_.value(id).constant;
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes().data()),
                                 tensor.bytes().size());
    std::vector<ValueId>& alike = kept_[{original, std::hash<std::string_view>()(bytes)}];
    for (const ValueId other : alike) {
      if (*graph_.value(other).constant == tensor) return other;
    }
    alike.push_back(id);
    return id;
  }

 private:
  const Graph& graph_;
  std::map<std::pair<ValueId, size_t>, std::vector<ValueId>> kept_;
};

}  // namespace

extern const Pass kSeparateVectors{"separate-vectors", "merged vectors get a copy for each use"};

void separate_vectors(Graph& graph) {
  run_pass(kSeparateVectors, graph, [&] { Separator(graph).run(); });
}

extern const Pass kMergeCopies{"merge-copies", "copies that are still equal are one again"};

void merge_copies(Graph& graph) {
  run_pass(kMergeCopies, graph, [&] {
    Different different(graph);
    std::vector<ValueId> instead(graph.values.size());
    for (size_t i = 0; i < instead.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      instead[i] = id;
      const Value& value = graph.value(id);
      if (!value.constant || value.copy_of == kNoValue) continue;
      if (graph.value(value.copy_of).constant) different.first_like(value.copy_of, value.copy_of);
      instead[i] = different.first_like(id, value.copy_of);
    }
    if (different.empty()) return;
    for (Node& node : graph.nodes) {
      for (ValueId& id : node.inputs) {
        if (id != kNoValue) id = instead[id];
      }
    }
    for (size_t i = 0; i < instead.size(); ++i) {
      if (instead[i] != static_cast<ValueId>(i)) graph.values[i].constant.reset();
    }
  });
}

}  // namespace coppice
