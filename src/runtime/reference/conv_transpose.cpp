// ConvTranspose: every input pixel is spread over the output by the kernel; padding crops.

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// The spatial axes, padded in front to three.
Spatial three(const Shape& sizes, int64_t missing) {
  Spatial result{missing, missing, missing};
  std::ranges::copy(sizes, result.begin() + static_cast<int64_t>(3 - sizes.size()));
  return result;
}

}  // namespace

std::vector<Tensor> conv_transpose(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0), weight = floats(graph, node, inputs, 1);
  const Shape &shape = inputs[0]->shape(), &kernel_shape = inputs[1]->shape();
  if (shape.size() > 5) fail_input(where(graph, node) + ": more than 3 spatial axes can't be run");
  const TransposedWindow window =
      transposed_window_of(graph, node, {shape.begin() + 2, shape.end()},
                           {kernel_shape.begin() + 2, kernel_shape.end()});
  const Spatial in = three({shape.begin() + 2, shape.end()}, 1), out = three(window.output, 1),
                kernel = three(window.window.kernel, 1), strides = three(window.window.strides, 1),
                dilations = three(window.window.dilations, 1),
                begin = three(window.window.begin, 0);
  const int64_t group = node.attributes.integer("group", 1);
  const int64_t filters = kernel_shape[1], per_group = shape[1] / group;
  const int64_t channels = filters * group;
  std::vector<double> sums(shape[0] * channels * count(out), 0);
  if (pick(inputs, 2)) {
    const auto bias = floats(graph, node, inputs, 2);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = bias[i / count(out) % channels];
  }
  // Calls visit(input pixel, output pixel, kernel cell) for all that meet.
  const auto each_meeting = [&](auto visit) {
    for (int64_t p = 0; p < count(in); ++p) {
      const Spatial pixel{p / (in[1] * in[2]), p / in[2] % in[1], p % in[2]};
      for (int64_t k = 0; k < count(kernel); ++k) {
        const Spatial cell{k / (kernel[1] * kernel[2]), k / kernel[2] % kernel[1], k % kernel[2]};
        int64_t target = 0;
        bool inside = true;
        for (int axis = 0; axis < 3; ++axis) {
          const int64_t place =
              pixel[axis] * strides[axis] + cell[axis] * dilations[axis] - begin[axis];
          inside = inside && place >= 0 && place < out[axis];
          target = target * out[axis] + place;
        }
        if (inside) visit(p, target, k);
      }
    }
  };
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t i = 0; i < shape[1]; ++i) {
      const float* plane = x.data() + (n * shape[1] + i) * count(in);
      for (int64_t f = 0; f < filters; ++f) {
        const float* cells = weight.data() + (i * filters + f) * count(kernel);
        double* target = sums.data() + (n * channels + i / per_group * filters + f) * count(out);
        each_meeting([&](int64_t from, int64_t to, int64_t cell) {
          target[to] += static_cast<double>(plane[from]) * cells[cell];
        });
      }
    }
  }
  Shape result_shape{shape[0], channels};
  result_shape.insert(result_shape.end(), window.output.begin(), window.output.end());
  Tensor result = Tensor::zeros(DType::f32, result_shape);
  std::ranges::transform(sums, result.mutate<float>().begin(),
                         [](double sum) { return static_cast<float>(sum); });
  return {std::move(result)};
}

}  // namespace coppice::reference
