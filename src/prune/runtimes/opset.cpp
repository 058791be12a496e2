// From the changelog of ONNX's operators, opsets 13 to 26: what changed but for element types.
#include "prune/runtimes/opset.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.h"
#include "graph/is_onnx.h"

namespace coppice {
namespace {

// In 13 as they are today, but for attributes and inputs below.
constexpr std::array kUnchanged = std::to_array<std::string_view>({"Abs",
                                                                   "Add",
                                                                   "And",
                                                                   "ArgMax",
                                                                   "ArgMin",
                                                                   "AveragePool",
                                                                   "BatchNormalization",
                                                                   "Cast",
                                                                   "Ceil",
                                                                   "Clip",
                                                                   "Concat",
                                                                   "Constant",
                                                                   "ConstantOfShape",
                                                                   "Conv",
                                                                   "ConvTranspose",
                                                                   "Cos",
                                                                   "CumSum",
                                                                   "DepthToSpace",
                                                                   "DequantizeLinear",
                                                                   "Div",
                                                                   "Dropout",
                                                                   "Einsum",
                                                                   "Elu",
                                                                   "Equal",
                                                                   "Erf",
                                                                   "Exp",
                                                                   "Expand",
                                                                   "Flatten",
                                                                   "Floor",
                                                                   "Gather",
                                                                   "GatherElements",
                                                                   "GatherND",
                                                                   "Gemm",
                                                                   "GlobalAveragePool",
                                                                   "GlobalMaxPool",
                                                                   "Greater",
                                                                   "GreaterOrEqual",
                                                                   "HardSigmoid",
                                                                   "Identity",
                                                                   "InstanceNormalization",
                                                                   "LRN",
                                                                   "LeakyRelu",
                                                                   "Less",
                                                                   "LessOrEqual",
                                                                   "Log",
                                                                   "LogSoftmax",
                                                                   "MatMul",
                                                                   "Max",
                                                                   "MaxPool",
                                                                   "Min",
                                                                   "Mod",
                                                                   "Mul",
                                                                   "Neg",
                                                                   "NonMaxSuppression",
                                                                   "NonZero",
                                                                   "Not",
                                                                   "OneHot",
                                                                   "Or",
                                                                   "PRelu",
                                                                   "Pad",
                                                                   "Pow",
                                                                   "QuantizeLinear",
                                                                   "Range",
                                                                   "Reciprocal",
                                                                   "ReduceSum",
                                                                   "Relu",
                                                                   "Reshape",
                                                                   "Resize",
                                                                   "Round",
                                                                   "ScatterElements",
                                                                   "ScatterND",
                                                                   "Selu",
                                                                   "Shape",
                                                                   "Sigmoid",
                                                                   "Sign",
                                                                   "Sin",
                                                                   "Size",
                                                                   "Slice",
                                                                   "Softmax",
                                                                   "Softplus",
                                                                   "Softsign",
                                                                   "SpaceToDepth",
                                                                   "Split",
                                                                   "Sqrt",
                                                                   "Squeeze",
                                                                   "Sub",
                                                                   "Sum",
                                                                   "Tanh",
                                                                   "Tile",
                                                                   "TopK",
                                                                   "Transpose",
                                                                   "Unsqueeze",
                                                                   "Where"});

struct Since {
  std::string_view type;
  int64_t opset;
};
constexpr std::array kNewer = std::to_array<Since>({{"HardSwish", 14},
                                                    {"Trilu", 14},
                                                    {"GridSample", 16},
                                                    {"LayerNormalization", 17},
                                                    {"Mish", 18},
                                                    {"Gelu", 20}});

// Their axes are an input from 18 on, an attribute before.
constexpr std::array kReductions = std::to_array<std::string_view>(
    {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
     "ReduceMin", "ReduceProd", "ReduceSumSquare"});

// An attribute that came later; what it is where nothing is said. Anything else needs that opset.
struct LaterAttribute {
  std::string_view type, name;
  int64_t opset, usual;
};
constexpr std::array kLaterAttributes =
    std::to_array<LaterAttribute>({{"BatchNormalization", "training_mode", 14, 0},
                                   {"Reshape", "allowzero", 14, 0},
                                   {"Shape", "start", 15, 0},
                                   {"Shape", "end", 15, -1},  // no number says "all"
                                   {"ScatterElements", "reduction", 16, -1},
                                   {"ScatterND", "reduction", 16, -1},
                                   {"Split", "num_outputs", 18, -1},
                                   {"Resize", "antialias", 18, 0},
                                   {"Resize", "axes", 18, -1},
                                   {"Resize", "keep_aspect_ratio_policy", 18, -1},
                                   {"AveragePool", "dilations", 19, -1},
                                   {"Cast", "saturate", 19, 1},
                                   {"QuantizeLinear", "saturate", 19, 1},
                                   {"QuantizeLinear", "block_size", 21, 0},
                                   {"QuantizeLinear", "output_dtype", 21, 0},
                                   {"DequantizeLinear", "block_size", 21, 0},
                                   {"Cast", "round_mode", 25, -1}});

template <typename List>
bool holds(const List& list, std::string_view type) {
  return std::ranges::find(list, type) != list.end();
}

bool is_usual(const Node& node, const LaterAttribute& later) {
  const AttributeValue* const value = node.attributes.find(std::string(later.name));
  const auto* const number = value ? std::get_if<int64_t>(value) : nullptr;
  return !value || (number && *number == later.usual && later.usual >= 0);
}

bool has_input(const Node& node, size_t input) {
  return node.inputs.size() > input && node.inputs[input] != kNoValue;
}

// Windows of an average that reach beyond the padding are counted otherwise from 19 on.
bool counts_ceiled_padding(const Node& node) {
  return node.op_type == "AveragePool" && node.attributes.integer("ceil_mode", 0) != 0 &&
         node.attributes.integer("count_include_pad", 0) != 0;
}

int64_t reduction_needs(const Graph& graph, const Node& node) {
  if (graph.opset < 18) return kSafeOpset;
  const bool by_input = has_input(node, 1);
  if (by_input && !graph.value(node.inputs[1]).constant) return 18;
  return !by_input && node.attributes.integer("noop_with_empty_axes", 0) != 0 ? 18 : kSafeOpset;
}

bool has_subgraph(const Node& node) {
  return std::ranges::any_of(node.attributes.entries(), [](const auto& entry) {
    return std::holds_alternative<OpaqueAttribute>(entry.second);
  });
}

// 0: not known.
int64_t needs(const Graph& graph, const Node& node) {
  if (!is_onnx(node)) return kSafeOpset;
  if (!node.captures.empty() || has_subgraph(node)) return 0;
  if (holds(kReductions, node.op_type)) return reduction_needs(graph, node);
  const auto newer = std::ranges::find(kNewer, node.op_type, &Since::type);
  if (newer != kNewer.end()) {
    // A grid of other modes, or of volumes, came with 20.
    return node.op_type == "GridSample" && graph.opset >= 20 ? 0 : newer->opset;
  }
  if (!holds(kUnchanged, node.op_type)) return 0;
  if (counts_ceiled_padding(node)) return graph.opset;
  if (node.op_type == "Pad" && has_input(node, 3)) return 18;
  if (node.op_type == "Pad" && node.attributes.text("mode", "") == "wrap") return 19;
  int64_t opset = kSafeOpset;
  for (const LaterAttribute& later : kLaterAttributes) {
    if (later.type == node.op_type && !is_usual(node, later)) opset = std::max(opset, later.opset);
  }
  return opset;
}

// bfloat16, and what came after it, are types of few operators in 13.
bool has_new_types(const Graph& graph) {
  return std::ranges::any_of(graph.values, [](const Value& value) {
    return static_cast<int32_t>(value.dtype) >= static_cast<int32_t>(DType::bf16) ||
           value.stored == DType::bf16;
  });
}

void say_in(Graph& graph, Node& node, int64_t opset) {
  for (const LaterAttribute& later : kLaterAttributes) {
    if (later.type == node.op_type && opset < later.opset) {
      node.attributes.erase(std::string(later.name));
    }
  }
  if (!holds(kReductions, node.op_type) || graph.opset < 18 || opset >= 18) return;
  if (has_input(node, 1)) {
    const auto axes = graph.value(node.inputs[1]).constant->as<int64_t>();
    if (!axes.empty()) node.attributes.set("axes", std::vector<int64_t>(axes.begin(), axes.end()));
  }
  node.inputs.resize(1);
  node.attributes.erase("noop_with_empty_axes");
}

}  // namespace

NeededOpset needed_opset(const Graph& graph) {
  if (graph.opset <= kSafeOpset) return {.opset = graph.opset, .node = ""};
  if (has_new_types(graph) || !graph.calls.empty()) {
    return {.opset = graph.opset, .node = "its types or functions"};
  }
  NeededOpset needed;
  for (const Node& node : graph.nodes) {
    int64_t opset = needs(graph, node);
    if (opset == 0) opset = graph.opset;
    if (opset <= needed.opset) continue;
    needed = {.opset = std::min(opset, graph.opset), .node = where(graph, node)};
  }
  return needed;
}

std::string opset_remark(const Graph& graph, const Runtime& runtime) {
  if (runtime.unfused_opset == 0 || graph.opset < runtime.unfused_opset) return "";
  const NeededOpset needed = needed_opset(graph);
  std::string text = "opset " + std::to_string(graph.opset) +
                     ": ONNX Runtime 1.21 to 1.24 runs convolutions of opset " +
                     std::to_string(runtime.unfused_opset) + " and up 1.2 to 2 times slower";
  if (needed.opset < runtime.unfused_opset) {
    return text + "; '--opset lowest' writes " + std::to_string(needed.opset);
  }
  return text + "; " + needed.node + " needs " + std::to_string(needed.opset);
}

void lower_opset(Graph& graph, int64_t opset) {
  if (opset == graph.opset) return;
  if (opset > graph.opset) {
    fail_usage("opset " + std::to_string(opset) + " is above the model's own, " +
               std::to_string(graph.opset) + "; it can only be lowered");
  }
  const NeededOpset needed = needed_opset(graph);
  if (opset < needed.opset) {
    fail_target("the model can't be said in opset " + std::to_string(opset) + ": " +
                (needed.node.empty() ? "nothing is written below " : needed.node + " needs ") +
                std::to_string(needed.opset));
  }
  for (Node& node : graph.nodes) say_in(graph, node, opset);
  graph.opset = opset;
  remove_dead(graph);
}

}  // namespace coppice
