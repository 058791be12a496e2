// A node without a fast kernel: its inputs are seen as tensors where they lie, its results are
// copied into their buffers.

#include <cstring>

#include "core/error.h"
#include "runtime/kernels/steps.h"
#include "runtime/reference.h"

namespace coppice::runtime {
namespace {

struct Operand {
  BufferId buffer = -1;  // -1: `constant`, or left out
  DType dtype = DType::undefined;
  Shape shape;
  std::optional<Tensor> constant;
};

Operand operand_of(Lowering& lowering, ValueId id) {
  if (id == kNoValue) return {};
  if (const Tensor* constant = lowering.constant(id)) return {-1, {}, {}, *constant};
  return {lowering.plain(id).buffer, lowering.dtype(id), lowering.shape(id), {}};
}

// Bytes of a buffer as a tensor that owns nothing.
Tensor view(const Operand& operand, Pointers pointers) {
  const size_t bytes = element_count(operand.shape) * size_of(operand.dtype);
  const std::shared_ptr<const void> nobody(std::shared_ptr<void>(), pointers[operand.buffer]);
  return Tensor::view(operand.dtype, operand.shape, nobody, {pointers[operand.buffer], bytes});
}

// What the node is evaluated in: a graph of this node alone, asked for names and the opset.
std::shared_ptr<const Graph> context_of(const Graph& graph, const Node& node) {
  auto context = std::make_shared<Graph>();
  context->opset = graph.opset;
  context->nodes.push_back(node);
  Node& copy = context->nodes[0];
  for (std::vector<ValueId>* ids : {&copy.inputs, &copy.outputs}) {
    for (ValueId& id : *ids) {
      if (id != kNoValue) id = add_value(*context, graph.value(id).name, graph.value(id).dtype);
    }
  }
  return context;
}

struct Evaluation {
  std::shared_ptr<const Graph> context;
  std::vector<Operand> inputs;
  std::vector<BufferId> outputs;

  void operator()(Pointers pointers) const {
    std::vector<Tensor> tensors(inputs.size());
    std::vector<const Tensor*> given(inputs.size(), nullptr);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].buffer >= 0) tensors[i] = view(inputs[i], pointers);
      if (inputs[i].constant) tensors[i] = *inputs[i].constant;
      if (inputs[i].buffer >= 0 || inputs[i].constant) given[i] = &tensors[i];
    }
    const std::vector<Tensor> results = evaluate_node(*context, context->nodes[0], given);
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o] < 0) continue;
      const auto bytes = results[o].bytes();
      if (!bytes.empty()) std::memcpy(pointers[outputs[o]], bytes.data(), bytes.size());
    }
  }
};

}  // namespace

void lower_fallback(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  require_runnable(lowering.graph(), node);
  Evaluation evaluation{context_of(lowering.graph(), node), {}, {}};
  std::vector<BufferId> buffers;
  for (const ValueId id : node.inputs) {
    evaluation.inputs.push_back(operand_of(lowering, id));
    if (evaluation.inputs.back().buffer >= 0) buffers.push_back(evaluation.inputs.back().buffer);
  }
  for (const ValueId id : node.outputs) {
    evaluation.outputs.push_back(
        id == kNoValue ? -1 : lowering.place(id, lowering.plain_description_of(id)).buffer);
    if (id != kNoValue) buffers.push_back(evaluation.outputs.back());
  }
  lowering.add_step(std::move(buffers), std::move(evaluation), node.op_type + " (reference)");
}

}  // namespace coppice::runtime
