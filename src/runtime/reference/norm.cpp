// Normalisations by statistics of the data itself. Elements that share a mean and a variance lie in
// one run of memory for all but MeanVarianceNormalization, which says its axes.

#include <cmath>
#include <functional>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

struct Statistics {
  double mean, inverse_deviation;
};

enum class Centre { mean, zero };

Statistics statistics_of(std::span<const float> run, double epsilon, Centre centre) {
  const auto count = static_cast<double>(run.size());
  double mean = 0, squares = 0;
  if (centre == Centre::mean) {
    for (const float x : run) mean += x;
    mean /= count;
  }
  for (const float x : run) squares += (x - mean) * (x - mean);
  return {mean, 1 / std::sqrt(squares / count + epsilon)};
}

// Each run of `length` elements on its own; scale(i) and shift(i) belong to element i of the data.
using PerElement = std::function<double(int64_t)>;
Tensor normalise_runs(const Tensor& x, int64_t length, double epsilon, Centre centre,
                      const PerElement& scale, const PerElement& shift,
                      std::vector<Statistics>* found = nullptr) {
  Tensor result = Tensor::zeros(DType::f32, x.shape());
  const auto out = result.mutate<float>();
  for (int64_t begin = 0; begin < x.size(); begin += length) {
    const Statistics s = statistics_of(x.as<float>().subspan(begin, length), epsilon, centre);
    if (found) found->push_back(s);
    for (int64_t i = begin; i < begin + length; ++i) {
      const double y = (x.as<float>()[i] - s.mean) * s.inverse_deviation;
      out[i] = static_cast<float>(y * scale(i) + shift(i));
    }
  }
  return result;
}

double epsilon_of(const Node& node) { return node.attributes.real("epsilon", 1e-5f); }

// A parameter that broadcasts from the right over runs of `length`.
PerElement repeated(std::shared_ptr<Tensor> parameter, double otherwise) {
  if (!parameter) return [otherwise](int64_t) { return otherwise; };
  return [parameter](int64_t i) { return parameter->as<float>()[i % parameter->size()]; };
}

std::vector<Tensor> layer(const Graph& graph, const Node& node, Inputs inputs, Centre centre) {
  floats(graph, node, inputs, 0);
  const Tensor& x = *inputs[0];
  const int64_t first = resolve_axis(graph, node, node.attributes.integer("axis", -1), x.rank());
  const Shape inner(x.shape().begin() + first, x.shape().end());
  // One for all runs, or one that differs from run to run.
  const auto parameter = [&](size_t i) {
    if (!pick(inputs, i)) return std::shared_ptr<Tensor>();
    const bool each = inputs[i]->rank() > std::ssize(inner);
    return std::make_shared<Tensor>(expanded(*inputs[i], each ? x.shape() : inner));
  };
  std::vector<Statistics> found;
  std::vector<Tensor> outputs{normalise_runs(x, element_count(inner), epsilon_of(node), centre,
                                             repeated(parameter(1), 1), repeated(parameter(2), 0),
                                             &found)};
  Shape shape = x.shape();
  for (int64_t axis = first; axis < x.rank(); ++axis) shape[axis] = 1;
  Tensor mean = Tensor::zeros(DType::f32, shape), deviation = mean;
  for (size_t i = 0; i < found.size(); ++i) {
    mean.mutate<float>()[i] = static_cast<float>(found[i].mean);
    deviation.mutate<float>()[i] = static_cast<float>(found[i].inverse_deviation);
  }
  outputs.push_back(std::move(mean));
  outputs.push_back(std::move(deviation));
  return outputs;
}

// Runs of `per_run` channels; parameters one a channel, or one a run.
Tensor by_channels(const Graph& graph, const Node& node, Inputs inputs, int64_t per_run) {
  floats(graph, node, inputs, 0);
  const Tensor& x = *inputs[0];
  const int64_t channels = x.shape()[1];
  const int64_t pixels = element_count({x.shape().begin() + 2, x.shape().end()});
  const auto parameter = [&](size_t i) -> PerElement {
    const auto values = floats(graph, node, inputs, i);
    const int64_t each = channels / static_cast<int64_t>(values.size());
    return [=](int64_t element) { return values[element / pixels % channels / each]; };
  };
  return normalise_runs(x, per_run * pixels, epsilon_of(node), Centre::mean, parameter(1),
                        parameter(2));
}

}  // namespace

