// Functions of single elements, by the operators' own code on the grid; and sums.
#include "evidence/modelled/rules.h"
#include "graph/op.h"

namespace coppice {
namespace {

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
MaybeModel pointwise(const RuleContext& context, const ChannelModel& first) {
  std::vector<Tensor> operands;
  std::vector<const Tensor*> inputs;
  const size_t rank = context.out().size();
  operands.reserve(context.node.inputs.size());
  for (size_t i = 0; i < context.node.inputs.size(); ++i) {
    const bool setting = is_setting(context.node, i);
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
MaybeModel sum(const RuleContext& context, const ChannelModel& first) {
  Moments total = moments_of(first);
  for (size_t i = 1; i < context.node.inputs.size(); ++i) {
    const ChannelModel* model = context.model(i);
    if (!model || !model->scaled || model->axis != first.axis || model->folded != first.folded ||
        model->channels() != first.channels()) {
      return std::nullopt;
    }
    const Moments more = moments_of(*model);
    const double sign = reads_as(context.node, i) == Reads::subtrahend ? -1 : 1;
    total.mean += sign * more.mean;
    total.covariance += more.covariance;
  }
  ChannelModel result = normal_channels(total, first.axis);
  result.folded = first.folded;
  return result;
}

}  // namespace

bool is_elementwise(const Node& node) {
  return node.op && node.op->evaluate && node.op->reach == Reach::element;
}

MaybeModel after_elementwise(const RuleContext& context) {
  const ChannelModel* first = nullptr;
  for (size_t i = 0; i < context.node.inputs.size(); ++i) {
    if (!first) first = context.model(i);
    // Broadcasting would give the output other channels.
    if (context.model(i) && context.in(i).size() != context.out().size()) return std::nullopt;
  }
  if (!first || !first->scaled) return std::nullopt;
  if (context.inferred.types[context.node.outputs[0]]->dtype != DType::f32) return std::nullopt;
  if (context.out()[first->axis] != first->channels() * first->positions()) return std::nullopt;
  if (MaybeModel model = pointwise(context, *first)) return model;
  const bool sums = reads_as(context.node, 0) == Reads::term;
  return sums && context.model(0) == first ? sum(context, *first) : std::nullopt;
}

}  // namespace coppice
