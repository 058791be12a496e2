// What ONNX Runtime's quantisers write around QLinearConv (domain com.microsoft): sums, products,
// activations, means, concatenations and fully connected layers of codes.
//
//   y = saturate(round(f(x) / y_step) + y_zero)     f of what the codes of x stand for
//
// Channels are those of the float operator. Of codes, "zero when dead" says that they stand for
// zero; the zero point of what is given stands for it again.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "graph/ops/codes.h"
#include "graph/ops/ops.h"
#include "graph/views/quantised.h"

namespace coppice {
namespace {

using Inputs = std::span<const Tensor* const>;

constexpr char kDomain[] = "com.microsoft";

OpDef of_codes(OpDef op) {
  op.domain = kDomain;
  op.trains = false;
  return op;
}

const Tensor* pick(Inputs inputs, size_t input) {
  return input < inputs.size() ? inputs[input] : nullptr;
}

// --- codes and floats, with one step and zero point for all, or one for each index of an axis

double step_of(const Graph& graph, const Node& node, Inputs inputs, size_t input) {
  return scalar_of(graph, node, *inputs[input]);
}

int64_t zero_of(Inputs inputs, size_t input) {
  const Tensor* zero = pick(inputs, input);
  return zero && zero->size() > 0 ? to_int64s(*zero).front() : 0;
}

// What input `codes` stands for; its step and zero point are the next two.
Tensor floats_of(const Graph& graph, const Node& node, Inputs inputs, size_t codes) {
  const Tensor& from = *inputs[codes];
  Tensor result = Tensor::zeros(DType::f32, from.shape());
  const auto to = result.mutate<float>();
  const double step = step_of(graph, node, inputs, codes + 1);
  const int64_t zero = zero_of(inputs, codes + 2);
  with_codes(from, [&](auto numbers) {
    for (size_t i = 0; i < to.size(); ++i) {
      to[i] =
          static_cast<float>(static_cast<double>(static_cast<int64_t>(numbers[i]) - zero) * step);
    }
  });
  return result;
}

// The codes of `floats`, by the step at input `step` and the zero point behind it.
std::vector<Tensor> codes_of(const Graph& graph, const Node& node, Inputs inputs,
                             const Tensor& floats, size_t step, DType type) {
  return {coppice::codes_of(graph, node, floats, step_of(graph, node, inputs, step),
                            zero_of(inputs, step + 1), type)};
}

// --- element by element

void infer_two(InferContext& context) {
  const auto shape = broadcast(context.shape(0), context.shape(3));
  if (!shape) {
    context.fail("shapes " + to_string(context.shape(0)) + " and " + to_string(context.shape(3)) +
                 " don't broadcast");
  }
  context.set(0, context.type(0).dtype, *shape);
}

template <bool product>
void relate_two(Relations& relations) {
  const Shape out = relations.output_shape(0);
  const auto rank = static_cast<int64_t>(out.size());
  for (int64_t axis = 0; axis < rank; ++axis) {
    std::vector<std::pair<int, int64_t>> spanning;  // operand, its axis
    for (const int input : {0, 3}) {
      const int64_t own = axis - (rank - relations.rank(input));
      if (own >= 0 && relations.input_shape(input)[own] == out[axis]) {
        spanning.emplace_back(input, own);
      }
    }
    if (spanning.empty()) continue;
    const auto zero = [&](const auto& at) { return relations.zero_when_dead(at.first, at.second); };
    const bool stays = product ? std::ranges::any_of(spanning, zero)
                               : spanning.size() == 2 && std::ranges::all_of(spanning, zero);
    const Axis labels = relations.input(spanning[0].first, spanning[0].second);
    if (spanning.size() == 2) {
      relations.unify(labels, relations.input(spanning[1].first, spanning[1].second),
                      "elementwise");
    }
    relations.output(0, axis, labels, stays);
  }
}

template <typename Function>
std::vector<Tensor> evaluate_two(const Graph& graph, const Node& node, Inputs inputs) {
  const Shape shape = *broadcast(inputs[0]->shape(), inputs[3]->shape());
  Tensor result = expanded(floats_of(graph, node, inputs, 0), shape);
  const Tensor other = expanded(floats_of(graph, node, inputs, 3), shape);
  const auto to = result.mutate<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = Function()(to[i], other.as<float>()[i]);
  return codes_of(graph, node, inputs, result, 6, inputs[0]->dtype());
}

template <typename Function, bool product>
OpDef two(const char* type) {
  return of_codes({.type = type,
                   .arity = {7, 8},
                   .reads = {Reads::code, Reads::step, Reads::zero_point, Reads::code, Reads::step,
                             Reads::zero_point, Reads::step, Reads::zero_point},
                   .infer = infer_two,
                   .relate = relate_two<product>,
                   .evaluate = evaluate_two<Function>});
}

float sigmoid(const Attributes&, float x) { return 1 / (1 + std::exp(-x)); }
float leaky_relu(const Attributes& attributes, float x) {
  return x >= 0 ? x : attributes.real("alpha", 0.01f) * x;
}

template <float (*function)(const Attributes&, float)>
void relate_activation(Relations& relations) {
  relate_unary(relations, function(relations.node().attributes, 0) == 0);
}

template <float (*function)(const Attributes&, float)>
std::vector<Tensor> evaluate_activation(const Graph& graph, const Node& node, Inputs inputs) {
  Tensor result = floats_of(graph, node, inputs, 0);
  for (float& x : result.mutate<float>()) x = function(node.attributes, x);
  return codes_of(graph, node, inputs, result, 3, inputs[0]->dtype());
}

const std::vector<Reads> kOne = {Reads::data, Reads::step, Reads::zero_point, Reads::step,
                                 Reads::zero_point};

template <float (*function)(const Attributes&, float)>
OpDef activation(const char* type) {
  return of_codes({.type = type,
                   .arity = {4, 5},
                   .reads = kOne,
                   .infer = infer_same,
                   .relate = relate_activation<function>,
                   .evaluate = evaluate_activation<function>});
}

// --- means over an image

std::vector<int64_t> image_axes(const Node& node, int64_t rank) {
  const bool last = node.attributes.integer("channels_last", 0) != 0;
  std::vector<int64_t> axes(std::max<int64_t>(0, rank - 2));
  std::iota(axes.begin(), axes.end(), last ? 1 : 2);
  return axes;
}

void infer_mean(InferContext& context) {
  Shape shape = context.shape(0);
  for (const int64_t axis : image_axes(context.node(), context.rank(0))) shape[axis] = 1;
  context.set(0, context.type(0).dtype, shape);
}

void relate_mean(Relations& relations) {
  relate_pooled(relations, image_axes(relations.node(), relations.rank(0)), true, true,
                PinKind::meaning, "pooled over");
}

std::vector<Tensor> evaluate_mean(const Graph& graph, const Node& node, Inputs inputs) {
  const Tensor floats = floats_of(graph, node, inputs, 0);
  const Shape& shape = floats.shape();
  Shape out = shape;
  int64_t window = 1;
  for (const int64_t axis : image_axes(node, floats.rank())) {
    window *= shape[axis];
    out[axis] = 1;
  }
  const bool last = node.attributes.integer("channels_last", 0) != 0;
  const int64_t inner = last ? shape.back() : 1;
  std::vector<double> sums(element_count(out), 0);
  for (int64_t i = 0; i < floats.size(); ++i) {
    sums[i / (window * inner) * inner + i % inner] += floats.as<float>()[i];
  }
  Tensor result = Tensor::zeros(DType::f32, out);
  std::ranges::transform(sums, result.mutate<float>().begin(), [&](double sum) {
    return static_cast<float>(sum / static_cast<double>(window));
  });
  return codes_of(graph, node, inputs, result, 3, inputs[0]->dtype());
}

// --- concatenation: the result's step and zero point, then those of each piece behind it

int64_t concat_axis(const Graph& graph, const Node& node, int64_t rank) {
  return resolve_axis(graph, node, node.attributes.integer("axis", 0), rank);
}

void infer_concat(InferContext& context) {
  const auto pieces = static_cast<int>(context.node().inputs.size());
  if (pieces < 5 || pieces % 3 != 2) {
    context.fail("has " + std::to_string(pieces) + " inputs, expected two and three a piece");
  }
  Shape out = context.shape(2);
  const int64_t axis = concat_axis(context.graph(), context.node(), context.rank(2));
  for (int i = 5; i < pieces; i += 3) {
    Shape piece = context.shape(i);
    if (piece.size() == out.size()) {
      out[axis] += piece[axis];
      piece[axis] = out[axis];
    }
    if (piece != out) {
      context.fail("input " + std::to_string(i) + " has shape " + to_string(context.shape(i)) +
                   ", which doesn't fit to " + to_string(context.shape(2)) + " on the other axes");
    }
  }
  context.set(0, context.type(2).dtype, out);
}

void relate_concat(Relations& relations) {
  const int64_t concatenated = concat_axis(relations.graph(), relations.node(), relations.rank(2));
  for (int64_t axis = 0; axis < relations.rank(2); ++axis) {
    Axis labels = relations.input(2, axis);
    bool zero = relations.zero_when_dead(2, axis);
    for (int i = 5; i < relations.inputs(); i += 3) {
      const Axis& piece = relations.input(i, axis);
      if (axis == concatenated) {
        labels.insert(labels.end(), piece.begin(), piece.end());
      } else {
        relations.unify(labels, piece, "other axes of a concatenation");
      }
      zero = zero && relations.zero_when_dead(i, axis);
    }
    relations.output(0, axis, std::move(labels), zero);
  }
}

std::vector<Tensor> evaluate_concat(const Graph& graph, const Node& node, Inputs inputs) {
  Shape out = inputs[2]->shape();
  const int64_t axis = concat_axis(graph, node, inputs[2]->rank());
  std::vector<Tensor> pieces;
  out[axis] = 0;
  for (size_t i = 2; i < inputs.size(); i += 3) {
    pieces.push_back(floats_of(graph, node, inputs, i));
    out[axis] += pieces.back().shape()[axis];
  }
  Tensor result = Tensor::zeros(DType::f32, out);
  const auto to = result.mutate<float>();
  const int64_t rows = element_count({out.begin(), out.begin() + axis});
  int64_t at = 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (const Tensor& piece : pieces) {
      const int64_t length = piece.size() / rows;
      std::ranges::copy(piece.as<float>().subspan(row * length, length), to.begin() + at);
      at += length;
    }
  }
  return codes_of(graph, node, inputs, result, 0, inputs[2]->dtype());
}

}  // namespace

extern const OpDef kQLinearAdd = two<std::plus<float>, false>("QLinearAdd");
extern const OpDef kQLinearMul = two<std::multiplies<float>, true>("QLinearMul");
extern const OpDef kQLinearSigmoid = activation<sigmoid>("QLinearSigmoid");
extern const OpDef kQLinearLeakyRelu = activation<leaky_relu>("QLinearLeakyRelu");
extern const OpDef kQLinearGlobalAveragePool = of_codes({.type = "QLinearGlobalAveragePool",
                                                         .arity = {4, 5},
                                                         .reads = kOne,
                                                         .infer = infer_mean,
                                                         .relate = relate_mean,
                                                         .evaluate = evaluate_mean});
extern const OpDef kQLinearConcat = of_codes({.type = "QLinearConcat",
                                              .arity = {5, -1},
                                              .reads = {Reads::data},
                                              .infer = infer_concat,
                                              .relate = relate_concat,
                                              .evaluate = evaluate_concat});

}  // namespace coppice
