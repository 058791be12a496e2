// Elementwise functions of one tensor that networks seldom hold: the trigonometric ones, Shrink and
// Swish; and what asks an element whether it is a number.

#include <cmath>

#include "graph/ops/elementwise.h"

namespace coppice {
namespace {

using namespace elementwise;

float acos_(const Attributes&, float x) { return std::acos(x); }
float acosh_(const Attributes&, float x) { return std::acosh(x); }
float asin_(const Attributes&, float x) { return std::asin(x); }
float asinh_(const Attributes&, float x) { return std::asinh(x); }
float atan_(const Attributes&, float x) { return std::atan(x); }
float atanh_(const Attributes&, float x) { return std::atanh(x); }
float cosh_(const Attributes&, float x) { return std::cosh(x); }
float sinh_(const Attributes&, float x) { return std::sinh(x); }
float tan_(const Attributes&, float x) { return std::tan(x); }
float shrink(const Attributes& a, float x) {
  const float edge = a.real("lambd", 0.5f), bias = a.real("bias", 0);
  if (x < -edge) return x + bias;
  return x > edge ? x - bias : 0;
}
float swish(const Attributes& a, float x) { return x / (1 + std::exp(-a.real("alpha", 1) * x)); }

template <Function function>
OpDef untrained(const char* type) {
  OpDef op = unary<function>(type);
  op.trains = false;
  return op;
}

void infer_asked(InferContext& context) { context.set(0, DType::boolean, context.shape(0)); }

// Zero is a number, and it is finite: no.
void relate_asked(Relations& relations) { relate_unary(relations, true); }

template <bool (*holds)(const Attributes&, float)>
std::vector<Tensor> evaluate_asked(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  require_f32(graph, node, *inputs[0]);
  Tensor output = Tensor::zeros(DType::boolean, inputs[0]->shape());
  const auto from = inputs[0]->as<float>();
  const auto to = output.mutate<bool>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = holds(node.attributes, from[i]);
  return {std::move(output)};
}

bool is_nan(const Attributes&, float x) { return std::isnan(x); }
bool is_inf(const Attributes& a, float x) {
  if (!std::isinf(x)) return false;
  return a.integer(x < 0 ? "detect_negative" : "detect_positive", 1) != 0;
}

template <bool (*holds)(const Attributes&, float)>
OpDef asked(const char* type) {
  return {.type = type,
          .arity = {1, 1},
          .reads = {Reads::data},
          .reach = Reach::element,
          .trains = false,
          .infer = infer_asked,
          .relate = relate_asked,
          .evaluate = evaluate_asked<holds>,
          .passes_gradient = no_gradient};
}

}  // namespace

extern const OpDef kAcos = untrained<acos_>("Acos");
extern const OpDef kAcosh = untrained<acosh_>("Acosh");
extern const OpDef kAsin = untrained<asin_>("Asin");
extern const OpDef kAsinh = untrained<asinh_>("Asinh");
extern const OpDef kAtan = untrained<atan_>("Atan");
extern const OpDef kAtanh = untrained<atanh_>("Atanh");
extern const OpDef kCosh = untrained<cosh_>("Cosh");
extern const OpDef kSinh = untrained<sinh_>("Sinh");
extern const OpDef kTan = untrained<tan_>("Tan");
extern const OpDef kShrink = untrained<shrink>("Shrink");
extern const OpDef kSwish = untrained<swish>("Swish");
extern const OpDef kIsNaN = asked<is_nan>("IsNaN");
extern const OpDef kIsInf = asked<is_inf>("IsInf");

}  // namespace coppice
