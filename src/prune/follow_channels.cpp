// See follow_channels.h. One function for each kind of node; whatever doesn't fit gives nothing.
#include "prune/follow_channels.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "prune/contraction.h"

namespace coppice {
namespace {

using Model = std::optional<ChannelModel>;
using Models = std::vector<std::shared_ptr<const ChannelModel>>;

struct Context {
  const Graph& graph;
  const Inferred& inferred;
  const Node& node;
  const Models& models;
  bool feeds_batch_norm = false;

  bool has(size_t input) const {
    return input < node.inputs.size() && node.inputs[input] != kNoValue;
  }
  const ChannelModel* model(size_t input) const {
    return has(input) ? models[node.inputs[input]].get() : nullptr;
  }
  const Tensor* constant(size_t input) const {
    return has(input) ? known_value(graph, inferred, node.inputs[input]) : nullptr;
  }
  const Shape& in(size_t input = 0) const { return inferred.shape(node.inputs[input]); }
  const Shape& out() const { return inferred.shape(node.outputs[0]); }
};

// Values that hang on another z, though they correlate with each other as before.
ChannelModel with_other_z(ChannelModel model) {
  model.correlation = std::make_shared<Matrix>(*model.correlation);
  return model;
}

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

Model after_contraction(const Context& context) {
  const ChannelModel* input = context.model(0);
  const auto layer = contraction_of(context.graph, context.node, context.inferred,
                                    input ? input->folded : Shape{});
  const auto bias = layer ? bias_of(context.graph, context.node, layer->filters) : std::nullopt;
  if (!bias) return std::nullopt;
  const int64_t channels = layer->inputs * layer->group;
  if (layer->filters > kWidest || channels > kWidest) return std::nullopt;
  const bool known = input && input->scaled;
  if (known ? input->channels() != channels : !context.feeds_batch_norm) return std::nullopt;
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

// Statistics as float32 constants, one a channel.
bool has_statistics(const Context& context, int64_t channels) {
  for (size_t i = 1; i <= 4; ++i) {
    const Tensor* statistic = context.constant(i);
    if (!statistic || statistic->dtype() != DType::f32 || statistic->size() != channels)
      return false;
  }
  return context.node.attributes.integer("training_mode", 0) == 0;
}

// The running statistics say what came in, so scale and shift say what goes out. A channel that was
// constant before is constant behind.
Model after_batch_norm(const Context& context) {
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

bool is_elementwise(const Node& node) {
  constexpr std::string_view kNames[] = {"Abs",
                                         "Add",
                                         "Celu",
                                         "Clip",
                                         "Div",
                                         "Elu",
                                         "Erf",
                                         "Exp",
                                         "Gelu",
                                         "Max",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "LeakyRelu",
                                         "Min",
                                         "Mish",
                                         "Mul",
                                         "Neg",
                                         "PRelu",
                                         "Pow",
                                         "Relu",
                                         "Selu",
                                         "Sigmoid",
                                         "Softplus",
                                         "Softsign",
                                         "Sqrt",
                                         "Sub",
                                         "Sum",
                                         "Tanh",
                                         "ThresholdedRelu"};
  return node.op && node.op->evaluate &&
         std::ranges::find(kNames, node.op_type) != std::end(kNames);
}

// A constant operand as a column that broadcasts against samples [C, points]; empty unless it is a
// single number or one a channel.
std::optional<Tensor> column_of(const Tensor& constant, const ChannelModel& model, size_t rank) {
  if (constant.dtype() != DType::f32) return std::nullopt;
  if (constant.size() == 1) return constant.reshaped({1, 1});
  const auto lacking = static_cast<int64_t>(rank) - constant.rank();
  const int64_t axis = model.axis - lacking;
  if (lacking < 0 || axis < 0 || constant.size() != model.channels() ||
      constant.shape()[axis] != model.channels()) {
    return std::nullopt;
  }
  return constant.reshaped({model.channels(), 1});
}

Tensor samples_tensor(const ChannelModel& model) {
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> samples =
      model.samples.cast<float>();
  return Tensor::of<float>({samples.rows(), samples.cols()},
                           std::span<const float>(samples.data(), samples.size()));
}

// The operator's own function, on the grid.
Model pointwise(const Context& context, const ChannelModel& first) {
  std::vector<Tensor> operands;
  std::vector<const Tensor*> inputs;
  const size_t rank = context.out().size();
  operands.reserve(context.node.inputs.size());
  for (size_t i = 0; i < context.node.inputs.size(); ++i) {
    const bool setting = std::ranges::count(context.node.op->parameter_inputs, i) > 0;
    if (!context.has(i)) {
      inputs.push_back(nullptr);
      continue;
    }
    if (const ChannelModel* model = context.model(i)) {
      if (model->correlation != first.correlation || model->axis != first.axis) return std::nullopt;
      operands.push_back(samples_tensor(*model));
    } else {
      const Tensor* constant = context.constant(i);
      if (!constant) return std::nullopt;
      auto column = setting ? std::optional(*constant) : column_of(*constant, first, rank);
      if (!column) return std::nullopt;
      operands.push_back(std::move(*column));
    }
    inputs.push_back(&operands.back());
  }
  const std::vector<Tensor> results =
      context.node.op->evaluate(context.graph, context.node, inputs);
  if (results.empty() || results[0].size() != first.samples.size()) return std::nullopt;
  ChannelModel model = first;
  model.normal = false;
  const auto values = results[0].as<float>();
  for (int64_t i = 0; i < model.samples.size(); ++i) model.samples.data()[i] = values[i];
  if (!model.samples.allFinite()) return std::nullopt;
  return model;
}

// Terms that hang on different z are taken as independent.
Model sum(const Context& context, const ChannelModel& first, double sign) {
  Moments total = moments_of(first);
  for (size_t i = 1; i < context.node.inputs.size(); ++i) {
    const ChannelModel* model = context.model(i);
    if (!model || !model->scaled || model->axis != first.axis || model->folded != first.folded ||
        model->channels() != first.channels()) {
      return std::nullopt;
    }
    const Moments more = moments_of(*model);
    total.mean += sign * more.mean;
    total.covariance += more.covariance;
  }
  ChannelModel result = normal_channels(total, first.axis);
  result.folded = first.folded;
  return result;
}

Model after_elementwise(const Context& context) {
  const ChannelModel* first = nullptr;
  for (size_t i = 0; i < context.node.inputs.size(); ++i) {
    if (!first) first = context.model(i);
    // Broadcasting would give the output other channels.
    if (context.model(i) && context.in(i).size() != context.out().size()) return std::nullopt;
  }
  if (!first || !first->scaled) return std::nullopt;
  if (context.out()[first->axis] != first->channels() * first->positions()) return std::nullopt;
  if (Model model = pointwise(context, *first)) return model;
  const std::string& type = context.node.op_type;
  const bool adds = type == "Add" || type == "Sum", subtracts = type == "Sub";
  if ((!adds && !subtracts) || context.model(0) != first) return std::nullopt;
  return sum(context, *first, subtracts ? -1 : 1);
}

Model after_concat(const Context& context) {
  std::vector<const ChannelModel*> parts;
  int64_t channels = 0;
  for (size_t i = 0; i < context.node.inputs.size(); ++i) {
    const ChannelModel* part = context.model(i);
    const auto rank = static_cast<int64_t>(context.out().size());
    if (!part || !part->scaled || !part->folded.empty()) return std::nullopt;
    if (resolve_axis(context.graph, context.node, context.node.attributes.integer("axis", 1),
                     rank) != part->axis) {
      return std::nullopt;
    }
    parts.push_back(part);
    channels += part->channels();
  }
  if (parts.empty() || channels > kWidest) return std::nullopt;
  Matrix correlation = Matrix::Identity(channels, channels);
  ChannelModel model{.axis = parts[0]->axis, .correlation = {}, .samples = {}};
  model.samples.resize(channels, parts[0]->samples.cols());
  int64_t row = 0;
  for (const ChannelModel* part : parts) {
    const int64_t count = part->channels();
    correlation.block(row, row, count, count) = *part->correlation;
    model.samples.middleRows(row, count) = part->samples;
    row += count;
  }
  model.correlation = std::make_shared<Matrix>(std::move(correlation));
  return model;
}

// The channel axis passes through as it is, or what follows it is folded in: Flatten, Reshape,
// Squeeze, Unsqueeze.
Model after_reshape(const Context& context) {
  const ChannelModel* input = context.model(0);
  if (!input || input->axis != 1 || context.in().size() < 2 || context.out().size() < 2) return {};
  const Shape &in = context.in(), &out = context.out();
  if (in[0] != out[0]) return std::nullopt;
  if (in[1] == out[1]) return *input;
  ChannelModel model = *input;
  Shape folded(in.begin() + 2, in.end());
  if (!input->folded.empty() || out.size() != 2 || out[1] != in[1] * element_count(folded))
    return {};
  model.folded = std::move(folded);
  return model;
}

Model unchanged(const Context& context) {
  return context.model(0) ? Model(*context.model(0)) : std::nullopt;
}

// Means of channels stay, and their correlations; that averages vary less is left out, since
// nothing says how much.
Model after_average(const Context& context) {
  return context.model(0) && context.model(0)->axis == 1 ? Model(with_other_z(*context.model(0)))
                                                         : std::nullopt;
}

Model after_reduce_mean(const Context& context) {
  if (!context.model(0) || context.model(0)->axis != 1 || !context.model(0)->folded.empty())
    return {};
  const Shape &in = context.in(), &out = context.out();
  if (out.size() < 2 || out[0] != in[0] || out[1] != in[1]) return std::nullopt;
  return after_average(context);
}

Model after_max_pool(const Context& context) {
  const ChannelModel* input = context.model(0);
  const auto kernel = context.node.attributes.integers("kernel_shape");
  if (!input || !input->scaled || input->axis != 1 || !kernel) return std::nullopt;
  // How much neighbours under one window have in common, as in contraction.cpp.
  constexpr double kAlike = 0.65;
  return largest_of(*input, element_count(*kernel), kAlike);
}

// Resize, Slice: fewer or more positions, the same channels.
Model after_same_channels(const Context& context) {
  const ChannelModel* input = context.model(0);
  if (!input || !input->folded.empty()) return std::nullopt;
  if (context.in().size() != context.out().size()) return std::nullopt;
  if (context.in()[input->axis] != context.out()[input->axis]) return std::nullopt;
  return with_other_z(*input);
}

Model after_slice(const Context& context) {
  const Tensor* axes = context.constant(3);
  if (!axes) return std::nullopt;
  const auto rank = static_cast<int64_t>(context.out().size());
  for (const int64_t axis : to_int64s(*axes)) {  // a step of -1 on channels turns them around
    const int64_t resolved = resolve_axis(context.graph, context.node, axis, rank);
    if (context.model(0) && resolved == context.model(0)->axis) return std::nullopt;
  }
  return after_same_channels(context);
}

// Zeros around are channels that are always zero; those around the picture are left out.
Model after_pad(const Context& context) {
  const ChannelModel* input = context.model(0);
  const Tensor* pads = context.constant(1);
  if (!input || !input->scaled || !input->folded.empty() || !pads || context.has(3)) return {};
  if (context.node.attributes.text("mode", "constant") != "constant") return std::nullopt;
  if (context.has(2) && (!context.constant(2) || context.constant(2)->dtype() != DType::f32 ||
                         context.constant(2)->as<float>()[0] != 0)) {
    return std::nullopt;
  }
  const std::vector<int64_t> sizes = to_int64s(*pads);
  const size_t rank = context.in().size();
  if (sizes.size() != 2 * rank) return std::nullopt;
  const int64_t before = sizes[input->axis], after = sizes[rank + input->axis];
  if (before < 0 || after < 0) return std::nullopt;
  const int64_t count = input->channels(), channels = before + count + after;
  if (channels > kWidest) return std::nullopt;
  Matrix correlation = Matrix::Identity(channels, channels);
  correlation.block(before, before, count, count) = *input->correlation;
  ChannelModel model{.axis = input->axis, .correlation = {}, .samples = {}};
  model.samples = Matrix::Zero(channels, input->samples.cols());
  model.samples.middleRows(before, count) = input->samples;
  model.correlation = std::make_shared<Matrix>(std::move(correlation));
  return model;
}

// Shuffles of channels are index maps.
Model after_gather(const Context& context) {
  const ChannelModel* input = context.model(0);
  const Tensor* indices = context.constant(1);
  if (!input || !indices || !input->folded.empty() || indices->rank() != 1) return std::nullopt;
  const auto rank = static_cast<int64_t>(context.in().size());
  const int64_t axis =
      resolve_axis(context.graph, context.node, context.node.attributes.integer("axis", 0), rank);
  if (axis != input->axis) return std::nullopt;
  std::vector<int64_t> picks = to_int64s(*indices);
  for (int64_t& pick : picks) pick += pick < 0 ? input->channels() : 0;
  ChannelModel model = *input;
  model.samples = input->samples(picks, Eigen::all);
  model.correlation = std::make_shared<Matrix>((*input->correlation)(picks, picks));
  return model;
}

using Rule = Model (*)(const Context&);

Rule rule_of(const Node& node) {
  static const std::unordered_map<std::string_view, Rule> rules = {
      {"Conv", after_contraction},
      {"Gemm", after_contraction},
      {"MatMul", after_contraction},
      {"BatchNormalization", after_batch_norm},
      {"Concat", after_concat},
      {"Flatten", after_reshape},
      {"Reshape", after_reshape},
      {"Squeeze", after_reshape},
      {"Unsqueeze", after_reshape},
      {"Identity", unchanged},
      {"Dropout", unchanged},
      {"AveragePool", after_average},
      {"GlobalAveragePool", after_average},
      {"ReduceMean", after_reduce_mean},
      {"MaxPool", after_max_pool},
      {"Resize", after_same_channels},
      {"Upsample", after_same_channels},
      {"Slice", after_slice},
      {"Pad", after_pad},
      {"Gather", after_gather},
  };
  if (!node.op || (!node.domain.empty() && node.domain != "ai.onnx")) return nullptr;
  if (is_elementwise(node)) return after_elementwise;
  const auto rule = rules.find(node.op_type);
  return rule == rules.end() ? nullptr : rule->second;
}

bool shapes_known(const Node& node, const Inferred& inferred) {
  const auto known = [&](ValueId id) { return id == kNoValue || inferred.has(id); };
  return !node.outputs.empty() && node.outputs[0] != kNoValue && !node.inputs.empty() &&
         node.inputs[0] != kNoValue && std::ranges::all_of(node.inputs, known) &&
         inferred.has(node.outputs[0]);
}

}  // namespace

void follow_channels(const Graph& graph, const Inferred& inferred, const VisitChannels& visit) {
  Models models(graph.values.size());
  const auto readers = consumers(graph);
  std::vector<size_t> left(graph.values.size());
  for (size_t i = 0; i < left.size(); ++i) left[i] = readers[i].size();
  for (const Node& node : graph.nodes) {
    const Rule rule = rule_of(node);
    std::shared_ptr<const ChannelModel> output;
    if (rule && shapes_known(node, inferred)) {
      const bool normalised = std::ranges::any_of(readers[node.outputs[0]], [&](int32_t reader) {
        return graph.nodes[reader].op_type == "BatchNormalization";
      });
      if (Model model = rule({graph, inferred, node, models, normalised})) {
        output = std::make_shared<ChannelModel>(std::move(*model));
      }
    }
    const ValueId data = node.inputs.empty() ? kNoValue : node.inputs[0];
    visit(node, data == kNoValue ? nullptr : models[data].get());
    if (output) models[node.outputs[0]] = output;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && --left[id] == 0) models[id] = nullptr;
    }
  }
}

}  // namespace coppice
