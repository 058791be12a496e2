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

#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "graph/views/constants_behind.h"

namespace coppice {
namespace {

using Kind = Parameter::Kind;

// From here up a constant is a switch, not a parameter: attention masks add -10000 or -inf.
constexpr float kMostOfParameter = 1e4f;

// What a layer reads as its own. Whichever side of a product is constant is the weight.
struct Reading {
  std::string_view op_type;
  int input;
  Kind kind;
};
constexpr Reading kReadings[] = {
    {"Conv", 1, Kind::weight},
    {"Conv", 2, Kind::bias},
    {"ConvTranspose", 1, Kind::weight},
    {"ConvTranspose", 2, Kind::bias},
    {"Gemm", 0, Kind::weight},
    {"Gemm", 1, Kind::weight},
    {"Gemm", 2, Kind::bias},
    {"MatMul", 0, Kind::weight},
    {"MatMul", 1, Kind::weight},
    {"Einsum", 0, Kind::weight},
    {"Einsum", 1, Kind::weight},
    {"Gather", 0, Kind::weight},
    {"LSTM", 1, Kind::weight},
    {"LSTM", 2, Kind::weight},
    {"LSTM", 3, Kind::bias},
    {"GRU", 1, Kind::weight},
    {"GRU", 2, Kind::weight},
    {"GRU", 3, Kind::bias},
    {"RNN", 1, Kind::weight},
    {"RNN", 2, Kind::weight},
    {"RNN", 3, Kind::bias},
    {"BatchNormalization", 1, Kind::norm},
    {"BatchNormalization", 2, Kind::norm},
    {"GroupNormalization", 1, Kind::norm},
    {"GroupNormalization", 2, Kind::norm},
    {"InstanceNormalization", 1, Kind::norm},
    {"InstanceNormalization", 2, Kind::norm},
    {"LayerNormalization", 1, Kind::norm},
    {"LayerNormalization", 2, Kind::norm},
    {"RMSNormalization", 1, Kind::norm},
    {"PRelu", 1, Kind::norm},
};

template <size_t N>
bool is_one_of(const std::string_view (&names)[N], const std::string& op_type) {
  return std::ranges::find(names, op_type) != std::end(names);
}

bool passes_gradient(const Node& node) {
  constexpr std::string_view kNames[] = {"Shape",
                                         "Size",
                                         "ArgMax",
                                         "ArgMin",
                                         "Equal",
                                         "Greater",
                                         "Less",
                                         "Not",
                                         "LessOrEqual",
                                         "GreaterOrEqual",
                                         "NonZero",
                                         "Floor",
                                         "Ceil",
                                         "Round",
                                         "Sign",
                                         "And",
                                         "Or",
                                         "Xor",
                                         "IsNaN",
                                         "IsInf",
                                         "NonMaxSuppression"};
  if (node.op_type == "Cast") {
    return is_floating(static_cast<DType>(node.attributes.integer("to", 0)));
  }
  return !is_one_of(kNames, node.op_type);
}

// Places and masks beside the values.
bool has_indices_behind_first(const Node& node) {
  constexpr std::string_view kNames[] = {"TopK", "MaxPool", "Dropout", "Unique"};
  return is_one_of(kNames, node.op_type);
}

bool is_setting(const Node& node, int input) {
  return node.op &&
         std::ranges::find(node.op->parameter_inputs, input) != node.op->parameter_inputs.end();
}

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
    const bool ours = node.domain.empty() || node.domain == "ai.onnx";
    const size_t before = uses_.size();
    bool trained = false;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || is_setting(node, i)) continue;
      trained = trained || trained_[id];
      if (!ours || source_[id] == kNoValue || !is_float(graph_.value(source_[id]))) continue;
      if (const auto kind = kind_of(node, i)) uses_.push_back({n, i, source_[id], *kind});
    }
    trained = (trained || uses_.size() > before) && !(ours && !passes_gradient(node));
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNoValue) continue;
      trained_[node.outputs[o]] = trained && !(ours && o > 0 && has_indices_behind_first(node));
    }
  }

  std::optional<Kind> kind_of(const Node& node, int input) const {
    const ValueId id = node.inputs[input];
    // A product with a plain vector, or a list of numbers to pick from, is no layer.
    const bool needs_matrix =
        node.op_type == "MatMul" || node.op_type == "Gather" || node.op_type == "Einsum";
    const auto& constant = graph_.value(id).constant;
    const auto own = own_of_layer(node, input);
    if (own && !(needs_matrix && constant && constant->rank() < 2)) return own;
    const bool adds = node.op_type == "Add" || node.op_type == "Sub" || node.op_type == "Sum";
    if (!adds && node.op_type != "Mul") return std::nullopt;
    const bool meets_trained = std::ranges::any_of(
        node.inputs, [&](ValueId other) { return other != kNoValue && trained_[other]; });
    const Tensor& tensor = *graph_.value(source_[id]).constant;
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
  for (const Reading& reading : kReadings) {
    if (reading.op_type == node.op_type && reading.input == input) return reading.kind;
  }
  return std::nullopt;
}

bool has_batch_norm(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, is_batch_norm_at_inference);
}

}  // namespace coppice
