// See loss.h.
#include "libtorch/loss/loss.h"

#include "core/error.h"

namespace coppice::train {
namespace {

// The least that an error is measured by, as shares: of the channel's size, below which its
// deviation is hardly more than rounding, and of the usual deviation, where it is always 0.
constexpr double kOfSize = 0.01, kOfUsual = 0.001;

at::Tensor as_scores(const at::Tensor& output, int64_t classes) {
  return output.reshape({-1, classes});
}

at::Tensor error_by_labels(const at::Tensor& logits, const Targets& targets, double smoothing) {
  if (targets.scores != ScoreKind::chances) {
    return at::cross_entropy_loss(logits, targets.labels, {}, at::Reduction::Mean, -100, smoothing);
  }
  const auto classes = static_cast<double>(targets.classes);
  const at::Tensor hit = at::one_hot(targets.labels, targets.classes).to(logits.scalar_type());
  const at::Tensor wanted = hit * (1 - smoothing) + smoothing / classes;
  return at::binary_cross_entropy_with_logits(logits, wanted, {}, {}, at::Reduction::Sum) /
         static_cast<double>(logits.size(0));
}

at::Tensor divergence(const at::Tensor& student, const at::Tensor& teacher, ScoreKind scores,
                      double temperature) {
  const at::Tensor t = teacher / temperature, s = student / temperature;
  const double scale = temperature * temperature / static_cast<double>(student.size(0));
  const auto between = [](const at::Tensor& expected, const at::Tensor& found) {
    return (expected.exp() * (expected - found)).sum();
  };
  if (scores != ScoreKind::chances) {
    return between(at::log_softmax(t, 1), at::log_softmax(s, 1)) * scale;
  }
  return (between(at::log_sigmoid(t), at::log_sigmoid(s)) +
          between(at::log_sigmoid(-t), at::log_sigmoid(-s))) *
         scale;
}

int64_t channel_axis(const at::Tensor& output) {
  if (output.dim() >= 4) return 1;
  if (output.dim() == 3 && output.size(1) < output.size(2)) return 1;
  return output.dim() - 1;
}

// [channels, numbers in each]
at::Tensor by_channel(const at::Tensor& output) {
  const int64_t axis = output.dim() < 2 ? 0 : channel_axis(output);
  const int64_t channels = output.dim() < 2 ? 1 : output.size(axis);
  if (output.numel() <= channels) return output.reshape({1, -1});
  return (output.dim() < 2 ? output : output.movedim(axis, 0)).reshape({channels, -1});
}

// [channels]: what an error in each is measured by.
at::Tensor scale_of(const at::Tensor& channels) {
  const bool single = channels.size(1) < 2;
  const at::Tensor deviation = single ? at::zeros_like(channels.select(1, 0))
                                      : at::std(channels, at::IntArrayRef{1}, /*unbiased=*/true);
  const at::Tensor varies = deviation.gt(0);
  const at::Tensor logarithms = at::where(varies, deviation, at::ones_like(deviation)).log();
  const at::Tensor count = varies.sum();
  const at::Tensor usual = at::where(count.gt(0), (logarithms.sum() / count.clamp_min(1)).exp(),
                                     at::zeros_like(logarithms.sum()));
  const at::Tensor size = channels.square().mean(1).sqrt();
  const at::Tensor scale = at::maximum(deviation, at::maximum(size * kOfSize, usual * kOfUsual));
  // Nothing but zeros has no scale of its own; its error then counts as it is.
  return at::where(scale.gt(0), scale, at::ones_like(scale));
}

at::Tensor relative_error(const at::Tensor& student, const at::Tensor& teacher) {
  COPPICE_CHECK(student.sizes() == teacher.sizes(), "a teacher's output of another shape");
  const at::Tensor expected = by_channel(teacher);
  const at::Tensor error = (by_channel(student) - expected).square().mean(1);
  return at::log1p(error / scale_of(expected).square()).mean();
}

class Sum {
 public:
  void add(const at::Tensor& part, double weight) {
    const at::Tensor weighted = weight == 1 ? part : part * weight;
    total_ = total_.defined() ? total_ + weighted : weighted;
  }
  at::Tensor total() const {
    COPPICE_CHECK(total_.defined(), "a loss of nothing");
    return total_;
  }

 private:
  at::Tensor total_;
};

}  // namespace

at::Tensor logits_from(const at::Tensor& output, ScoreKind scores) {
  if (scores == ScoreKind::logits) return output;
  const at::Tensor chance = output.clamp_min(kLeastProbability);
  if (scores == ScoreKind::probabilities) return chance.log();
  return chance.log() - (1 - output).clamp_min(kLeastDoubt).log();
}

at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const Targets& targets,
                   const LossOptions& options) {
  const bool followed = !targets.teacher.empty();
  COPPICE_CHECK(!followed || targets.teacher.size() == outputs.size(),
                "a teacher of other outputs");
  const auto follows = [&](size_t o) { return followed && targets.teacher[o].defined(); };
  Sum sum;
  if (targets.classes > 0) {
    const double share = targets.labels.defined() ? options.distillation : 1;
    const at::Tensor scores = as_scores(outputs[0], targets.classes);
    const at::Tensor judged =
        options.label_temperature == 1 ? scores : scores / options.label_temperature;
    if (share < 1) sum.add(error_by_labels(judged, targets, options.label_smoothing), 1 - share);
    if (share > 0 && follows(0)) {
      const at::Tensor teacher = as_scores(targets.teacher[0], targets.classes);
      sum.add(divergence(scores, teacher, targets.scores, options.temperature), share);
    }
  }
  at::Tensor errors;
  int64_t count = 0;
  for (size_t o = targets.classes > 0 ? 1 : 0; o < outputs.size(); ++o) {
    if (!follows(o)) continue;
    const at::Tensor error = relative_error(outputs[o], targets.teacher[o]);
    errors = errors.defined() ? errors + error : error;
    ++count;
  }
  if (count > 0) sum.add(errors / static_cast<double>(count), 1);
  return sum.total();
}

}  // namespace coppice::train
