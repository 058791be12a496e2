#include "graph/views/batch_norm.h"

#include <algorithm>

#include "graph/is_onnx.h"

namespace coppice {

bool is_batch_norm(const Node& node) { return is_onnx(node, "BatchNormalization"); }

BatchNormMode mode_of(const Node& batch_norm) {
  const Attributes& attributes = batch_norm.attributes;
  if (attributes.integer("training_mode", 0) != 0 || attributes.integer("is_test", 1) != 1) {
    return BatchNormMode::training;
  }
  const bool by_channel = attributes.integer("spatial", 1) == 1;
  return by_channel ? BatchNormMode::inference : BatchNormMode::by_pixel;
}

bool is_batch_norm_at_inference(const Node& node) {
  return is_batch_norm(node) && mode_of(node) == BatchNormMode::inference;
}

std::optional<BatchNorm> batch_norm_of(const Graph& graph, const Node& node) {
  if (!is_batch_norm_at_inference(node) || node.inputs.size() != 5) return std::nullopt;
  const auto vector = [&](size_t input) -> const Tensor* {
    const ValueId id = node.inputs[input];
    if (id == kNoValue || !graph.value(id).constant) return nullptr;
    const Tensor& tensor = *graph.value(id).constant;
    return tensor.dtype() == DType::f32 && tensor.rank() == 1 ? &tensor : nullptr;
  };
  const Tensor* scale = vector(1);
  for (size_t i = 1; i <= 4; ++i) {
    if (!vector(i) || vector(i)->size() != scale->size()) return std::nullopt;
  }
  return BatchNorm{.scale = node.inputs[1],
                   .shift = node.inputs[2],
                   .mean = node.inputs[3],
                   .variance = node.inputs[4],
                   .epsilon = node.attributes.real("epsilon", 1e-5f),
                   .channels = scale->size()};
}

}  // namespace coppice
