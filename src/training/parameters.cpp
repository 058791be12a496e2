// One pass over the nodes keeps two facts about every value: the constant that it merely reshapes,
// if any, and whether anything trained went into it. The second is what tells a bias from the mean
// that is taken off the input, and it ends where no gradient passes: at shapes, comparisons and
// integers.
#include "training/parameters.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "graph/views/constants_behind.h"

namespace coppice {
namespace {

using Kind = Parameter::Kind;

// From here up a constant is a switch, not a parameter: attention masks add -10000 or -inf.
constexpr float kMostOfParameter = 1e4f;

bool is_float(const Value& value) {
  return value.constant && value.constant->dtype() == DType::f32;
}

bool has_switch_values(const Tensor& tensor) {
  return std::ranges::any_of(tensor.as<float>(),
                             [](float x) { return !(std::fabs(x) < kMostOfParameter); });
}

struct Use {
  int32_t node;
  int input;
  ValueId constant;  // behind what only reshapes it
  Kind kind;
};

class Tracer {
 public:
  explicit Tracer(const Graph& graph)
      : graph_(graph), source_(constants_behind(graph)), trained_(graph.values.size(), 0) {}

  // Every place where a trained constant is read, in the order of the nodes.
  std::vector<Use> run() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) visit(static_cast<int32_t>(n));
    return std::move(uses_);
  }
  std::vector<char> reached() && { return std::move(trained_); }

 private:
  void visit(int32_t n) {
    const Node& node = graph_.nodes[n];
    const size_t before = uses_.size();
    bool trained = false;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || is_setting(node, i)) continue;
      trained = trained || trained_[id];
      if (source_[id] == kNoValue || !is_float(graph_.value(source_[id]))) continue;
      if (const auto kind = kind_of(node, i)) uses_.push_back({n, i, source_[id], *kind});
    }
    trained = trained || uses_.size() > before;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNoValue) continue;
      trained_[node.outputs[o]] = trained && passes_gradient(node, static_cast<int>(o));
    }
  }

  std::optional<Kind> kind_of(const Node& node, int input) const {
    // A product with a plain vector, or a list of numbers to pick from, is no layer.
    const auto& constant = graph_.value(node.inputs[input]).constant;
    const auto own = own_of_layer(node, input);
    if (own && !(own == Kind::weight && constant && constant->rank() < 2)) return own;
    const Reads as = reads_as(node, input);
    const bool adds = as == Reads::term || as == Reads::subtrahend;
    if (!adds && as != Reads::factor) return std::nullopt;
    const bool meets_trained = std::ranges::any_of(
        node.inputs, [&](ValueId other) { return other != kNoValue && trained_[other]; });
    const Tensor& tensor = *graph_.value(source_[node.inputs[input]]).constant;
    if (!meets_trained || tensor.size() <= 1 || has_switch_values(tensor)) return std::nullopt;
    return adds ? Kind::bias : Kind::norm;
  }

  const Graph& graph_;
  std::vector<ValueId> source_;  // kNoValue: none
  std::vector<char> trained_;
  std::vector<Use> uses_;
};

}  // namespace

std::vector<Parameter> trained_parameters(const Graph& graph) {
  std::vector<Parameter> parameters;
  std::set<ValueId> seen;
  for (const Use& use : Tracer(graph).run()) {
    if (seen.insert(use.constant).second) {
      parameters.push_back({use.constant, use.kind, use.node, use.input});
    }
  }
  return parameters;
}

std::vector<ValueId> running_statistics(const Graph& graph) {
  const std::vector<ValueId> source = constants_behind(graph);
  std::vector<ValueId> statistics;
  for (const Node& node : graph.nodes) {
    if (!is_batch_norm_at_inference(node) || node.inputs.size() < 5) continue;
    for (const ValueId id : {node.inputs[3], node.inputs[4]}) {
      if (source[id] != kNoValue) statistics.push_back(source[id]);
    }
  }
  return statistics;
}

std::vector<char> values_with_gradient(const Graph& graph) {
  Tracer tracer(graph);
  tracer.run();
  return std::move(tracer).reached();
}

std::optional<Parameter::Kind> own_of_layer(const Node& node, int input) {
  switch (reads_as(node, input)) {
    case Reads::weight:
    case Reads::table: return Kind::weight;
    case Reads::bias: return Kind::bias;
    case Reads::scale:
    case Reads::shift:
    case Reads::slope: return Kind::norm;
    default: return std::nullopt;
  }
}

bool has_batch_norm(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, is_batch_norm_at_inference);
}

}  // namespace coppice
