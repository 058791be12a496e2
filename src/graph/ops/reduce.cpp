// ReduceMean, ReduceSum and their relatives: a statistic over any set of axes.
//
// A sum over channels equals its masked self if a dead index is exactly zero; a mean, a maximum or
// a product does not, since the count, or the competition, changes.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

std::vector<int64_t> all_axes(int64_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

std::vector<int64_t> fallback_of(const Node& node, int64_t rank) {
  return node.attributes.integer("noop_with_empty_axes", 0) ? std::vector<int64_t>{}
                                                            : all_axes(rank);
}

void infer_reduce(InferContext& context) {
  const auto axes = axes_of(context, 1, fallback_of(context.node(), context.rank(0)));
  if (!axes) return context.give_up();
  const bool keep = context.node().attributes.integer("keepdims", 1) != 0;
  Shape out;
  for (int64_t axis = 0; axis < context.rank(0); ++axis) {
    const bool reduced = std::binary_search(axes->begin(), axes->end(), axis);
    if (!reduced) out.push_back(context.shape(0)[axis]);
    if (reduced && keep) out.push_back(1);
  }
  context.set(0, context.type(0).dtype, out);
}

enum class Statistic { sum, other };

template <Statistic statistic>
void relate_reduce(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const auto axes = *axes_of(relations.graph(), relations.node(), relations.known(1), rank,
                             fallback_of(relations.node(), rank));
  const bool keep = relations.node().attributes.integer("keepdims", 1) != 0;
  const bool logarithm = relations.node().op_type.starts_with("ReduceLog");
  int64_t out = 0;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) {
      const bool zero = relations.zero_when_dead(0, axis);
      if (zero && logarithm) {
        relations.pin(relations.input(0, axis), PinKind::meaning, "masking would give infinity");
      }
      relations.output(0, out++, relations.input(0, axis), zero && !logarithm);
      continue;
    }
    if (keep) ++out;
    if (statistic == Statistic::sum && relations.zero_when_dead(0, axis)) continue;
    relations.pin(relations.input(0, axis), PinKind::statistics,
                  relations.node().op_type + " over it");
  }
}

// Sums run in double, in row-major order.
struct Reduction {
  double start;
  double (*add)(double sum, double x);
  double (*finish)(double sum, double elements);
};

double keep(double sum, double) { return sum; }
double plus(double sum, double x) { return sum + x; }

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Reduction kMeanOf{0, plus, [](double sum, double elements) { return sum / elements; }};
constexpr Reduction kSumOf{0, plus, keep};
constexpr Reduction kMaxOf{-kInfinity, [](double best, double x) { return std::max(best, x); },
                           keep};
constexpr Reduction kMinOf{kInfinity, [](double best, double x) { return std::min(best, x); },
                           keep};
constexpr Reduction kProdOf{1, [](double product, double x) { return product * x; }, keep};
constexpr Reduction kL1Of{0, [](double sum, double x) { return sum + std::fabs(x); }, keep};
constexpr Reduction kSquaresOf{0, [](double sum, double x) { return sum + x * x; }, keep};
constexpr Reduction kL2Of{0, [](double sum, double x) { return sum + x * x; },
                          [](double sum, double) { return std::sqrt(sum); }};
constexpr Reduction kLogSumOf{0, plus, [](double sum, double) { return std::log(sum); }};
constexpr Reduction kLogSumExpOf{0, [](double sum, double x) { return sum + std::exp(x); },
                                 [](double sum, double) { return std::log(sum); }};

