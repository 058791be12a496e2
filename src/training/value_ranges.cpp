// Arithmetic of intervals, one pass over the nodes.
#include "training/value_ranges.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string_view>

#include "graph/op.h"

namespace coppice {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Range kAnything{}, kUnit{0, 1}, kAtMostOne{-1, 1}, kNotNegative{0, kInfinity};

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::ranges::find(types, type) != types.end();
}

template <typename Element>
Range range_of_elements(const Tensor& tensor) {
  Range range{kInfinity, -kInfinity};
  for (const Element x : tensor.as<Element>()) {
    if (std::isnan(x)) return kAnything;
    range = {std::min<double>(range.low, x), std::max<double>(range.high, x)};
  }
  return tensor.size() == 0 ? kAnything : range;
}

Range range_of_constant(const Tensor& tensor) {
  if (tensor.dtype() == DType::f32) return range_of_elements<float>(tensor);
  if (tensor.dtype() == DType::f64) return range_of_elements<double>(tensor);
  return kAnything;
}

Range hull(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

// Zero times what has no end is zero: the end is never reached.
double product(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

Range times(Range a, Range b) {
  const auto [low, high] = std::minmax({product(a.low, b.low), product(a.low, b.high),
                                        product(a.high, b.low), product(a.high, b.high)});
  return {low, high};
}

// Division by zero is nobody's intention: a divisor that may come near to it is taken to keep its
// sign.
Range inverse(Range x) {
  if (x.low < 0 && x.high > 0) return kAnything;
  if (x.low >= 0) return {1 / x.high, x.low > 0 ? 1 / x.low : kInfinity};
  return {x.high < 0 ? 1 / x.high : -kInfinity, 1 / x.low};
}

Range absolute(Range x) {
  const double high = std::max(std::fabs(x.low), std::fabs(x.high));
  return {x.low > 0 ? x.low : x.high < 0 ? -x.high : 0, high};
}

Range within(Range x, Range bounds) {
  return {std::clamp(x.low, bounds.low, std::max(bounds.low, bounds.high)),
          std::clamp(x.high, bounds.low, std::max(bounds.low, bounds.high))};
}

class Ranges {
 public:
  explicit Ranges(const Graph& graph) : graph_(graph), ranges_(graph.values.size()) {
    for (const Node& node : graph.nodes) {
      Range range = node.op ? range_of(node) : kAnything;
      if (std::isnan(range.low) || std::isnan(range.high)) range = kAnything;  // inf - inf
      for (const ValueId id : node.outputs) {
        if (id != kNoValue) ranges_[id] = range;
      }
    }
    for (const ValueId id : graph.outputs) ranges_[id] = of(id);
  }
  std::vector<Range> take() { return std::move(ranges_); }

 private:
  Range of(ValueId id) const {
    if (id == kNoValue) return kAnything;
    const auto& constant = graph_.value(id).constant;
    return constant ? range_of_constant(*constant) : ranges_[id];
  }
  Range in(const Node& node, size_t input) const {
    return input < node.inputs.size() ? of(node.inputs[input]) : kAnything;
  }

  template <typename Join>
  Range joined(const Node& node, Join join) const {
    Range range = in(node, 0);
    for (size_t i = 1; i < node.inputs.size(); ++i) range = join(range, in(node, i));
    return range;
  }

  Range range_of(const Node& node) const {
    const std::string_view type = node.op_type;
    if (is_one_of(type, {"Softmax", "Sigmoid", "HardSigmoid"})) return kUnit;
    if (is_one_of(type, {"Tanh", "Softsign", "Erf", "Sin", "Cos"})) return kAtMostOne;
    if (is_one_of(type, {"Softplus", "ReduceL1", "ReduceL2", "ReduceSumSquare"})) {
      return kNotNegative;
    }
    if (picks_or_averages(node)) return in(node, 0);
    if (is_one_of(type, {"Add", "Sum", "Mul", "Max", "Min", "Concat"})) return of_many(node);
    return of_one(node);
  }

  // Every element of the output is one of the first input's, or lies between some of them.
  static bool picks_or_averages(const Node& node) {
    return node.op->moves != Moves::computes ||
           is_one_of(node.op_type, {"Cast", "Dropout", "GlobalAveragePool", "GlobalMaxPool",
                                    "MaxPool", "ReduceMax", "ReduceMean", "ReduceMin"});
  }

  Range of_many(const Node& node) const {
    const std::string_view type = node.op_type;
    return joined(node, [&](Range a, Range b) -> Range {
      if (type == "Mul") return times(a, b);
      if (type == "Max") return {std::max(a.low, b.low), std::max(a.high, b.high)};
      if (type == "Min") return {std::min(a.low, b.low), std::min(a.high, b.high)};
      if (type == "Concat") return hull(a, b);
      return {a.low + b.low, a.high + b.high};
    });
  }

  Range of_one(const Node& node) const {
    const std::string_view type = node.op_type;
    const Range x = in(node, 0), y = in(node, 1);
    if (type == "Sqrt") return {std::sqrt(std::max(x.low, 0.0)), std::sqrt(std::max(x.high, 0.0))};
    if (type == "Abs") return absolute(x);
    if (type == "Reciprocal") return inverse(x);
    if (type == "Sub") return {x.low - y.high, x.high - y.low};
    if (type == "Div") return times(x, inverse(y));
    if (type == "Pow" && x.low >= 0) return kNotNegative;
    if (type == "ReduceSum") return {x.low < 0 ? -kInfinity : 0, x.high > 0 ? kInfinity : 0};
    if (type == "Where") return hull(y, in(node, 2));
    if (type == "Clip") return within(x, bounds_of(node));
    return node.op->monotone ? of_ends(node, x) : kAnything;
  }

  // What only rises, or only falls, does so between what it gives at the ends.
  Range of_ends(const Node& node, Range x) const {
    const float ends[] = {static_cast<float>(x.low), static_cast<float>(x.high)};
    const Tensor input = Tensor::of<float>({2}, ends);
    const std::vector<const Tensor*> inputs{&input};
    const std::vector<Tensor> outputs = node.op->evaluate(graph_, node, inputs);
    const std::span<const float> y = outputs[0].as<float>();
    if (std::isnan(y[0]) || std::isnan(y[1])) return kAnything;
    return {std::min(y[0], y[1]), std::max(y[0], y[1])};
  }

  // Attributes until opset 11, inputs since.
  Range bounds_of(const Node& node) const {
    constexpr float kFar = std::numeric_limits<float>::infinity();
    if (graph_.opset < 11) {
      return {node.attributes.real("min", -kFar), node.attributes.real("max", kFar)};
    }
    return {in(node, 1).low, in(node, 2).high};
  }

  const Graph& graph_;
  std::vector<Range> ranges_;
};

}  // namespace

std::vector<Range> value_ranges(const Graph& graph) { return Ranges(graph).take(); }

}  // namespace coppice
