// See product_layer.h.
#include "runtime/sparse/product/product_layer.h"

#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

bool known_floats(const Inferred& inferred, ValueId id) {
  return inferred.has(id) && inferred.types[id]->dtype == DType::f32 &&
         element_count(inferred.shape(id)) > 0;
}

// A convolution that sees all of its image at once.
bool sees_all(const Graph& graph, const Inferred& inferred, const Node& node) {
  const Shape &x = inferred.shape(node.inputs[0]), &weight = inferred.shape(node.inputs[1]);
  if (x.size() != 4 || node.attributes.integer("group", 1) != 1) return false;
  const Window window = window_of(graph, node, {x[2], x[3]}, {weight[2], weight[3]});
  for (int axis = 0; axis < 2; ++axis) {
    if (window.kernel[axis] != x[2 + axis] || window.dilations[axis] != 1 ||
        window.begin[axis] != 0 || window.end[axis] != 0) {
      return false;
    }
  }
  return true;
}

std::optional<MatrixView> matrix_of(const Graph& graph, const Inferred& inferred,
                                    const Node& node) {
  const Tensor& weight = *graph.value(node.inputs[1]).constant;
  const float* const data = weight.as<float>().data();
  const auto lowering = find_lowering(node);
  if (lowering == lower_conv) {
    if (!sees_all(graph, inferred, node)) return std::nullopt;
    const int64_t inputs = weight.size() / weight.shape()[0];
    return MatrixView{data, weight.shape()[0], inputs, inputs, 1};
  }
  if ((lowering != lower_gemm && lowering != lower_matmul) || weight.rank() != 2)
    return std::nullopt;
  const auto linear = linear_layer_of(node);
  if (!linear || from_the_front(linear->channels, 2) != 1) return std::nullopt;
  const int64_t rows = weight.shape()[0], columns = weight.shape()[1];
  if (from_the_front(linear->outputs, 2) == 0) return MatrixView{data, rows, columns, columns, 1};
  return MatrixView{data, columns, rows, 1, columns};
}

}  // namespace

std::optional<ProductLayer> product_layer_of(const Graph& graph, const Inferred& inferred,
                                             const Layer& layer) {
  const Node& node = graph.nodes[layer.nodes[0]];
  const auto lowering = find_lowering(node);
  if (lowering != lower_conv && lowering != lower_gemm && lowering != lower_matmul) {
    return std::nullopt;
  }
  if (!known_floats(inferred, node.inputs[0]) || !known_floats(inferred, node.inputs[1]) ||
      !known_floats(inferred, layer.output) || !graph.value(node.inputs[1]).constant) {
    return std::nullopt;
  }
  const auto weight = matrix_of(graph, inferred, node);
  const auto followers = followers_of(graph, inferred, layer);
  if (!weight || !followers) return std::nullopt;
  const int64_t rows = element_count(inferred.shape(node.inputs[0])) / weight->inputs;
  if (rows > kMostRows) return std::nullopt;
  return ProductLayer{node.inputs[0], layer.output, rows, *weight, *followers};
}

}  // namespace coppice::runtime
