// BatchNormalization (inference): y = scale (x - mean) / sqrt(variance + epsilon) + shift for each
// channel (axis 1). And Dropout, which at inference is the identity.

#include "graph/views/batch_norm.h"

#include <cmath>

#include "runtime/reference/kernels.h"

namespace coppice::reference {

std::vector<Tensor> batch_norm(const Graph& graph, const Node& node, Inputs inputs) {
  const BatchNormMode mode = mode_of(node);
  if (mode == BatchNormMode::training) {
    fail_input(where(graph, node) + ": is in training mode; export the model for inference");
  }
  if (mode == BatchNormMode::by_pixel) {
    fail_input(where(graph, node) + ": 'spatial' is 0, only statistics by channel can be run");
  }
  const auto x = floats(graph, node, inputs, 0), scale = floats(graph, node, inputs, 1),
             shift = floats(graph, node, inputs, 2), mean = floats(graph, node, inputs, 3),
             variance = floats(graph, node, inputs, 4);
  const double epsilon = node.attributes.real("epsilon", 1e-5f);
  const Shape& shape = inputs[0]->shape();
  const int64_t channels = shape[1], pixels = element_count({shape.begin() + 2, shape.end()});

  Tensor result = Tensor::zeros(DType::f32, shape);
  const auto y = result.mutate<float>();
  for (size_t i = 0; i < y.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) / pixels % channels;
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    y[i] = static_cast<float>(factor * (static_cast<double>(x[i]) - mean[c]) + shift[c]);
  }
  return {std::move(result)};
}

std::vector<Tensor> dropout(const Graph& graph, const Node& node, Inputs inputs) {
  const Tensor *ratio = pick(inputs, 1), *training = pick(inputs, 2);
  // Some exporters leave the training mode on and drop nothing.
  if (ratio && ratio->dtype() == DType::f32 && ratio->size() == 1 && ratio->as<float>()[0] == 0) {
    return {*inputs[0]};
  }
  if (training && (training->dtype() != DType::boolean || training->as<bool>()[0])) {
    fail_input(where(graph, node) + ": is in training mode; export the model for inference");
  }
  return {*inputs[0]};
}

}  // namespace coppice::reference
