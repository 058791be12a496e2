// What the operators say of themselves: OpDef::linear.
#include "graph/views/linear_layer.h"

#include "graph/op.h"

namespace coppice {

std::optional<LinearLayer> linear_layer_of(const Node& node, int weight) {
  if (!node.op || !node.op->linear || reads_as(node, weight) != Reads::weight) return std::nullopt;
  return node.op->linear(node, weight);
}

}  // namespace coppice
