// ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceL1, ReduceL2 and Softmax: statistics over
// axes.
//
// A sum over channels equals its masked self if a dead index is exactly zero; a mean, a maximum or
// a softmax does not, since the count, or the competition, changes.

#include <algorithm>
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
  int64_t out = 0;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) {
      relations.output(0, out++, relations.input(0, axis), relations.zero_when_dead(0, axis));
      continue;
    }
    if (keep) ++out;
    if (statistic == Statistic::sum && relations.zero_when_dead(0, axis)) continue;
    relations.pin(relations.input(0, axis), PinKind::statistics,
                  relations.node().op_type + " over it");
  }
}

void relate_softmax(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const bool old = relations.graph().opset < 13;
  const int64_t axis =
      resolve_axis(relations.graph(), relations.node(),
                   relations.node().attributes.integer("axis", old ? 1 : -1), rank);
  for (int64_t i = 0; i < rank; ++i) {
    const bool normalised = old ? i >= axis : i == axis;
    if (normalised) {
      relations.pin(relations.input(0, i), PinKind::meaning, relations.node().op_type + " over it");
    }
    relations.output(0, i, relations.input(0, i), false);
  }
}

template <Statistic statistic>
constexpr OpDef reduce(const char* type) {
  return {.type = type,
          .arity = {1, 2},
          .infer = infer_reduce,
          .relate = relate_reduce<statistic>,
          .parameter_inputs = {1}};
}

constexpr OpDef softmax(const char* type) {
  return {.type = type, .arity = {1, 1}, .infer = infer_same, .relate = relate_softmax};
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

extern const OpDef kReduceMean = reduce<Statistic::other>("ReduceMean");
extern const OpDef kReduceMax = reduce<Statistic::other>("ReduceMax");
extern const OpDef kReduceMin = reduce<Statistic::other>("ReduceMin");
extern const OpDef kReduceSum = reduce<Statistic::sum>("ReduceSum");
extern const OpDef kReduceL1 = reduce<Statistic::sum>("ReduceL1");
extern const OpDef kReduceL2 = reduce<Statistic::sum>("ReduceL2");
extern const OpDef kSoftmax = softmax("Softmax");
extern const OpDef kLogSoftmax = softmax("LogSoftmax");

}  // namespace coppice
