#include "graph/passes/simplify/simplify.h"

#include <vector>

#include "graph/infer.h"
#include "graph/op.h"
#include "graph/passes/simplify/fold_shapes.h"
#include "graph/passes/simplify/remove_no_ops.h"

namespace coppice {
namespace {

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
  fold_shapes(graph, at_two_sizes(graph));
  Inferred nothing;  // no sizes: only what constants give is known
  nothing.types.resize(graph.values.size());
  nothing.known.resize(graph.values.size());
  fold_constants(graph, nothing, evaluate);
  remove_no_ops(graph, at_two_sizes(graph));
}

}  // namespace coppice
