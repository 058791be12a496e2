// See contraction.h.
#include "evidence/modelled/contraction.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/threads.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

// Measured on the ResNets of CIFAR-10, where 0.5 and 0.8 recover equally well, 0 and 1 less.
constexpr double kNeighbour = 0.65;

const Tensor* constant_f32(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) return nullptr;
  const auto& constant = graph.value(node.inputs[input]).constant;
  return constant && constant->dtype() == DType::f32 ? &*constant : nullptr;
}

std::vector<int64_t> filled(const Node& node, const char* name, size_t count) {
  std::vector<int64_t> values = node.attributes.integers(name).value_or(std::vector<int64_t>{});
  values.resize(count, 1);
  return values;
}

struct Window {
  int64_t in, out, kernel, stride, dilation, pad;
  // The share of outputs at which element k of the kernel lies within the image.
  double coverage(int64_t k) const {
    int64_t inside = 0;
    for (int64_t o = 0; o < out; ++o) {
      const int64_t at = o * stride - pad + k * dilation;
      inside += at >= 0 && at < in;
    }
    return out > 0 ? static_cast<double>(inside) / static_cast<double>(out) : 1;
  }
};

int64_t pad_before(const Node& node, const Window& window, size_t axis) {
  const std::string automatic = node.attributes.text("auto_pad", "NOTSET");
  if (automatic == "VALID") return 0;
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const int64_t reach = (window.kernel - 1) * window.dilation + 1;
    const int64_t total =
        std::max<int64_t>(0, (window.out - 1) * window.stride + reach - window.in);
    return automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
  }
  const auto pads = node.attributes.integers("pads");
  return pads && axis < pads->size() ? (*pads)[axis] : 0;
}

// Of a tap the index on each axis of the kernel.
std::vector<int64_t> place_of(const Shape& kernel, int64_t tap) {
  std::vector<int64_t> place(kernel.size());
  for (size_t axis = kernel.size(); axis-- > 0; tap /= kernel[axis])
    place[axis] = tap % kernel[axis];
  return place;
}

void describe_conv(const Node& node, const Shape& weight, const Inferred& inferred,
                   Contraction& layer) {
  layer.kernel.assign(weight.begin() + 2, weight.end());
  const size_t rank = layer.kernel.size();
  layer.dilations = filled(node, "dilations", rank);
  const std::vector<int64_t> strides = filled(node, "strides", rank);
  const Shape &in = inferred.shape(node.inputs[0]), &out = inferred.shape(node.outputs[0]);
  layer.coverage = Vector::Ones(element_count(layer.kernel));
  for (size_t axis = 0; axis < rank; ++axis) {
    Window window{in[axis + 2],  out[axis + 2],         layer.kernel[axis],
                  strides[axis], layer.dilations[axis], 0};
    window.pad = pad_before(node, window, axis);
    for (int64_t tap = 0; tap < layer.taps(); ++tap) {
      layer.coverage[tap] *= window.coverage(place_of(layer.kernel, tap)[axis]);
    }
  }
}

// In which order the weight's elements stand in the matrix: weight index of filter, input and tap.
struct Walk {
  int64_t filter, input, tap;  // strides
  Walk(const Contraction& layer) {
    const int64_t taps = layer.taps();
    filter = layer.filter_axis == 0 ? layer.inputs * taps : 1;
    tap = layer.filter_axis == 0 ? 1 : layer.filters;
    input = taps * tap;
  }
};

}  // namespace

std::optional<Contraction> contraction_of(const Graph& graph, const Node& node,
                                          const Inferred& inferred, const Shape& folded) {
  const auto linear = linear_layer_of(node);
  if (!linear || linear->kind == LinearLayer::Kind::transposed_convolution) return std::nullopt;
  const bool conv = linear->convolves();
  const Tensor* weight = constant_f32(graph, node, 1);
  if (!weight || !inferred.has(node.inputs[0]) || !inferred.has(node.outputs[0]))
    return std::nullopt;
  if (conv ? weight->rank() < 3 : weight->rank() != 2) return std::nullopt;
  Contraction layer;
  layer.weight = node.inputs[1];
  layer.group = linear->groups;
  if (conv) {
    describe_conv(node, weight->shape(), inferred, layer);
  } else {
    layer.filter_axis = from_the_front(linear->outputs, 2);
    layer.input_axis = from_the_front(linear->inputs, 2);
    layer.kernel = folded;
    layer.dilations.assign(folded.size(), 1);
    layer.coverage = Vector::Ones(element_count(folded));
    layer.in_axis = from_the_front(linear->channels, std::ssize(inferred.shape(node.inputs[0])));
    layer.out_axis = from_the_front(linear->results, std::ssize(inferred.shape(node.outputs[0])));
    if (layer.in_axis != std::ssize(inferred.shape(node.inputs[0])) - 1) return std::nullopt;
    layer.scale = linear->scale;
  }
  layer.filters = weight->shape()[layer.filter_axis];
  layer.inputs = weight->shape()[layer.input_axis] / (conv ? 1 : layer.taps());
  if (layer.filters < 1 || layer.inputs < 1 || layer.taps() < 1 || layer.scale == 0 ||
      layer.filters * layer.inputs * layer.taps() != weight->size()) {
    return std::nullopt;
  }
  return layer;
}

