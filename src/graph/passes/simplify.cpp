#include "graph/passes/simplify.h"

#include <vector>

#include "core/attempt.h"
#include "graph/infer.h"
#include "graph/op.h"
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

size_t width_in_file(const Value& value) {
  return size_of(value.stored == DType::undefined ? value.dtype : value.stored);
}

// A weight that a file keeps in fewer bytes than it is computed in: as codes, which runtimes look
// for, or as halves behind a cast.
bool unpacks(const Graph& graph, const Node& node) {
  if (reads_as(node, 0) == Reads::code) return true;
  return node.op && node.op->reach == Reach::element && node.inputs.size() == 1 &&
         width_in_file(graph.value(node.outputs[0])) > width_in_file(graph.value(node.inputs[0]));
}

// Masks and tables that are quickly made, and large.
bool unfolds(std::span<const Tensor* const> inputs, const std::vector<Tensor>& outputs) {
  constexpr size_t kMostGrowth = size_t{64} << 10;
  size_t read = kMostGrowth, given = 0;
  for (const Tensor* input : inputs) read += input ? input->bytes().size() : 0;
  for (const Tensor& output : outputs) given += output.bytes().size();
  return given > read;
}

}  // namespace

void simplify(Graph& graph, const EvaluateNode& evaluate_node) {
  const EvaluateNode evaluate = [&](const Graph& of, const Node& node,
                                    std::span<const Tensor* const> inputs) {
    std::optional<std::vector<Tensor>> outputs;
    if (!unpacks(of, node)) outputs = evaluate_node(of, node, inputs);
    if (outputs && unfolds(inputs, *outputs)) outputs.reset();
    return outputs;
  };
  Inferred nothing;  // no sizes: only what constants give is known
  nothing.types.resize(graph.values.size());
  nothing.known.resize(graph.values.size());
  fold_constants(graph, nothing, evaluate);
  remove_no_ops(graph, at_two_sizes(graph));
}

}  // namespace coppice
