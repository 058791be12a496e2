// Layers with weights, and BatchNormalization, which says what comes out of them.
#include <algorithm>
#include <cmath>

#include "evidence/modelled/contraction.h"
#include "evidence/modelled/rules.h"
#include "graph/views/batch_norm.h"

namespace coppice {
namespace {

Matrix block(const Matrix& from, int64_t row, int64_t column, int64_t size) {
  return from.block(row, column, size, size);
}

// Groups of a grouped convolution are taken as independent, but for a depthwise one's.
Matrix grouped_covariance(const Contraction& layer, const Matrix& weight, const Matrix& covariance,
                          const Matrix& taps) {
  const int64_t per_group = layer.filters / layer.group;
  if (layer.inputs == 1) {
    Matrix result = weight * taps * weight.transpose();
    for (int64_t i = 0; i < layer.filters; ++i) {
      for (int64_t j = 0; j < layer.filters; ++j) {
        result(i, j) *= covariance(i / per_group, j / per_group);
      }
    }
    return result;
  }
  Matrix result = Matrix::Zero(layer.filters, layer.filters);
  for (int64_t g = 0; g < layer.group; ++g) {
    const int64_t row = g * per_group, input = g * layer.inputs;
    result.block(row, row, per_group, per_group) = output_covariance(
        weight.middleRows(row, per_group), block(covariance, input, input, layer.inputs), taps);
  }
  return result;
}

Vector grouped_mean(const Contraction& layer, const Matrix& weight, const Vector& mean) {
  const int64_t per_group = layer.filters / layer.group;
  Vector result(layer.filters);
  for (int64_t g = 0; g < layer.group; ++g) {
    result.segment(g * per_group, per_group) =
        output_mean(layer, weight.middleRows(g * per_group, per_group),
                    mean.segment(g * layer.inputs, layer.inputs));
  }
  return result;
}

// Statistics as float32 constants, one a channel.
bool has_statistics(const RuleContext& context, int64_t channels) {
  for (size_t i = 1; i <= 4; ++i) {
    const Tensor* statistic = context.constant(i);
    if (!statistic || statistic->dtype() != DType::f32 || statistic->size() != channels)
      return false;
  }
  return is_batch_norm_at_inference(context.node);
}

}  // namespace

MaybeModel after_contraction(const RuleContext& context) {
  const ChannelModel* input = context.model(0);
  const auto layer = contraction_of(context.graph, context.node, context.inferred,
                                    input ? input->folded : Shape{});
  const auto bias = layer ? bias_of(context.graph, context.node, layer->filters) : std::nullopt;
  if (!bias) return std::nullopt;
  const int64_t channels = layer->inputs * layer->group;
  if (layer->filters > kWidest || channels > kWidest) return std::nullopt;
  const bool known = input && input->scaled;
  if (known ? input->channels() != channels || input->axis != layer->in_axis
            : !context.feeds_batch_norm)
    return std::nullopt;
  // A white input where nothing is known: filters are compared as they are.
  const Moments moments =
      known ? moments_of(*input)
            : Moments{Vector::Zero(channels), Matrix::Identity(channels, channels)};
  const Matrix weight = weight_of(context.graph, *layer) * layer->scale;
  Moments result;
  result.covariance =
      grouped_covariance(*layer, weight, moments.covariance, tap_correlation(*layer));
  result.mean = grouped_mean(*layer, weight, moments.mean) + *bias;
  ChannelModel model = normal_channels(result, layer->out_axis);
  model.scaled = known;
  return model;
}

// The running statistics say what came in, so scale and shift say what goes out. A channel that was
// constant before is constant behind.
MaybeModel after_batch_norm(const RuleContext& context) {
  if (!context.inferred.has(context.node.outputs[0]) || context.out().size() < 2)
    return std::nullopt;
  const int64_t channels = context.out()[1];
  if (channels > kWidest || !has_statistics(context, channels)) return std::nullopt;
  const auto scale = context.constant(1)->as<float>(), shift = context.constant(2)->as<float>(),
             mean = context.constant(3)->as<float>(), variance = context.constant(4)->as<float>();
  const double epsilon = context.node.attributes.real("epsilon", 1e-5f);
  const ChannelModel* input = context.model(0);
  if (input && (input->axis != 1 || input->channels() != channels)) input = nullptr;
  const Vector before = input ? deviations_of(*input) : Vector::Ones(channels);
  Moments moments = input ? moments_of(*input)
                          : Moments{Vector::Zero(channels), Matrix::Identity(channels, channels)};
  Vector factor(channels);
  for (int64_t c = 0; c < channels; ++c) {
    const double running = std::max(0.0, static_cast<double>(variance[c]));
    const double gain = scale[c] / std::sqrt(running + epsilon);
    const bool constant = before[c] == 0;
    factor[c] = constant ? 0 : gain * std::sqrt(running) / before[c];
    moments.mean[c] = shift[c] + (constant ? gain * (moments.mean[c] - mean[c]) : 0);
  }
  moments.covariance = (factor.asDiagonal() * moments.covariance * factor.asDiagonal()).eval();
  ChannelModel model = normal_channels(moments, 1);
  if (input) model.folded = input->folded;
  return model;
}

}  // namespace coppice
