#include "graph/passes/simplify.h"

#include <vector>

#include "core/attempt.h"
#include "graph/infer.h"
#include "graph/passes/remove_no_ops.h"

namespace coppice {
namespace {

// The graph at two sets of sizes that differ wherever sizes are open and may differ: a Gemm behind
// a Flatten, say, leaves only the batch open.
std::vector<Inferred> at_two_sizes(const Graph& graph) {
  const InputSizes first = fitting_sizes(graph, {.inputs = {}, .batch = 2});
  std::vector<Inferred> inferences{infer(graph, first)};
  for (const int64_t other : {2 * first.other + 256, first.other}) {
    auto second = attempt(ErrorKind::input,
                          [&] { return infer(graph, {.inputs = {}, .batch = 4, .other = other}); });
    if (!second) continue;
    inferences.push_back(std::move(*second));
    break;
  }
  return inferences;
}

}  // namespace

void simplify(Graph& graph, const EvaluateNode& evaluate) {
  Inferred nothing;  // no sizes: only what constants give is known
  nothing.types.resize(graph.values.size());
  nothing.known.resize(graph.values.size());
  fold_constants(graph, nothing, evaluate);
  remove_no_ops(graph, at_two_sizes(graph));
}

}  // namespace coppice
