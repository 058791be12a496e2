// Elementwise functions of one tensor. Channels pass through; what differs is whether zero stays
// zero, so the table below is nearly all there is to say.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "graph/ops/elementwise.h"

namespace coppice {
namespace {

using namespace elementwise;

float relu(const Attributes&, float x) { return x < 0 ? 0 : x; }
float leaky_relu(const Attributes& a, float x) { return x < 0 ? x * a.real("alpha", 0.01f) : x; }
float elu(const Attributes& a, float x) { return x < 0 ? a.real("alpha", 1) * std::expm1(x) : x; }
float selu(const Attributes& a, float x) {
  const float alpha = a.real("alpha", 1.67326319f), gamma = a.real("gamma", 1.05070102f);
  return gamma * (x < 0 ? alpha * std::expm1(x) : x);
}
float sigmoid(const Attributes&, float x) { return 1 / (1 + std::exp(-x)); }
float hard_sigmoid(const Attributes& a, float x) {
  return std::clamp(a.real("alpha", 0.2f) * x + a.real("beta", 0.5f), 0.0f, 1.0f);
}
float hard_swish(const Attributes&, float x) { return x * std::clamp(x / 6 + 0.5f, 0.0f, 1.0f); }
float tanh_(const Attributes&, float x) { return std::tanh(x); }
float erf_(const Attributes&, float x) { return std::erf(x); }
float exp_(const Attributes&, float x) { return std::exp(x); }
float log_(const Attributes&, float x) { return std::log(x); }
float sqrt_(const Attributes&, float x) { return std::sqrt(x); }
float abs_(const Attributes&, float x) { return std::fabs(x); }
float neg(const Attributes&, float x) { return -x; }
float floor_(const Attributes&, float x) { return std::floor(x); }
float ceil_(const Attributes&, float x) { return std::ceil(x); }
float reciprocal(const Attributes&, float x) { return 1 / x; }
float softplus(const Attributes&, float x) { return x > 20 ? x : std::log1p(std::exp(x)); }
float round_(const Attributes&, float x) { return std::nearbyint(x); }
float sign(const Attributes&, float x) { return static_cast<float>((x > 0) - (x < 0)); }
float sin_(const Attributes&, float x) { return std::sin(x); }
float cos_(const Attributes&, float x) { return std::cos(x); }
float mish(const Attributes& a, float x) { return x * std::tanh(softplus(a, x)); }
float celu(const Attributes& a, float x) {
  const float alpha = a.real("alpha", 1);
  return x < 0 ? alpha * std::expm1(x / alpha) : x;
}
float thresholded_relu(const Attributes& a, float x) { return x > a.real("alpha", 1) ? x : 0; }
float gelu(const Attributes& a, float x) {
  if (a.text("approximate", "none") == "tanh") {
    return x / 2 * (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
  }
  return x / 2 * (1 + std::erf(x * 0.7071067812f));
}
float softsign(const Attributes&, float x) { return x / (1 + std::fabs(x)); }
float identity(const Attributes&, float x) { return x; }

// Identity and Dropout (at inference) copy any type.
std::vector<Tensor> copy(const Graph&, const Node&, std::span<const Tensor* const> inputs) {
  return {*inputs[0]};
}

void infer_dropout(InferContext& context) {
  infer_same(context);
  context.set(1, DType::boolean, context.shape(0));
}

// Only where it surely isn't training; its mask must have no reader.
bool drops_nothing(const Node& node, const Shape&, std::span<const Tensor* const> known) {
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) return false;
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return true;
  const Tensor *ratio = known[1], *training = known[2];
  if (ratio && ratio->dtype() == DType::f32 && ratio->size() == 1 && ratio->as<float>()[0] == 0) {
    return true;  // drops nothing, in whatever mode
  }
  return training && training->dtype() == DType::boolean && !training->as<bool>()[0];
}

// Clip's bounds are attributes before opset 11 and inputs after it.
std::pair<float, float> clip_bounds(const Graph& graph, const Node& node, const Tensor* low,
                                    const Tensor* high) {
  const auto bound = [&](const char* name, const Tensor* given, float otherwise) {
    if (!given) return node.attributes.real(name, otherwise);
    if (given->dtype() != DType::f32 || given->size() != 1) {
      fail_input(where(graph, node) + ": bound '" + name + "' must be one float32");
    }
    return given->as<float>()[0];
  };
  return {bound("min", low, -INFINITY), bound("max", high, INFINITY)};
}

void relate_clip(Relations& relations) {
  bool zero = true;
  for (int i = 1; i <= 2; ++i) zero = zero && (!relations.has_input(i) || relations.known(i));
  if (zero) {
    const auto [low, high] =
        clip_bounds(relations.graph(), relations.node(), relations.known(1), relations.known(2));
    zero = low <= 0 && high >= 0;
  }
  relate_unary(relations, zero);
}

std::vector<Tensor> evaluate_clip(const Graph& graph, const Node& node,
                                  std::span<const Tensor* const> inputs) {
  const auto [low, high] = clip_bounds(graph, node, inputs.size() > 1 ? inputs[1] : nullptr,
                                       inputs.size() > 2 ? inputs[2] : nullptr);
  require_f32(graph, node, *inputs[0]);
  Tensor output = *inputs[0];
  for (float& element : output.mutate<float>()) element = std::min(std::max(element, low), high);
  return {std::move(output)};
}

void infer_cast(InferContext& context) {
  const auto to = static_cast<DType>(context.node().attributes.integer("to", 0));
  context.set(0, to, context.shape(0));
}

bool casts_gradient(const Node& node, int) {
  return is_floating(static_cast<DType>(node.attributes.integer("to", 0)));
}

bool casts_nothing(const Node&, const Shape&, std::span<const Tensor* const>) { return true; }

template <typename To, typename From>
Tensor cast_elements(const Tensor& from) {
  Tensor to = Tensor::zeros(dtype_of<To>, from.shape());
  std::transform(from.as<From>().begin(), from.as<From>().end(), to.mutate<To>().begin(),
                 [](From x) { return static_cast<To>(x); });
  return to;
}

template <typename To>
Tensor cast_to(const Graph& graph, const Node& node, const Tensor& from) {
  switch (from.dtype()) {
    case DType::f32: return cast_elements<To, float>(from);
    case DType::f64: return cast_elements<To, double>(from);
    case DType::i32: return cast_elements<To, int32_t>(from);
    case DType::i64: return cast_elements<To, int64_t>(from);
    case DType::u8: return cast_elements<To, uint8_t>(from);
    case DType::boolean: return cast_elements<To, bool>(from);
    default: fail_input(where(graph, node) + ": can't run a cast from " + name_of(from.dtype()));
  }
}

std::vector<Tensor> evaluate_cast(const Graph& graph, const Node& node,
                                  std::span<const Tensor* const> inputs) {
  const Tensor& from = *inputs[0];
  const auto to = static_cast<DType>(node.attributes.integer("to", 0));
  switch (to) {
    case DType::f32: return {cast_to<float>(graph, node, from)};
    case DType::f64: return {cast_to<double>(graph, node, from)};
    case DType::i32: return {cast_to<int32_t>(graph, node, from)};
    case DType::i64: return {cast_to<int64_t>(graph, node, from)};
    case DType::u8: return {cast_to<uint8_t>(graph, node, from)};
    case DType::boolean: return {cast_to<bool>(graph, node, from)};
    default: fail_input(where(graph, node) + ": can't run a cast to " + name_of(to));
  }
}

void relate_copy(Relations& relations) { relate_unary(relations, true); }

void relate_not(Relations& relations) { relate_unary(relations, false); }

std::vector<Tensor> evaluate_not(const Graph& graph, const Node& node,
                                 std::span<const Tensor* const> inputs) {
  if (inputs[0]->dtype() != DType::boolean) {
    fail_input(where(graph, node) + ": input is " + name_of(inputs[0]->dtype()) +
               ", expected bool");
  }
  Tensor output = *inputs[0];
  for (bool& element : output.mutate<bool>()) element = !element;
  return {std::move(output)};
}

}  // namespace

void infer_same(InferContext& context) { context.set(0, context.type(0).dtype, context.shape(0)); }

extern const OpDef kRelu = monotone<relu>("Relu");
extern const OpDef kLeakyRelu = unary<leaky_relu>("LeakyRelu");
extern const OpDef kElu = unary<elu>("Elu");
extern const OpDef kSelu = unary<selu>("Selu");
extern const OpDef kSigmoid = monotone<sigmoid>("Sigmoid");
extern const OpDef kHardSigmoid = monotone<hard_sigmoid>("HardSigmoid");
extern const OpDef kHardSwish = unary<hard_swish>("HardSwish");
extern const OpDef kTanh = monotone<tanh_>("Tanh");
extern const OpDef kErf = monotone<erf_>("Erf");
extern const OpDef kExp = monotone<exp_>("Exp");
extern const OpDef kLog = monotone<log_>("Log");
extern const OpDef kSqrt = monotone<sqrt_>("Sqrt");
extern const OpDef kAbs = unary<abs_>("Abs");
extern const OpDef kNeg = monotone<neg>("Neg");
extern const OpDef kFloor = steps<floor_>("Floor");
extern const OpDef kCeil = steps<ceil_>("Ceil");
extern const OpDef kReciprocal = unary<reciprocal>("Reciprocal");
extern const OpDef kSoftplus = monotone<softplus>("Softplus");
extern const OpDef kRound = steps<round_>("Round");
extern const OpDef kSign = steps<sign>("Sign");
extern const OpDef kSin = unary<sin_>("Sin");
extern const OpDef kCos = unary<cos_>("Cos");
extern const OpDef kMish = unary<mish>("Mish");
extern const OpDef kCelu = unary<celu>("Celu");
extern const OpDef kThresholdedRelu = unary<thresholded_relu>("ThresholdedRelu");
extern const OpDef kGelu = unary<gelu>("Gelu");
extern const OpDef kSoftsign = monotone<softsign>("Softsign");

extern const OpDef kIdentity{.type = "Identity",
                             .arity = {1, 1},
                             .reads = {Reads::data},
                             .reach = Reach::element,
                             .moves = Moves::reshapes,
                             .infer = infer_same,
                             .relate = relate_function<identity>,
                             .evaluate = copy};
extern const OpDef kNot{.type = "Not",
                        .arity = {1, 1},
                        .reads = {Reads::data},
                        .reach = Reach::element,
                        .infer = infer_same,
                        .relate = relate_not,
                        .evaluate = evaluate_not,
                        .passes_gradient = no_gradient};
extern const OpDef kDropout{.type = "Dropout",
                            .arity = {1, 3, 1, 2},
                            .reads = {Reads::data, Reads::setting, Reads::setting},
                            .reach = Reach::element,
                            .infer = infer_dropout,
                            .relate = relate_copy,
                            .evaluate = copy,
                            .passes_gradient = gradient_of_first,
                            .idle = drops_nothing};
extern const OpDef kClip{.type = "Clip",
                         .arity = {1, 3},
                         .reads = {Reads::data, Reads::setting, Reads::setting},
                         .reach = Reach::element,
                         .infer = infer_same,
                         .relate = relate_clip,
                         .evaluate = evaluate_clip};
extern const OpDef kCast{.type = "Cast",
                         .arity = {1, 1},
                         .reads = {Reads::data},
                         .reach = Reach::element,
                         .infer = infer_cast,
                         .relate = relate_copy,
                         .evaluate = evaluate_cast,
                         .passes_gradient = casts_gradient,
                         .idle = casts_nothing};

}  // namespace coppice
