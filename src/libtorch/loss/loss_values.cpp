// See loss_values.h.
#include "libtorch/loss/loss_values.h"

#include <optional>

#include "libtorch/loss/loss.h"
#include "training/output_gradients.h"

namespace coppice::train {

LossValues::LossValues(const Graph& graph, const TrainingSetup& setup, Side side) {
  const std::vector<std::optional<NotFollowed>> not_followed = outputs_not_followed(graph);
  const bool scored = setup.classes > 0;
  const auto looks_at = [&](size_t o) {
    if (o > 0 || !scored) return setup.teacher != nullptr && !not_followed[o];
    return side == Side::student || setup.loss.distillation > 0;
  };
  ValueId first = graph.outputs.front();
  if (scored) {
    // Trained weights may change what the output can hold: only its last node still decides.
    const ScoreForm form = score_form(graph);
    const bool seen_through = form.logits != first;
    scores_ = seen_through ? *form.certain : setup.scores;
    read_as_ = seen_through ? ScoreKind::logits : scores_;
    first = form.logits;
  }
  std::vector<ValueId> losses;
  for (size_t o = 0; o < graph.outputs.size(); ++o) {
    const auto loss = setup.losses.find(graph.value(graph.outputs[o]).name);
    if (loss != setup.losses.end()) {
      losses.push_back(graph.outputs[o]);
      weights_.push_back(loss->second);
      continue;
    }
    if (looks_at(o)) {
      wanted_.push_back(o == 0 ? first : graph.outputs[o]);
      outputs_.push_back(count_);
    }
    ++count_;
  }
  wanted_.insert(wanted_.end(), losses.begin(), losses.end());
}

std::vector<at::Tensor> LossValues::by_output(const std::vector<at::Tensor>& found) const {
  std::vector<at::Tensor> outputs(count_);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs[outputs_[i]] = outputs_[i] == 0 ? logits_from(found[i], read_as_) : found[i];
  }
  return outputs;
}

at::Tensor LossValues::sum_of_losses(const std::vector<at::Tensor>& found) const {
  at::Tensor sum;
  for (size_t l = 0; l < weights_.size(); ++l) {
    const at::Tensor loss = found[outputs_.size() + l].mean() * weights_[l];
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum;
}

std::vector<char> computable_outputs(const Graph& graph) {
  std::vector<char> computable;
  for (const std::optional<NotFollowed>& output : outputs_not_followed(graph)) {
    computable.push_back(!output || output->values == NotFollowed::Values::computed);
  }
  return computable;
}

}  // namespace coppice::train