template <typename T>
Tensor reduced(const Tensor& x, const Shape& kept, const Shape& out, const Reduction& reduction) {
  const Shape& shape = x.shape();
  const Shape strides = broadcast_strides(kept, shape);
  const std::span<const T> elements = x.as<T>();
  std::vector<double> sums(element_count(kept), reduction.start);
  Shape index(shape.size(), 0);
  int64_t target = 0;
  for (const T element : elements) {
    sums[target] = reduction.add(sums[target], static_cast<double>(element));
    for (size_t axis = shape.size(); axis-- > 0;) {
      target += strides[axis];
      if (++index[axis] < shape[axis]) break;
      target -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  const double count = sums.empty() ? 0 : static_cast<double>(elements.size() / sums.size());
  Tensor result = Tensor::zeros(x.dtype(), out);
  std::ranges::transform(sums, result.mutate<T>().begin(),
                         [&](double sum) { return static_cast<T>(reduction.finish(sum, count)); });
  return result;
}

template <const Reduction& reduction>
std::vector<Tensor> evaluate_reduce(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  const Tensor& x = *inputs[0];
  const bool keep_axes = node.attributes.integer("keepdims", 1) != 0;
  const auto axes = *axes_of(graph, node, inputs.size() > 1 ? inputs[1] : nullptr, x.rank(),
                             fallback_of(node, x.rank()));
  Shape kept = x.shape(), out;  // `kept`: reduced axes as 1
  for (const int64_t axis : axes) kept[axis] = 1;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    const bool gone = std::binary_search(axes.begin(), axes.end(), axis);
    if (!gone || keep_axes) out.push_back(kept[axis]);
  }
  switch (x.dtype()) {
    case DType::f32: return {reduced<float>(x, kept, out, reduction)};
    case DType::i64: return {reduced<int64_t>(x, kept, out, reduction)};
    case DType::i32: return {reduced<int32_t>(x, kept, out, reduction)};
    default:
      fail_input(where(graph, node) + ": input is " + name_of(x.dtype()) +
                 "; only float32, int32 and int64 can be run");
  }
}

template <Statistic statistic, const Reduction& reduction>
constexpr OpDef reduce(const char* type) {
  return {.type = type,
          .arity = {1, 2},
          .reads = {Reads::data, Reads::setting},
          .infer = infer_reduce,
          .relate = relate_reduce<statistic>,
          .evaluate = evaluate_reduce<reduction>};
}

}  // namespace

std::optional<std::vector<int64_t>> axes_of(const Graph& graph, const Node& node,
                                            const Tensor* given, int64_t rank,
                                            const std::vector<int64_t>& fallback) {
  std::vector<int64_t> axes;
  if (given) {
    axes = to_int64s(*given);
  } else {
    axes = node.attributes.integers("axes").value_or(std::vector<int64_t>{});
  }
  if (axes.empty()) return fallback;
  for (int64_t& axis : axes) axis = resolve_axis(graph, node, axis, rank);
  std::sort(axes.begin(), axes.end());
  return axes;
}

std::optional<std::vector<int64_t>> axes_of(InferContext& context, int input,
                                            const std::vector<int64_t>& fallback) {
  if (context.has(input) && !context.known(input)) return std::nullopt;
  return axes_of(context.graph(), context.node(), context.known(input), context.rank(0), fallback);
}

extern const OpDef kReduceMean = reduce<Statistic::other, kMeanOf>("ReduceMean");
extern const OpDef kReduceMax = reduce<Statistic::other, kMaxOf>("ReduceMax");
extern const OpDef kReduceMin = reduce<Statistic::other, kMinOf>("ReduceMin");
extern const OpDef kReduceSum = reduce<Statistic::sum, kSumOf>("ReduceSum");
extern const OpDef kReduceProd = reduce<Statistic::other, kProdOf>("ReduceProd");
extern const OpDef kReduceSumSquare = reduce<Statistic::sum, kSquaresOf>("ReduceSumSquare");
extern const OpDef kReduceLogSum = reduce<Statistic::other, kLogSumOf>("ReduceLogSum");
extern const OpDef kReduceLogSumExp = reduce<Statistic::other, kLogSumExpOf>("ReduceLogSumExp");
extern const OpDef kReduceL1 = reduce<Statistic::sum, kL1Of>("ReduceL1");
extern const OpDef kReduceL2 = reduce<Statistic::sum, kL2Of>("ReduceL2");

}  // namespace coppice
