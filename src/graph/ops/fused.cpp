// What ONNX Runtime's optimiser makes one node of (domain com.microsoft): activations with their
// bias, a convolution with its activation, normalisations with the sum before them.
//
// Channels are those of what was fused. Normalisations over the width say only their shapes: what
// they read is as wide as what they give, and stays so.

#include <algorithm>
#include <cmath>

#include "graph/ops/conv.h"
#include "graph/ops/elementwise.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

using namespace elementwise;

constexpr char kDomain[] = "com.microsoft";

OpDef fused(OpDef op) {
  op.domain = kDomain;
  op.trains = false;
  return op;
}

// --- activations

float gelu(const Attributes&, float x) { return x / 2 * (1 + std::erf(x * 0.7071067812f)); }
float fast_gelu(const Attributes&, float x) {
  return x / 2 * (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}
float quick_gelu(const Attributes& a, float x) {
  return x / (1 + std::exp(-a.real("alpha", 1.702f) * x));
}

void relate_biased(Relations& relations) { relate_broadcast(relations, false); }

template <Function function>
std::vector<Tensor> evaluate_biased(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  const Tensor* bias = inputs.size() > 1 ? inputs[1] : nullptr;
  if (inputs[0]->dtype() != DType::f32 || (bias && bias->dtype() != DType::f32)) {
    fail_input(where(graph, node) + ": only float32 can be run");
  }
  Tensor output = *inputs[0];
  const auto elements = output.mutate<float>();
  const auto width = static_cast<int64_t>(bias ? bias->size() : 1);
  for (int64_t i = 0; i < output.size(); ++i) {
    const float shift = bias ? bias->as<float>()[i % width] : 0;
    elements[i] = function(node.attributes, elements[i] + shift);
  }
  return {std::move(output)};
}

template <Function function>
OpDef biased(const char* type, int min_inputs) {
  return fused({.type = type,
                .arity = {min_inputs, 2},
                .reads = {Reads::data, Reads::bias},
                .reach = Reach::element,
                .infer = infer_broadcast,
                .relate = relate_biased,
                .evaluate = evaluate_biased<function>});
}

// --- convolutions

// Whether what is zero stays so.
bool keeps_zero(const Node& node) {
  const std::string activation = node.attributes.text("activation", "");
  if (activation == "Sigmoid" || activation == "HardSigmoid" || activation == "Softplus") {
    return false;
  }
  if (activation != "Clip") return true;
  const auto bounds = node.attributes.reals("activation_params");
  return bounds && bounds->size() == 2 && (*bounds)[0] <= 0 && (*bounds)[1] >= 0;
}

void infer_fused_conv(InferContext& context) {
  context.set(0, context.type(0).dtype, convolved(context, {1, 2}));
}

// The fourth input is added before the activation.
void relate_fused_conv(Relations& relations) {
  relate_convolution(relations, {1, 2});
  const Axis filters = relations.input(1, 0);
  bool zero = relations.zero_when_dead(1, 0) && keeps_zero(relations.node());
  if (relations.has_input(2)) zero = zero && relations.zero_when_dead(2, 0);
  if (relations.has_input(3)) {
    relations.unify(filters, relations.input(3, 1), "sum of FusedConv");
    relations.unify(relations.input(0, 0), relations.input(3, 0), "batch of FusedConv");
    for (int64_t axis = 2; axis < relations.rank(3); ++axis) {
      relations.pin(relations.input(3, axis), PinKind::meaning, "convolved over");
    }
    zero = zero && relations.zero_when_dead(3, 1);
  }
  relations.output(0, 1, filters, zero);
}

void repair_fused_conv(RepairContext& context) { repair_convolution(context, {1, 2}); }

int64_t macs_fused_conv(const Node&, std::span<const Shape> inputs,
                        std::span<const Shape> outputs) {
  return element_count(outputs[0]) * element_count({inputs[1].begin() + 1, inputs[1].end()});
}

// --- normalisations, whose width stays

void infer_skip_norm(InferContext& context) {
  Shape statistics = context.shape(0);
  if (statistics.empty()) context.fail("input is a scalar");
  statistics.back() = 1;
  context.set(0, context.type(0).dtype, context.shape(0));
  for (int o = 1; o <= 2; ++o) context.set(o, DType::f32, statistics);
  context.set(3, context.type(0).dtype, context.shape(0));
}

// Sum and normalisation: the width is normalised over, all else passes.
void relate_skip_norm(Relations& relations) {
  const int64_t last = relations.rank(0) - 1;
  for (int input = 0; input < relations.inputs(); ++input) {
    if (!relations.has_input(input)) continue;
    for (int64_t own = 0; own < relations.rank(input); ++own) {
      const int64_t axis = own + last + 1 - relations.rank(input);
      if (axis < 0 || relations.input_shape(input)[own] != relations.input_shape(0)[axis]) continue;
      relations.unify(relations.input(0, axis), relations.input(input, own),
                      relations.node().op_type);
    }
  }
  relations.role(2, 0, Role::norm_scale);
  relations.pin(relations.input(0, last), PinKind::statistics,
                relations.node().op_type + " over it");
  for (const int output : {0, 3}) {
    if (output >= std::ssize(relations.node().outputs)) continue;
    for (int64_t axis = 0; axis <= last; ++axis) {
      relations.output(output, axis, relations.input(0, axis), false);
    }
  }
}

void infer_embedding(InferContext& context) {
  if (!context.has(2) || context.rank(0) != 2 || context.rank(2) != 2) {
    context.fail("ids or table aren't matrices");
  }
  const Shape out{context.shape(0)[0], context.shape(0)[1], context.shape(2)[1]};
  context.set(0, context.type(2).dtype, out);
  context.set(1, DType::i32, {out[0]});
  context.set(2, context.type(2).dtype, out);
}

// Sums of rows of tables, normalised over their width.
void relate_embedding(Relations& relations) {
  const Axis& width = relations.input(2, 1);
  for (const int table : {2, 3, 4}) {
    if (!relations.has_input(table)) continue;
    relations.unify(width, relations.input(table, 1), "sum of EmbedLayerNormalization");
    relations.pin(relations.input(table, 0), PinKind::unknown,
                  "picked by an index that is known only at run time");
  }
  for (const int vector : {5, 6}) {
    if (relations.has_input(vector)) {
      relations.unify(width, relations.input(vector, 0), "EmbedLayerNormalization");
    }
  }
  relations.role(5, 0, Role::norm_scale);
  relations.pin(width, PinKind::statistics, "EmbedLayerNormalization over it");
  for (const int output : {0, 2}) {
    if (output < std::ssize(relations.node().outputs)) relations.output(output, 2, width, false);
  }
}

}  // namespace

