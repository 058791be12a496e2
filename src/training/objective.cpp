// See objective.h.
#include "training/objective.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "data/batch.h"
#include "graph/infer.h"
#include "graph/prefix.h"
#include "runtime/executable.h"
#include "training/judging/evaluation.h"
#include "training/output_gradients.h"

namespace coppice {
namespace {

using Labels = TrainingSetup::Labels;

constexpr int64_t kImages = 32;

// The first output for the first images; its scores are then read one image after the other.
ScoreKind look_at(const Graph& original, const ScoreForm& form, const SomeImages& some) {
  const int64_t fixed = fixed_batch(original);
  const int64_t count =
      std::min(fixed > 0 ? fixed : kImages, static_cast<int64_t>(some.indices.size()));
  if (count == 0) return ScoreKind::logits;
  Graph graph = prefix_of(original, {original.outputs.front()});
  const InputSizes sizes{.inputs = {}, .batch = count};
  Tensor images = Tensor::zeros(DType::f32, input_shape(graph, graph.inputs.front(), sizes));
  Shape shape = images.shape();
  shape[0] = count;
  Tensor read = Tensor::zeros(DType::f32, shape);
  load_batch(some.dataset, some.preprocessing, some.indices.first(count), read, {});
  std::ranges::copy(read.as<float>(), images.mutate<float>().begin());  // zeros fill a fixed batch
  const Tensor outputs = compile(std::move(graph), sizes).run(std::span(&images, 1)).front();
  const int64_t classes = outputs.size() / images.shape()[0];
  return kind_of(form, outputs.as<float>().first(count * classes), count);
}

void say_how_scores_are_read(const Graph& graph, const ScoreForm& form, Objective& objective) {
  const std::string name = "output '" + graph.value(graph.outputs.front()).name + "'";
  const bool seen_through = form.logits != graph.outputs.front();
  if (objective.scores == ScoreKind::probabilities && !seen_through) {
    objective.remarks.push_back(name +
                                " holds probabilities of the classes: losses take its logarithm");
  } else if (objective.scores == ScoreKind::chances) {
    objective.remarks.push_back(
        name +
        " holds a chance for each class by itself, as a Sigmoid gives it: losses are the "
        "binary cross entropies, summed over the classes");
  }
  if (objective.labels == Labels::unused) {
    objective.remarks.push_back("the images' labels aren't of the " +
                                std::to_string(objective.classes) + " classes of " + name +
                                ": its scores follow the original's, as scores");
  }
}

void decide_on_first(const Graph& original, const SomeImages& images, Objective& objective) {
  objective.labels = why_not_classifier(original, images.dataset) ? Labels::unused : Labels::used;
  const int64_t columns = scores_of(original);
  if (columns == 0) return;
  const ScoreForm form = score_form(original);
  objective.scores = form.certain ? *form.certain : look_at(original, form, images);
  // Without labels only what is a distribution is known to be scores at all.
  if (objective.labels == Labels::unused && objective.scores == ScoreKind::logits) return;
  objective.classes = columns;
  say_how_scores_are_read(original, form, objective);
}

}  // namespace

Objective objective_of(const Graph& original, const SomeImages& images) {
  const std::vector<std::optional<NotFollowed>> not_followed = outputs_not_followed(original);
  Objective objective;
  for (size_t o = 0; o < not_followed.size(); ++o) {
    if (!not_followed[o]) {
      if (o > 0) objective.others.push_back(original.value(original.outputs[o]).name);
      continue;
    }
    objective.remarks.push_back(not_followed[o]->reason + "; it isn't followed");
  }
  const bool first = !not_followed.front().has_value();
  if (!first && (objective.others.empty() || !why_not_classifier(original, images.dataset))) {
    fail_without_gradients(not_followed);
  }
  if (first) decide_on_first(original, images, objective);
  return objective;
}

bool needs_teacher(const Objective& objective, const LossOptions& loss) {
  if (loss.distillation > 0) return true;
  return loss.others == LossOptions::Others::follow && !objective.others.empty();
}

std::string remark_on_others(const Objective& objective, const LossOptions& loss) {
  if (objective.others.empty() || objective.labels == Labels::unused) return "";
  std::string names;
  for (const std::string& name : objective.others) {
    names += (names.empty() ? "'" : ", '") + name + "'";
  }
  const bool one = objective.others.size() == 1;
  const std::string outputs = (one ? "output " : "outputs ") + names;
  if (needs_teacher(objective, loss)) {
    return "no labels speak of " + outputs + ": kept near to the original's, at a weight of 1";
  }
  return "no labels speak of " + outputs + (one ? ", and its" : ", and their") +
         " original is untrained: what " + (one ? "it gives" : "they give") + " will mean nothing";
}

}  // namespace coppice
