// Convolutions and products of integers, exactly: sums run in double, which holds them all.
//
//   QLinearConv, QLinearMatMul     y = saturate(round(sum * (x_step * w_step / y_step)) + y_zero)
//   ConvInteger, MatMulInteger     y = sum                    of (x - x_zero) (w - w_zero)

#include <cmath>
#include <limits>

#include "graph/ops/matmul.h"
#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// Codes less their zero point: one for all, or one for each index of an axis.
std::vector<float> centred(const Graph& graph, const Node& node, const Tensor& codes,
                           const Tensor* zero, int64_t axis) {
  const std::vector<int64_t> numbers = to_int64s(codes);
  const std::vector<int64_t> zeros = zero ? to_int64s(*zero) : std::vector<int64_t>{0};
  int64_t inner = 1, size = 1;
  if (zeros.size() > 1) {
    size = codes.shape()[axis];
    for (int64_t i = axis + 1; i < codes.rank(); ++i) inner *= codes.shape()[i];
    if (std::ssize(zeros) != size) {
      fail_input(where(graph, node) + ": " + std::to_string(zeros.size()) +
                 " zero points, expected " + std::to_string(size));
    }
  }
  std::vector<float> result(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    result[i] = static_cast<float>(numbers[i] - zeros[static_cast<int64_t>(i) / inner % size]);
  }
  return result;
}

// What sums become codes by.
struct Scaling {
  std::span<const float> x, w;
  float y;
  int64_t zero;
  DType type;

  int64_t code(double sum, int64_t row, int64_t channel) const {
    const float by = x[x.size() == 1 ? 0 : row] * w[w.size() == 1 ? 0 : channel] / y;
    const float scaled = std::nearbyint(static_cast<float>(sum) * by);
    const double low = type == DType::u8 ? 0 : -128, high = type == DType::u8 ? 255 : 127;
    return static_cast<int64_t>(std::clamp<double>(scaled + static_cast<double>(zero), low, high));
  }
};

Scaling scaling_of(const Graph& graph, const Node& node, Inputs inputs, DType type) {
  const Tensor* zero = pick(inputs, 7);
  return {floats(graph, node, inputs, 1), floats(graph, node, inputs, 4),
          floats(graph, node, inputs, 6).front(), zero ? to_int64s(*zero).front() : 0, type};
}

void put(Tensor& tensor, int64_t at, int64_t code) {
  if (tensor.dtype() == DType::u8) {
    tensor.mutate<uint8_t>()[at] = static_cast<uint8_t>(code);
  } else {
    tensor.mutate<int8_t>()[at] = static_cast<int8_t>(code);
  }
}

DType code_type(const Graph& graph, const Node& node, const Tensor& like) {
  if (like.dtype() == DType::u8 || like.dtype() == DType::i8) return like.dtype();
  fail_input(where(graph, node) + ": codes are " + name_of(like.dtype()) +
             ", only int8 and uint8 can be run");
}

}  // namespace

std::vector<Tensor> conv_integer(const Graph& graph, const Node& node, Inputs inputs) {
  const std::vector<float> x = centred(graph, node, *inputs[0], pick(inputs, 2), 1);
  const std::vector<float> w = centred(graph, node, *inputs[1], pick(inputs, 3), 0);
  Tensor result;
  convolve(
      graph, node, {x, inputs[0]->shape(), w, inputs[1]->shape(), {}},
      [&](const Shape& shape) { result = Tensor::zeros(DType::i32, shape); },
      [&](int64_t plane, std::span<const double> sums) {
        int32_t* to = result.mutate<int32_t>().data() + plane * std::ssize(sums);
        for (const double sum : sums) *to++ = static_cast<int32_t>(sum);
      });
  return {std::move(result)};
}

std::vector<Tensor> qlinear_conv(const Graph& graph, const Node& node, Inputs inputs) {
  const std::vector<float> x = centred(graph, node, *inputs[0], pick(inputs, 2), 1);
  const std::vector<float> w = centred(graph, node, *inputs[3], pick(inputs, 5), 0);
  const std::vector<int64_t> bias =
      pick(inputs, 8) ? to_int64s(*inputs[8]) : std::vector<int64_t>{};
  const DType type = code_type(graph, node, pick(inputs, 7) ? *inputs[7] : *inputs[0]);
  const Scaling scaling = scaling_of(graph, node, inputs, type);
  const int64_t filters = inputs[3]->shape()[0];
  Tensor result;
  convolve(
      graph, node, {x, inputs[0]->shape(), w, inputs[3]->shape(), {}},
      [&](const Shape& shape) { result = Tensor::zeros(type, shape); },
      [&](int64_t plane, std::span<const double> sums) {
        const int64_t channel = plane % filters;
        int64_t at = plane * std::ssize(sums);
        for (const double sum : sums) {
          const double with = sum + (bias.empty() ? 0 : static_cast<double>(bias[channel]));
          put(result, at++, scaling.code(with, 0, channel));
        }
      });
  return {std::move(result)};
}

namespace {

Product product(const Graph& graph, const Node& node, Inputs inputs, int right, int left_zero,
                int right_zero) {
  const Tensor &a = *inputs[0], &b = *inputs[right];
  const std::vector<float> x =
      centred(graph, node, a, pick(inputs, left_zero), std::max<int64_t>(a.rank() - 2, 0));
  const std::vector<float> w =
      centred(graph, node, b, pick(inputs, right_zero), std::max<int64_t>(b.rank() - 1, 0));
  return product_of(x, a.shape(), w, b.shape());
}

}  // namespace

std::vector<Tensor> matmul_integer(const Graph& graph, const Node& node, Inputs inputs) {
  const Product found = product(graph, node, inputs, 1, 2, 3);
  Tensor result = Tensor::zeros(DType::i32, found.shape);
  std::ranges::transform(found.sums, result.mutate<int32_t>().begin(),
                         [](double sum) { return static_cast<int32_t>(sum); });
  return {std::move(result)};
}

std::vector<Tensor> qlinear_matmul(const Graph& graph, const Node& node, Inputs inputs) {
  const Product found = product(graph, node, inputs, 3, 2, 5);
  const DType type = code_type(graph, node, *inputs[7]);
  const Scaling scaling = scaling_of(graph, node, inputs, type);
  Tensor result = Tensor::zeros(type, found.shape);
  const int64_t columns = inputs[3]->rank() == 1 ? 1 : inputs[3]->shape().back();
  const int64_t rows = inputs[0]->rank() == 1 ? 1 : inputs[0]->shape()[inputs[0]->rank() - 2];
  for (size_t i = 0; i < found.sums.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    put(result, at, scaling.code(found.sums[i], at / columns % rows, at % columns));
  }
  return {std::move(result)};
}

std::vector<Tensor> dynamic_quantize(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0);
  float low = 0, high = 0;
  for (const float element : x) {
    low = std::min(low, element);
    high = std::max(high, element);
  }
  const float step = (high - low) / 255;
  const float zero = step == 0 ? 0 : std::nearbyint(std::clamp(-low / step, 0.0f, 255.0f));
  Tensor codes = Tensor::zeros(DType::u8, inputs[0]->shape());
  const auto to = codes.mutate<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i) {
    const float code = step == 0 ? 0 : std::nearbyint(x[i] / step) + zero;
    to[i] = static_cast<uint8_t>(std::clamp(code, 0.0f, 255.0f));
  }
  return {std::move(codes), Tensor::scalar(step),
          Tensor::of<uint8_t>({}, std::vector<uint8_t>{static_cast<uint8_t>(zero)})};
}

}  // namespace coppice::reference