extern const OpDef kBiasGelu = biased<gelu>("BiasGelu", 2);
extern const OpDef kFastGelu = biased<fast_gelu>("FastGelu", 1);
extern const OpDef kGeluOfRuntime = fused(unary<gelu>("Gelu"));
extern const OpDef kQuickGelu = fused(unary<quick_gelu>("QuickGelu"));
extern const OpDef kFusedConv =
    fused({.type = "FusedConv",
           .arity = {2, 4},
           .reads = {Reads::data, Reads::weight, Reads::bias, Reads::term},
           .infer = infer_fused_conv,
           .relate = relate_fused_conv,
           .macs = macs_fused_conv,
           .repair = repair_fused_conv});
extern const OpDef kSkipLayerNormalization =
    fused({.type = "SkipLayerNormalization",
           .arity = {3, 5, 1, 4},
           .reads = {Reads::data, Reads::data, Reads::scale, Reads::shift, Reads::bias},
           .infer = infer_skip_norm,
           .relate = relate_skip_norm});
extern const OpDef kSkipSimplifiedLayerNormalization =
    fused({.type = "SkipSimplifiedLayerNormalization",
           .arity = {3, 4, 1, 4},
           .reads = {Reads::data, Reads::data, Reads::scale, Reads::bias},
           .infer = infer_skip_norm,
           .relate = relate_skip_norm});
extern const OpDef kEmbedLayerNormalization =
    fused({.type = "EmbedLayerNormalization",
           .arity = {1, 9, 1, 3},
           .reads = {Reads::setting, Reads::setting, Reads::table, Reads::table, Reads::table,
                     Reads::scale, Reads::shift, Reads::setting, Reads::setting},
           .infer = infer_embedding,
           .relate = relate_embedding});

}  // namespace coppice
