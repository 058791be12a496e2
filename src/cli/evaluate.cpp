// See evaluate.h.
#include "cli/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <numeric>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "core/error.h"
#include "data/batch.h"
#include "runtime/executable.h"

namespace coppice {
namespace {

// Large pictures come in smaller batches: activations then stay in the cache, and memory small.
constexpr int64_t kLargestBatch = 100, kValuesPerBatch = 1'600'000;

struct Batch {
  Tensor images;
  std::vector<int64_t> labels;
  int64_t filled = 0;  // the rest is padding that doesn't count
};

struct Totals {
  int64_t images = 0, top1 = 0, top5 = 0;
  double loss = 0;
};

// The batch the model is fixed at, or 0.
int64_t fixed_batch(const Graph& graph) {
  const Dims& dims = *graph.value(graph.inputs.front()).declared;
  return dims.front().fixed() ? dims.front().size : 0;
}

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

// Pictures first .. first + batch, as far as there are any before `images`.
Batch load(const Dataset& dataset, const Preprocessing& preprocessing, const Shape& input,
           int64_t first, int64_t images) {
  Batch batch;
  batch.filled = std::min(input[0], images - first);
  std::vector<int64_t> indices(batch.filled);
  std::iota(indices.begin(), indices.end(), first);
  batch.labels.resize(batch.filled);
  Shape part = input;
  part[0] = batch.filled;
  batch.images = Tensor::zeros(DType::f32, part);
  load_batch(dataset, preprocessing, indices, batch.images, batch.labels);
  if (batch.filled == input[0]) return batch;
  Tensor padded = Tensor::zeros(DType::f32, input);
  std::ranges::copy(batch.images.as<float>(), padded.mutate<float>().begin());
  batch.images = std::move(padded);
  return batch;
}

// Where the label stands when outputs are sorted, largest first, ties by index.
int64_t rank_of(std::span<const float> outputs, int64_t label) {
  const float own = outputs[label];
  int64_t rank = 0;
  for (int64_t c = 0; c < static_cast<int64_t>(outputs.size()); ++c) {
    if (!(outputs[c] < own) && c != label) rank += outputs[c] != own || c < label;
  }
  return rank;
}

double cross_entropy(std::span<const float> outputs, int64_t label) {
  const double largest = *std::ranges::max_element(outputs);
  double sum = 0;
  for (const float output : outputs) sum += std::exp(output - largest);
  return std::log(sum) + largest - outputs[label];
}

void count(const Batch& batch, std::span<const float> outputs, Totals& totals) {
  const size_t classes = outputs.size() / batch.images.shape()[0];
  for (int64_t i = 0; i < batch.filled; ++i) {
    const std::span<const float> row = outputs.subspan(i * classes, classes);
    const int64_t rank = rank_of(row, batch.labels[i]);
    const bool sound = std::ranges::none_of(row, [](float x) { return std::isnan(x); });
    totals.top1 += sound && rank < 1;
    totals.top5 += sound && rank < 5;
    totals.loss += sound ? cross_entropy(row, batch.labels[i]) : std::nan("");
  }
  totals.images += batch.filled;
}

Json metric(const Totals& totals) {
  const auto images = static_cast<double>(totals.images);
  return {{"images", totals.images},
          {"top1", static_cast<double>(totals.top1) / images},
          {"loss", totals.loss / images}};
}

}  // namespace

void require_classifier(const Graph& graph, const Dataset& dataset) {
  if (graph.inputs.size() != 1) {
    fail_input("the model has " + std::to_string(graph.inputs.size()) +
               " inputs; eval feeds pictures to exactly one");
  }
  const Value& input = graph.value(graph.inputs.front());
  const Inferred inferred = infer(graph);
  if (input.dtype != DType::f32 || !input.declared || input.declared->empty()) {
    fail_input("input '" + input.name + "' is " + name_of(input.dtype) +
               ", expected a batch of float32 pictures");
  }
  const Shape& pictures = inferred.shape(graph.inputs.front());
  if (element_count(pictures) == 0) {
    fail_input("input '" + input.name + "' has shape " + to_string(pictures) +
               ", which holds no picture");
  }
  const ValueId output = graph.outputs.front();
  const std::string name = "output '" + graph.value(output).name + "'";
  if (!inferred.has(output)) fail_input(name + ": its shape can't be inferred");
  const Shape& shape = inferred.shape(output);
  const bool scores = shape.size() >= 2 && inferred.types[output]->dtype == DType::f32 &&
                      element_count(shape) == shape[0] * shape[1];
  if (!scores || shape[0] != pictures[0]) {
    fail_input(name + " is " + name_of(inferred.types[output]->dtype) + " " + to_string(shape) +
               ", expected float32 [N, classes]");
  }
  const int64_t given = shape[1], wanted = dataset.classes();
  const bool some_missing = dataset.name() == "npy" && given > wanted + 1;
  if (given == wanted || some_missing) return;
  fail_input("the model has " + std::to_string(given) + " outputs, data set '" + dataset.name() +
             "' has " + std::to_string(wanted) + " classes; they must be as many" +
             (given == wanted + 1 ? " (does the model begin with a background class?)" : ""));
}

Preprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                   const Dataset& dataset, const Console& console) {
  if (!option.empty()) return parse_preprocessing(option);
  if (const std::string own = metadata(graph, kPreprocessKey); !own.empty()) {
    return within("the model's metadata '" + std::string(kPreprocessKey) + "'",
                  [&] { return parse_preprocessing(own); });
  }
  const std::optional<Preprocessing> usual = dataset.own_preprocessing();
  if (!usual) {
    fail_usage("the model doesn't say how it wants pictures preprocessed, and data set '" +
               dataset.name() + "' has no usual way; give --preprocess, for example imagenet");
  }
  console.warn(
      "the model doesn't say how it wants pictures preprocessed; using what is usual for " +
      dataset.name() + ": " + to_string(*usual) + "; --preprocess says otherwise");
  return *usual;
}

Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, const Invocation& run) {
  const int64_t images =
      options.limit > 0 ? std::min(options.limit, dataset.size()) : dataset.size();
  const int64_t size = choose_batch(graph, options.batch, images);
  Executable executable = compile(std::move(graph), {.inputs = {}, .batch = size});
  const Shape input = executable.input_shape(0);
  const auto start = std::chrono::steady_clock::now();
  const auto load_next = [&](int64_t first) {
    return std::async(std::launch::async,
                      [&, first] { return load(dataset, preprocessing, input, first, images); });
  };
  std::vector<Tensor> outputs = executable.allocate_outputs();
  Totals totals;
  Progress progress(run.console, options.doing, "images", images);
  std::future<Batch> next = load_next(0);
  while (totals.images < images) {
    const Batch batch = next.get();
    if (totals.images + batch.filled < images) next = load_next(totals.images + batch.filled);
    stop_if_interrupted();
    executable.run(std::span(&batch.images, 1), outputs);
    count(batch, outputs.front().as<float>(), totals);
    run.add_metric(metric(totals));
    progress.update(totals.images);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto all = static_cast<double>(totals.images);
  return {.top1 = static_cast<double>(totals.top1) / all,
          .top5 = static_cast<double>(totals.top5) / all,
          .loss = totals.loss / all,
          .images = totals.images,
          .batch = size,
          .images_per_second = all / seconds.count()};
}

Json to_json(const Evaluation& evaluation) {
  return {{"top1", evaluation.top1},
          {"top5", evaluation.top5},
          {"loss", evaluation.loss},
          {"images", evaluation.images},
          {"images_per_second", evaluation.images_per_second},
          {"batch", evaluation.batch}};
}

}  // namespace coppice
