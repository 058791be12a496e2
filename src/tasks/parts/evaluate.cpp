// See evaluate.h.
#include "tasks/parts/evaluate.h"

#include <algorithm>

#include "core/error.h"
#include "core/threads.h"
#include "graph/infer.h"
#include "training/judging/by_runtime.h"
#include "training/trainer.h"

namespace coppice {
namespace {

// Large images come in smaller batches: activations then stay in the cache, and memory small.
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
    return [trainer](const Tensor& images) { return trainer->forward(images).front(); };
  }
  return coppice::classifier_of(compile(std::move(graph), {.inputs = {}, .batch = batch}));
}

}  // namespace

Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, Watcher& watcher) {
  const int64_t images = std::ssize(options.indices);
  const int64_t batch = choose_batch(graph, options.batch, images);
  const Shape input = input_shape(graph, graph.inputs.front(), {});
  const ScoreForm form = score_form(graph);
  const Classify classify = classifier_of(std::move(graph), options, batch);
  Progress progress{.doing = options.doing, .unit = "images", .total = images};
  watcher.progress(progress);
  EvaluationJob job{.indices = options.indices,
                    .batch = batch,
                    .input = Shape(input.begin() + 1, input.end()),
                    .preprocessing = preprocessing,
                    .last_batch = LastBatch::padded,
                    .form = form,
                    .after_batch = {},
                    .guesses = options.guesses};
  job.after_batch = [&](const Evaluation& so_far) {
    stop_if_requested(watcher);
    if (options.metrics == Metrics::told) {
      watcher.metric({{"images", so_far.images}, {"top1", so_far.top1}, {"loss", so_far.loss}});
    }
    progress.done = so_far.images;
    watcher.progress(progress);
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