Matrix weight_of(const Graph& graph, const Contraction& layer) {
  const auto element = graph.value(layer.weight).constant->as<float>();
  const Walk walk(layer);
  Matrix weight(layer.filters, layer.inputs * layer.taps());
  for (int64_t o = 0; o < layer.filters; ++o) {
    for (int64_t i = 0; i < weight.cols(); ++i) {
      weight(o, i) = element[o * walk.filter + i * walk.tap];
    }
  }
  return weight;
}

void set_weight(Tensor& tensor, const Contraction& layer, const Matrix& weight) {
  const auto element = tensor.mutate<float>();
  const Walk walk(layer);
  for (int64_t o = 0; o < layer.filters; ++o) {
    for (int64_t i = 0; i < weight.cols(); ++i) {
      element[o * walk.filter + i * walk.tap] = static_cast<float>(weight(o, i));
    }
  }
}

Vector vector_of(const Graph& graph, ValueId id) {
  const auto numbers = graph.value(id).constant->as<float>();
  Vector vector(std::ssize(numbers));
  for (int64_t i = 0; i < vector.size(); ++i) vector[i] = numbers[i];
  return vector;
}

void set_vector(Graph& graph, ValueId id, const Vector& vector) {
  const auto numbers = graph.value(id).constant->mutate<float>();
  for (int64_t i = 0; i < vector.size(); ++i) numbers[i] = static_cast<float>(vector[i]);
}

Vector factor_of(const Graph& graph, const BatchNorm& norm) {
  return vector_of(graph, norm.scale).array() /
         (vector_of(graph, norm.variance).array() + norm.epsilon).sqrt();
}

std::optional<Vector> bias_of(const Graph& graph, const Node& node, int64_t filters) {
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return Vector::Zero(filters);
  const Tensor* bias = constant_f32(graph, node, 2);
  if (!bias || bias->size() != filters || bias->shape().back() != filters) return std::nullopt;
  const double beta = linear_layer_of(node)->bias_scale;
  Vector values(filters);
  for (int64_t o = 0; o < filters; ++o) values[o] = beta * bias->as<float>()[o];
  return values;
}

Matrix tap_correlation(const Contraction& layer) {
  Matrix correlation(layer.taps(), layer.taps());
  for (int64_t a = 0; a < layer.taps(); ++a) {
    const std::vector<int64_t> first = place_of(layer.kernel, a);
    for (int64_t b = 0; b < layer.taps(); ++b) {
      const std::vector<int64_t> second = place_of(layer.kernel, b);
      int64_t distance = 0;
      for (size_t axis = 0; axis < layer.kernel.size(); ++axis) {
        distance += std::abs(first[axis] - second[axis]) * layer.dilations[axis];
      }
      correlation(a, b) = std::pow(kNeighbour, static_cast<double>(distance));
    }
  }
  return correlation;
}

namespace {

// Blocks of filters, always the same ones, so that sums don't depend on the number of threads.
void for_filters(int64_t filters, const std::function<void(int64_t first, int64_t count)>& body) {
  constexpr int64_t kBlock = 64;
  parallel_for((filters + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      body(block * kBlock, std::min(kBlock, filters - block * kBlock));
    }
  });
}

// Weight times (covariance x taps), the Kronecker product: [O, I * taps].
Matrix spread(const Matrix& weight, const Matrix& covariance, const Matrix& taps) {
  Matrix result(weight.rows(), weight.cols());
  const int64_t count = taps.rows(), inputs = covariance.rows();
  for (int64_t o = 0; o < weight.rows(); ++o) {
    const Eigen::Map<const Matrix> filter(weight.row(o).data(), inputs, count);
    Eigen::Map<Matrix>(result.row(o).data(), inputs, count) = filter * taps;
  }
  // Of each filter [I, taps] the covariance mixes the rows: columns of one tap at a time.
  Matrix tap(weight.rows(), inputs);
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t i = 0; i < inputs; ++i) tap.col(i) = result.col(i * count + t);
    const Matrix mixed = tap * covariance;
    for (int64_t i = 0; i < inputs; ++i) result.col(i * count + t) = mixed.col(i);
  }
  return result;
}

}  // namespace

Matrix output_covariance(const Matrix& weight, const Matrix& covariance, const Matrix& taps) {
  Matrix result(weight.rows(), weight.rows());
  for_filters(weight.rows(), [&](int64_t first, int64_t count) {
    result.middleRows(first, count) =
        spread(weight.middleRows(first, count), covariance, taps) * weight.transpose();
  });
  return result;
}

Vector output_variance(const Matrix& weight, const Matrix& covariance, const Matrix& taps) {
  Vector result(weight.rows());
  for_filters(weight.rows(), [&](int64_t first, int64_t count) {
    const Matrix filters = weight.middleRows(first, count);
    result.segment(first, count) =
        spread(filters, covariance, taps).cwiseProduct(filters).rowwise().sum();
  });
  return result;
}

Vector output_mean(const Contraction& layer, const Matrix& weight, const Vector& mean) {
  Vector factor(weight.cols());
  for (int64_t i = 0; i < layer.inputs; ++i) {
    factor.segment(i * layer.taps(), layer.taps()) = mean[i] * layer.coverage;
  }
  return weight * factor;
}

}  // namespace coppice
