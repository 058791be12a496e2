// See evaluation.h.
#include "training/judging/evaluation.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "data/for_each_batch.h"
#include "graph/infer.h"
#include "training/judging/tally.h"
#include "training/output_gradients.h"

namespace coppice {
namespace {

// The images, and zeros behind them where the model takes no fewer than a batch.
Tensor filled_up(const Tensor& images, const EvaluationJob& job) {
  Shape shape = images.shape();
  if (shape[0] == job.batch || job.last_batch == LastBatch::smaller) return images;
  shape[0] = job.batch;
  Tensor padded = Tensor::zeros(DType::f32, shape);
  std::ranges::copy(images.as<float>(), padded.mutate<float>().begin());
  return padded;
}

struct Scores {
  int64_t count = 0;
  std::optional<std::string> why_none = {};
};

Scores find_scores(const Graph& graph) {
  if (auto reason = why_not_for_images(graph)) return {.why_none = reason};
  const Inferred inferred = infer(graph);
  const ValueId output = graph.outputs.front();
  const std::string name = "output '" + graph.value(output).name + "'";
  if (!inferred.has(output)) return {.why_none = name + ": its shape can't be inferred"};
  const Shape& shape = inferred.shape(output);
  const bool scores = shape.size() >= 2 && inferred.types[output]->dtype == DType::f32 &&
                      element_count(shape) == shape[0] * shape[1];
  if (!scores || shape[0] != inferred.shape(graph.inputs.front())[0]) {
    return {.why_none = name + " is " + name_of(inferred.types[output]->dtype) + " " +
                        to_string(shape) + ", expected float32 [N, classes]"};
  }
  return {.count = shape[1]};
}

// What may be meant where the model has one output more or less than there are classes.
std::string how_to_fit(int64_t outputs, const Dataset& dataset) {
  if (outputs == dataset.classes() + 1) {
    return " (does the model begin with a background class? --label-offset 1" +
           std::string(dataset.name() == "npy"
                           ? "; does the last class just not occur? --label-offset 0)"
                           : ")");
  }
  if (outputs + 1 != dataset.classes()) return "";
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.label(i) == 0) return "";
  }
  return " (are labels counted from 1? --label-offset -1)";
}

}  // namespace

Evaluation evaluate(const Classify& classify, const Dataset& dataset, const EvaluationJob& job) {
  const auto images = static_cast<int64_t>(job.indices.size());
  COPPICE_CHECK(images > 0, "an evaluation of no images");
  const auto start = std::chrono::steady_clock::now();
  Tally tally(job.form, job.guesses);
  Evaluation result;
  for_each_batch(
      dataset, {job.indices, job.batch, job.input, job.preprocessing}, [&](const Batch& batch) {
        tally.add(classify(filled_up(batch.images, job)), batch.labels,
                  job.last_batch == LastBatch::padded ? job.batch : std::ssize(batch.labels));
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        result = tally.so_far();
        result.batch = job.batch;
        result.images_per_second = static_cast<double>(result.images) / seconds.count();
        if (job.after_batch) job.after_batch(result);
      });
  return result;
}

std::optional<std::string> why_not_for_images(const Graph& graph) {
  if (graph.inputs.size() != 1) {
    return "the model has " + std::to_string(graph.inputs.size()) +
           " inputs; images are fed to exactly one";
  }
  return why_no_images_first(graph);
}

std::optional<std::string> why_no_images_first(const Graph& graph) {
  if (graph.inputs.empty()) return "the model has no inputs";
  const Value& input = graph.value(graph.inputs.front());
  if (input.dtype != DType::f32 || !input.declared || input.declared->empty()) {
    return "input '" + input.name + "' is " + name_of(input.dtype) +
           (input.declared ? "" : " without a shape") + ", expected a batch of float32 images";
  }
  const Shape images = input_shape(graph, graph.inputs.front(), {});
  if (element_count(images) == 0) {
    return "input '" + input.name + "' has shape " + to_string(images) + ", which holds no image";
  }
  if (graph.outputs.empty()) return "the model has no outputs";
  return std::nullopt;
}

std::optional<std::string> why_not_classifier(const Graph& graph, const Dataset& dataset) {
  const Scores scores = find_scores(graph);
  if (scores.why_none) return scores.why_none;
  const int64_t given = scores.count, wanted = dataset.classes();
  if (given == wanted) return std::nullopt;
  const std::string outputs = "the model has " + std::to_string(given) + " outputs, ";
  const std::string data = "data set '" + dataset.name() + "'";
  if (const auto offset = dataset.label_offset()) {
    if (given > wanted) return std::nullopt;
    return outputs + "labels of " + data + " shifted by " + std::to_string(*offset) + " go up to " +
           std::to_string(wanted - 1) + ", expected classes 0 to " + std::to_string(given - 1) +
           "; give another --label-offset";
  }
  const bool some_missing = dataset.name() == "npy" && given > wanted + 1;
  if (some_missing) return std::nullopt;
  return outputs + data + " has " + std::to_string(wanted) + " classes; they must be as many" +
         how_to_fit(given, dataset);
}

void require_classifier(const Graph& graph, const Dataset& dataset) {
  if (const auto reason = why_not_classifier(graph, dataset)) fail_input(*reason);
}

void require_targets(const Graph& graph, const Dataset& dataset,
                     std::optional<double> distillation) {
  const bool asked = distillation && *distillation == 1;
  const auto reason = why_not_classifier(graph, dataset);
  if (!reason || asked || (!distillation && scores_of(graph) == 0)) return;
  require_gradients(graph);
  fail_input(*reason, {option_hint("distill", "1",
                                   "trains without labels, by the original's outputs alone")});
}

int64_t scores_of(const Graph& graph) { return find_scores(graph).count; }

int64_t fixed_batch(const Graph& graph) {
  const auto& dims = graph.value(graph.inputs.front()).declared;
  return dims && !dims->empty() && dims->front().fixed() ? dims->front().size : 0;
}

}  // namespace coppice
