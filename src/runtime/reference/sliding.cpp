// The helpers that reference kernels share: element access with a check, and windows on up to three
// spatial axes, so that one loop serves 1-D, 2-D and 3-D.

#include "runtime/reference/kernels.h"

namespace coppice::reference {

std::span<const float> floats(const Graph& graph, const Node& node, Inputs inputs, size_t input) {
  const Tensor* tensor = pick(inputs, input);
  COPPICE_CHECK(tensor, where(graph, node) + " lacks input " + std::to_string(input));
  if (tensor->dtype() != DType::f32) {
    fail_input(where(graph, node) + ": input " + std::to_string(input) + " is " +
               name_of(tensor->dtype()) + ", only float32 can be run; convert the model");
  }
  return tensor->as<float>();
}

Sliding sliding_of(const Graph& graph, const Node& node, const Shape& input, const Shape& kernel,
                   bool ceil) {
  const Shape spatial(input.begin() + 2, input.end());
  if (spatial.size() > 3) {
    fail_input(where(graph, node) + ": input has " + std::to_string(spatial.size()) +
               " spatial axes; at most 3 can be run");
  }
  const Window window = window_of(graph, node, spatial, kernel);
  const Shape output = window_output(window, spatial, ceil);
  Sliding sliding{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}};
  const size_t shift = 3 - spatial.size();
  for (size_t i = 0; i < spatial.size(); ++i) {
    sliding.in[shift + i] = spatial[i];
    sliding.out[shift + i] = output[i];
    sliding.kernel[shift + i] = window.kernel[i];
    sliding.strides[shift + i] = window.strides[i];
    sliding.dilations[shift + i] = window.dilations[i];
    sliding.begin[shift + i] = window.begin[i];
    sliding.end[shift + i] = window.end[i];
  }
  return sliding;
}

Shape with_spatial(Shape shape, const Spatial& sizes) {
  const size_t count = shape.size() - 2;
  for (size_t i = 0; i < count; ++i) shape[2 + i] = sizes[3 - count + i];
  return shape;
}

}  // namespace coppice::reference
