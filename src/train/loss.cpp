// See loss.h.
#include "train/loss.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace coppice::train {
namespace {

bool only_reshapes(const Node& node) {
  constexpr std::string_view kTypes[] = {"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"};
  return std::ranges::find(kTypes, node.op_type) != std::end(kTypes);
}

at::Tensor as_scores(const at::Tensor& output, int64_t classes) {
  return output.reshape({-1, classes});
}

at::Tensor divergence(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor expected = at::log_softmax(teacher / temperature, 1);
  const at::Tensor found = at::log_softmax(student / temperature, 1);
  const auto count = static_cast<double>(student.size(0));
  return (expected.exp() * (expected - found)).sum() * (temperature * temperature / count);
}

at::Tensor relative_error(const at::Tensor& student, const at::Tensor& teacher) {
  COPPICE_CHECK(student.sizes() == teacher.sizes(), "a teacher's output of another shape");
  // A constant output has no scale of its own; its error then counts as it is.
  const double deviation = teacher.numel() > 1 ? teacher.std().item<double>() : 0;
  return ((student - teacher) / (deviation > 0 ? deviation : 1)).square().mean();
}

}  // namespace

ValueId logits_of(const Graph& graph) {
  const std::vector<int32_t> producer = producers(graph);
  ValueId id = graph.outputs.front();
  for (int32_t n = producer[id]; n >= 0 && only_reshapes(graph.nodes[n]); n = producer[id]) {
    id = graph.nodes[n].inputs[0];
  }
  const int32_t n = producer[id];
  const bool softmax = n >= 0 && graph.nodes[n].op_type == "Softmax";
  return softmax ? graph.nodes[n].inputs[0] : graph.outputs.front();
}

at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const Targets& targets,
                   const LossOptions& options) {
  COPPICE_CHECK(targets.labels.defined() || !targets.teacher.empty(), "a loss of nothing");
  at::Tensor loss;
  if (targets.labels.defined() && options.distillation < 1) {
    loss = at::cross_entropy_loss(as_scores(outputs[0], targets.classes), targets.labels, {},
                                  at::Reduction::Mean, -100, options.label_smoothing);
  }
  if (targets.teacher.empty()) return loss;
  COPPICE_CHECK(targets.teacher.size() == outputs.size(), "a teacher of other outputs");
  at::Tensor distance = at::zeros({}, outputs[0].options());
  for (size_t o = 0; o < outputs.size(); ++o) {
    const at::Tensor& teacher = targets.teacher[o];
    distance =
        distance + (o == 0 && targets.classes > 0
                        ? divergence(as_scores(outputs[o], targets.classes),
                                     as_scores(teacher, targets.classes), options.temperature)
                        : relative_error(outputs[o], teacher));
  }
  distance = distance / static_cast<double>(outputs.size());
  if (!loss.defined()) return distance;
  return loss * (1 - options.distillation) + distance * options.distillation;
}

}  // namespace coppice::train
