// Nodes that move channels or positions, or take some of them together.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "evidence/modelled/rules.h"
#include "graph/op.h"
#include "graph/views/only_reshapes.h"

namespace coppice {
namespace {

// Values that hang on another z, though they correlate with each other as before.
ChannelModel with_other_z(ChannelModel model) {
  model.correlation = std::make_shared<Matrix>(*model.correlation);
  return model;
}

MaybeModel after_concat(const RuleContext& context) {
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

// The channel axis passes through as it is, or what follows it is folded in.
MaybeModel after_reshape(const RuleContext& context) {
  const ChannelModel* input = context.model(0);
  if (input && context.in() == context.out()) return *input;
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

MaybeModel unchanged(const RuleContext& context) {
  return context.model(0) ? MaybeModel(*context.model(0)) : std::nullopt;
}

// Means of channels stay, and their correlations; that averages vary less is left out, since
// nothing says how much.
MaybeModel after_average(const RuleContext& context) {
  return context.model(0) && context.model(0)->axis == 1
             ? MaybeModel(with_other_z(*context.model(0)))
             : std::nullopt;
}

MaybeModel after_reduce_mean(const RuleContext& context) {
  if (!context.model(0) || context.model(0)->axis != 1 || !context.model(0)->folded.empty())
    return {};
  const Shape &in = context.in(), &out = context.out();
  if (out.size() < 2 || out[0] != in[0] || out[1] != in[1]) return std::nullopt;
  return after_average(context);
}

MaybeModel after_max_pool(const RuleContext& context) {
  const ChannelModel* input = context.model(0);
  const auto kernel = context.node.attributes.integers("kernel_shape");
  if (!input || !input->scaled || input->axis != 1 || !kernel) return std::nullopt;
  // How much neighbours under one window have in common, as in contraction.cpp.
  constexpr double kAlike = 0.65;
  return largest_of(*input, element_count(*kernel), kAlike);
}

// Resize, Slice: fewer or more positions, the same channels.
MaybeModel after_same_channels(const RuleContext& context) {
  const ChannelModel* input = context.model(0);
  if (!input || !input->folded.empty()) return std::nullopt;
  if (context.in().size() != context.out().size()) return std::nullopt;
  if (context.in()[input->axis] != context.out()[input->axis]) return std::nullopt;
  return with_other_z(*input);
}

MaybeModel after_slice(const RuleContext& context) {
  const Tensor* axes = context.constant(3);
  if (!axes) return std::nullopt;
  const auto rank = static_cast<int64_t>(context.out().size());
  for (const int64_t axis : to_int64s(*axes)) {  // a step of -1 on channels turns them around
    const int64_t resolved = resolve_axis(context.graph, context.node, axis, rank);
    if (context.model(0) && resolved == context.model(0)->axis) return std::nullopt;
  }
  return after_same_channels(context);
}

// Zeros around are channels that are always zero; those around the image are left out.
MaybeModel after_pad(const RuleContext& context) {
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
MaybeModel after_gather(const RuleContext& context) {
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

}  // namespace

Rule layout_rule(const Node& node) {
  static const std::unordered_map<std::string_view, Rule> rules = {
      {"Concat", after_concat},
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
  if (only_reshapes(node)) return after_reshape;
  const auto rule = rules.find(node.op_type);
  return rule == rules.end() ? nullptr : rule->second;
}

}  // namespace coppice
