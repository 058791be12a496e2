// Elementwise functions of two tensors under numpy broadcasting, for float32 data and for the
// integers of shape arithmetic.

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_comparison(InferContext& context) {
  infer_broadcast(context);
  context.set(0, DType::boolean, *broadcast(context.shape(0), context.shape(1)));
}

struct Arithmetic {
  template <typename T>
  using Result = T;
};
struct Comparison {
  template <typename T>
  using Result = bool;
};

// out[i] = function(a[..], b[..]) over the broadcast shape.
template <typename T, typename R, typename Function>
Tensor combine(const Tensor& a, const Tensor& b, const Shape& out, Function function) {
  Tensor result = Tensor::zeros(dtype_of<R>, out);
  const Shape step_a = broadcast_strides(a.shape(), out),
              step_b = broadcast_strides(b.shape(), out);
  const T* x = a.as<T>().data();
  const T* y = b.as<T>().data();
  Shape index(out.size(), 0);
  for (R& element : result.mutate<R>()) {
    element = function(*x, *y);
    for (size_t axis = out.size(); axis-- > 0;) {
      x += step_a[axis];
      y += step_b[axis];
      if (++index[axis] < out[axis]) break;
      x -= step_a[axis] * out[axis];
      y -= step_b[axis] * out[axis];
      index[axis] = 0;
    }
  }
  return result;
}

template <typename Function>
Tensor apply(const Graph& graph, const Node& node, const Tensor& a, const Tensor& b) {
  const Shape out = *broadcast(a.shape(), b.shape());
  if (a.dtype() == b.dtype()) {
    switch (a.dtype()) {
      case DType::f32:
        return combine<float, typename Function::template Result<float>>(a, b, out, Function());
      case DType::i64:
        return combine<int64_t, typename Function::template Result<int64_t>>(a, b, out, Function());
      case DType::i32:
        return combine<int32_t, typename Function::template Result<int32_t>>(a, b, out, Function());
      case DType::f64:
        return combine<double, typename Function::template Result<double>>(a, b, out, Function());
      case DType::boolean:
        if constexpr (std::is_base_of_v<Comparison, Function>) {
          return combine<bool, bool>(a, b, out, Function());
        }
        break;
      default: break;
    }
  }
  fail_input(where(graph, node) + ": inputs are " + name_of(a.dtype()) + " and " +
             name_of(b.dtype()) + "; only float32, int32 and int64 can be run");
}

template <typename Function>
std::vector<Tensor> evaluate(const Graph& graph, const Node& node,
                             std::span<const Tensor* const> inputs) {
  // Min, Max and Sum take any number of inputs, one included; all others exactly two.
  if (inputs.size() == 1) return {*inputs[0]};
  Tensor result = apply<Function>(graph, node, *inputs[0], *inputs[1]);
  for (size_t i = 2; i < inputs.size(); ++i) {
    result = apply<Function>(graph, node, result, *inputs[i]);
  }
  return {std::move(result)};
}

// The remainder with the sign of the divisor, or with `fmod` of the dividend: all that floats have.
template <bool fmod>
struct ModOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) fail_input("Mod: an integer is divided by zero");
      const T rest = b == -1 ? 0 : a % b;
      return !fmod && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    } else {
      return std::fmod(a, b);
    }
  }
};

std::vector<Tensor> evaluate_mod(const Graph& graph, const Node& node,
                                 std::span<const Tensor* const> inputs) {
  return node.attributes.integer("fmod", 0) != 0 ? evaluate<ModOf<true>>(graph, node, inputs)
                                                 : evaluate<ModOf<false>>(graph, node, inputs);
}

struct AddOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct SubOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct MulOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct DivOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) fail_input("Div: an integer is divided by zero");
    }
    return a / b;
  }
};
struct PowOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(std::pow(a, b));
  }
};
struct MinOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};
struct MaxOf : Arithmetic {
  template <typename T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};
struct PReluOf : Arithmetic {
  template <typename T>
  T operator()(T x, T slope) const {
    return x < 0 ? x * slope : x;
  }
};
struct EqualOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct LessOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct GreaterOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};

struct GreaterOrEqualOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};
struct LessOrEqualOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct AndOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a && b;
  }
};
struct OrOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return a || b;
  }
};
struct XorOf : Comparison {
  template <typename T>
  bool operator()(T a, T b) const {
    return !a != !b;
  }
};

void relate_sum(Relations& relations) { relate_broadcast(relations, false); }
void relate_product(Relations& relations) { relate_broadcast(relations, true); }

// The result takes the labels of both, but is zero only where the first input is: x / y, x ^ y, or
// PRelu's slope * x.
void relate_first(Relations& relations) {
  relate_broadcast(relations, false);
  const int64_t shift = static_cast<int64_t>(relations.output_shape(0).size()) - relations.rank(0);
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (relations.input_shape(0)[axis] != relations.output_shape(0)[axis + shift]) continue;
    relations.output(0, axis + shift, relations.input(0, axis), relations.zero_when_dead(0, axis));
  }
}

