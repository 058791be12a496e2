// See evaluate.h.
#include "cli/evaluate.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "core/error.h"
#include "core/threads.h"
#include "graph/infer.h"
#include "runtime/executable.h"
#include "session/trainer.h"

namespace coppice {
namespace {

// Large pictures come in smaller batches: activations then stay in the cache, and memory small.
constexpr int64_t kLargestBatch = 100, kValuesPerBatch = 1'600'000;

int64_t choose_batch(const Graph& graph, int64_t wanted, int64_t images) {
  if (const int64_t fixed = fixed_batch(graph)) {
    if (wanted != 0 && wanted != fixed) {
      fail_usage("--batch " + std::to_string(wanted) + ": the model's batch is fixed at " +
                 std::to_string(fixed));
    }
    return fixed;
  }
  if (wanted != 0) return wanted;
  const int64_t values = element_count(input_shape(graph, graph.inputs.front(), {}));
  const int64_t fitting = kValuesPerBatch / std::max<int64_t>(1, values);
  return std::min(images, std::clamp<int64_t>(fitting, 1, kLargestBatch));
}

Classify classifier_of(Graph graph, const EvaluationOptions& options, int64_t batch) {
  if (options.engine == Engine::train) {
    const std::shared_ptr<Trainer> trainer = open_trainer({options.device, thread_count()});
    trainer->load(graph, {}, {});
    return [trainer](const Tensor& pictures) { return trainer->forward(pictures).front(); };
  }
  const auto executable =
      std::make_shared<Executable>(compile(std::move(graph), {.inputs = {}, .batch = batch}));
  const auto outputs = std::make_shared<std::vector<Tensor>>(executable->allocate_outputs());
  return [executable, outputs](const Tensor& pictures) {
    executable->run(std::span(&pictures, 1), *outputs);
    return outputs->front();
  };
}

}  // namespace

const char* name_of(PreprocessingFrom from) {
  switch (from) {
    case PreprocessingFrom::option: return "--preprocess";
    case PreprocessingFrom::metadata: return "metadata";
    case PreprocessingFrom::dataset: return "data set";
  }
  return "";
}

std::string described(PreprocessingFrom from, const std::string& dataset) {
  switch (from) {
    case PreprocessingFrom::option: return "given by --preprocess";
    case PreprocessingFrom::metadata: return "what the model's metadata says";
    case PreprocessingFrom::dataset: return "what is usual for " + dataset;
  }
  return "";
}

ChosenPreprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                         const Dataset& dataset, const Console& console) {
  if (!option.empty()) return {parse_preprocessing(option), PreprocessingFrom::option};
  if (const std::string own = metadata(graph, kPreprocessKey); !own.empty()) {
    return within("the model's metadata '" + std::string(kPreprocessKey) + "'",
                  [&]() -> ChosenPreprocessing {
                    return {parse_preprocessing(own), PreprocessingFrom::metadata};
                  });
  }
  const std::optional<Preprocessing> usual = dataset.own_preprocessing();
  if (!usual) {
    fail_usage("the model doesn't say how it wants pictures preprocessed, and data set '" +
               dataset.name() + "' has no usual way; give --preprocess, for example imagenet");
  }
  console.warn(
      "the model doesn't say how it wants pictures preprocessed; using what is usual for " +
      dataset.name() + ": " + to_string(*usual) + "; --preprocess says otherwise");
  return {*usual, PreprocessingFrom::dataset};
}

Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, const Invocation& run) {
  const int64_t images = std::ssize(options.indices);
  const int64_t batch = choose_batch(graph, options.batch, images);
  const Shape input = input_shape(graph, graph.inputs.front(), {});
  const ScoreForm form = score_form(graph);
  const Classify classify = classifier_of(std::move(graph), options, batch);
  Progress progress(run.console, options.doing, "images", images);
  EvaluationJob job{.indices = options.indices,
                    .batch = batch,
                    .input = Shape(input.begin() + 1, input.end()),
                    .preprocessing = preprocessing,
                    .last_batch = LastBatch::padded,
                    .form = form,
                    .after_batch = {},
                    .guesses = options.guesses};
  job.after_batch = [&](const Evaluation& so_far) {
    stop_if_interrupted();
    if (options.metrics == Metrics::kept) {
      run.add_metric({{"images", so_far.images}, {"top1", so_far.top1}, {"loss", so_far.loss}});
    }
    progress.update(so_far.images);
  };
  return coppice::evaluate(classify, dataset, job);
}

Json to_json(const Evaluation& evaluation) {
  return {{"top1", evaluation.top1},     {"top5", evaluation.top5},
          {"loss", evaluation.loss},     {"loss_of", name_of(evaluation.scores)},
          {"images", evaluation.images}, {"images_per_second", evaluation.images_per_second},
          {"batch", evaluation.batch}};
}

}  // namespace coppice