std::vector<Tensor> layer_norm(const Graph& graph, const Node& node, Inputs inputs) {
  return layer(graph, node, inputs, Centre::mean);
}

std::vector<Tensor> rms_norm(const Graph& graph, const Node& node, Inputs inputs) {
  return {layer(graph, node, inputs, Centre::zero).front()};
}

std::vector<Tensor> instance_norm(const Graph& graph, const Node& node, Inputs inputs) {
  return {by_channels(graph, node, inputs, 1)};
}

std::vector<Tensor> group_norm(const Graph& graph, const Node& node, Inputs inputs) {
  const int64_t groups = node.attributes.integer("num_groups", 1);
  return {by_channels(graph, node, inputs, inputs[0]->shape()[1] / groups)};
}

// x / (bias + alpha / size * sum of squares of the neighbouring channels) ^ beta
std::vector<Tensor> lrn(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0);
  const Shape& shape = inputs[0]->shape();
  const int64_t size = node.attributes.integer("size", 1), channels = shape[1];
  const int64_t pixels = element_count({shape.begin() + 2, shape.end()});
  const double alpha = node.attributes.real("alpha", 1e-4f),
               beta = node.attributes.real("beta", 0.75f), bias = node.attributes.real("bias", 1);
  Tensor result = Tensor::zeros(DType::f32, shape);
  const auto out = result.mutate<float>();
  for (int64_t i = 0; i < inputs[0]->size(); ++i) {
    const int64_t channel = i / pixels % channels;
    const int64_t low = std::max<int64_t>(0, channel - (size - 1) / 2);
    const int64_t high = std::min(channels - 1, channel + size / 2);
    double squares = 0;
    for (int64_t c = low; c <= high; ++c) {
      const double neighbour = x[i + (c - channel) * pixels];
      squares += neighbour * neighbour;
    }
    out[i] = static_cast<float>(x[i] /
                                std::pow(bias + alpha / static_cast<double>(size) * squares, beta));
  }
  return {std::move(result)};
}

std::vector<Tensor> lp_norm(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0);
  const Shape& shape = inputs[0]->shape();
  const int64_t rank = inputs[0]->rank();
  const int64_t axis = resolve_axis(graph, node, node.attributes.integer("axis", -1), rank);
  const bool absolute = node.attributes.integer("p", 2) == 1;
  const int64_t inner = element_count({shape.begin() + axis + 1, shape.end()});
  Tensor result = Tensor::zeros(DType::f32, shape);
  const auto out = result.mutate<float>();
  for (int64_t i = 0; i < inputs[0]->size(); ++i) {
    if (i / inner % shape[axis] != 0) continue;
    double sum = 0;
    for (int64_t k = 0; k < shape[axis]; ++k) {
      const double element = x[i + k * inner];
      sum += absolute ? std::fabs(element) : element * element;
    }
    const double norm = absolute ? sum : std::sqrt(sum);
    for (int64_t k = 0; k < shape[axis]; ++k) {
      out[i + k * inner] = norm == 0 ? 0 : static_cast<float>(x[i + k * inner] / norm);
    }
  }
  return {std::move(result)};
}

std::vector<Tensor> mean_variance_norm(const Graph& graph, const Node& node, Inputs inputs) {
  floats(graph, node, inputs, 0);
  const Tensor& x = *inputs[0];
  const auto axes = *axes_of(graph, node, nullptr, x.rank(), {0, 2, 3});
  std::vector<int64_t> order;
  int64_t length = 1;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    if (!std::ranges::binary_search(axes, axis)) order.push_back(axis);
  }
  for (const int64_t axis : axes) {
    order.push_back(axis);
    length *= x.shape()[axis];
  }
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<int64_t>(i);
  constexpr double kEpsilon = 1e-9;  // the operator's own
  const Tensor runs = normalise_runs(transposed(x, order), length, kEpsilon, Centre::mean,
                                     repeated(nullptr, 1), repeated(nullptr, 0));
  return {transposed(runs, back)};
}

}  // namespace coppice::reference