// A constant divisor is masked by one. Any other that masking makes zero has to stay, or the masked
// model would divide by zero.
void relate_division(Relations& relations) {
  relate_first(relations);
  const bool constant = relations.graph().value(relations.node().inputs[1]).constant.has_value();
  for (int64_t axis = 0; axis < relations.rank(1); ++axis) {
    if (constant) {
      relations.role(1, axis, Role::divisor);
    } else if (relations.zero_when_dead(1, axis)) {
      relations.pin(relations.input(1, axis), PinKind::meaning, "masking would divide by zero");
    }
  }
}

// A comparison is data no more than a mask; its zero means nothing.
void relate_comparison(Relations& relations) {
  relate_broadcast(relations, false);
  for (size_t axis = 0; axis < relations.output_shape(0).size(); ++axis) {
    for (int i = 0; i < relations.inputs(); ++i) {
      const int64_t own = static_cast<int64_t>(axis) -
                          static_cast<int64_t>(relations.output_shape(0).size()) +
                          relations.rank(i);
      if (own < 0 || relations.input_shape(i)[own] != relations.output_shape(0)[axis]) continue;
      relations.output(0, static_cast<int64_t>(axis), relations.input(i, own), false);
      break;
    }
  }
}

void relate_power(Relations& relations) {
  relate_comparison(relations);
  const Tensor* exponent = relations.known(1);
  const bool finite = exponent && exponent->dtype() == DType::f32 &&
                      std::ranges::all_of(exponent->as<float>(), [](float p) { return p >= 0; });
  if (finite) return;
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (!relations.zero_when_dead(0, axis)) continue;
    relations.pin(relations.input(0, axis), PinKind::meaning, "masking would give infinity");
  }
}

// `reads`: one for both, or one for each.
template <typename Function>
OpDef binary(const char* type, void (*relate)(Relations&), std::vector<Reads> reads) {
  return {.type = type,
          .arity = {2, 2},
          .reads = std::move(reads),
          .reach = Reach::element,
          .infer = infer_broadcast,
          .relate = relate,
          .evaluate = evaluate<Function>};
}

template <typename Function>
OpDef of_many(const char* type, void (*relate)(Relations&), Reads reads) {
  OpDef op = binary<Function>(type, relate, {reads});
  op.arity = {1, -1};
  return op;
}

template <typename Function>
OpDef comparison(const char* type) {
  OpDef op = binary<Function>(type, relate_comparison, {Reads::data});
  op.infer = infer_comparison;
  op.passes_gradient = no_gradient;
  return op;
}

}  // namespace

void infer_broadcast(InferContext& context) {
  Shape out = context.shape(0);
  for (int i = 1; i < static_cast<int>(context.node().inputs.size()); ++i) {
    const auto both = broadcast(out, context.shape(i));
    if (!both) {
      context.fail("shapes " + to_string(out) + " and " + to_string(context.shape(i)) +
                   " don't broadcast");
    }
    out = *both;
  }
  context.set(0, context.type(0).dtype, out);
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Shape broadcast_strides(const Shape& shape, const Shape& out) {
  Shape strides(out.size(), 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t size = shape[shape.size() - 1 - i];
    if (size != 1) strides[out.size() - 1 - i] = stride;
    stride *= size;
  }
  return strides;
}

extern const OpDef kAdd = binary<AddOf>("Add", relate_sum, {Reads::term});
extern const OpDef kSub = binary<SubOf>("Sub", relate_sum, {Reads::term, Reads::subtrahend});
extern const OpDef kSum = of_many<AddOf>("Sum", relate_sum, Reads::term);
extern const OpDef kMul = binary<MulOf>("Mul", relate_product, {Reads::factor});
extern const OpDef kDiv = binary<DivOf>("Div", relate_division, {Reads::data});
extern const OpDef kPow = binary<PowOf>("Pow", relate_power, {Reads::data});
extern const OpDef kMin = of_many<MinOf>("Min", relate_sum, Reads::data);
extern const OpDef kMax = of_many<MaxOf>("Max", relate_sum, Reads::data);
extern const OpDef kPRelu = binary<PReluOf>("PRelu", relate_first, {Reads::data, Reads::slope});
extern const OpDef kEqual = comparison<EqualOf>("Equal");
extern const OpDef kLess = comparison<LessOf>("Less");
extern const OpDef kGreater = comparison<GreaterOf>("Greater");
extern const OpDef kGreaterOrEqual = comparison<GreaterOrEqualOf>("GreaterOrEqual");
extern const OpDef kLessOrEqual = comparison<LessOrEqualOf>("LessOrEqual");
extern const OpDef kAnd = comparison<AndOf>("And");
extern const OpDef kOr = comparison<OrOf>("Or");
extern const OpDef kXor = comparison<XorOf>("Xor");
extern const OpDef kMod{.type = "Mod",
                        .arity = {2, 2},
                        .reads = {Reads::data},
                        .reach = Reach::element,
                        .infer = infer_broadcast,
                        .relate = relate_division,
                        .evaluate = evaluate_mod};

}  // namespace coppice
