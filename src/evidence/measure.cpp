// See measure.h. A last batch that is smaller is compiled for, which takes less than a batch of
// most nets; so no image counts twice, and none is made up.

#include "evidence/measure.h"

#include <algorithm>

#include "core/error.h"
#include "data/for_each_batch.h"
#include "evidence/collector.h"
#include "runtime/executable.h"

namespace coppice {
namespace {

// Small enough for what a layer computes to be still in the cache for the next one.
constexpr int64_t kLargestBatch = 32, kValuesPerBatch = 600'000;

struct Images {
  Shape input;        // of the model, without the batch axis
  int64_t fixed = 0;  // the batch that the model is fixed at
};

Images images_of(const Graph& graph) {
  const auto fail = [&](const std::string& why) {
    fail_input("evidence is measured on images, which need one float32 input: " + why);
  };
  if (graph.inputs.size() != 1) fail(std::to_string(graph.inputs.size()) + " inputs");
  const Value& input = graph.value(graph.inputs.front());
  if (input.dtype != DType::f32) fail("'" + input.name + "' is " + name_of(input.dtype));
  if (!input.declared || input.declared->empty()) fail("'" + input.name + "' has no shape");
  const Shape shape = input_shape(graph, graph.inputs.front(), {});
  const Dim& batch = input.declared->front();
  return {{shape.begin() + 1, shape.end()}, batch.fixed() ? batch.size : 0};
}

int64_t batch_of(const Images& images, const MeasureOptions& options) {
  const int64_t count = std::ssize(options.indices);
  if (images.fixed == 0) {
    const int64_t values = std::max<int64_t>(1, element_count(images.input));
    const int64_t fitting = std::clamp<int64_t>(kValuesPerBatch / values, 1, kLargestBatch);
    return std::min(count, options.batch > 0 ? options.batch : fitting);
  }
  if (images.fixed > count) {
    fail_input("the model's batch is fixed at " + std::to_string(images.fixed) + ", found " +
               std::to_string(count) + " images to measure on; give more");
  }
  return images.fixed;
}

// Of the images that are measured.
Tensor labels_of(const Dataset& dataset, const std::vector<int64_t>& indices) {
  std::vector<double> labels;
  for (const int64_t index : indices) labels.push_back(static_cast<double>(dataset.label(index)));
  return Tensor::of<double>({std::ssize(labels)}, labels);
}

Evidence observed(const Graph& graph, std::span<const EvidenceRequest> requests,
                  const Dataset& dataset, const BatchJob& job, const MeasureOptions& options) {
  Collector collector(graph, requests);
  const auto compile_for = [&](int64_t batch) {
    return compile(graph, {.inputs = {}, .batch = batch}, {}, collector.observation());
  };
  Executable executable = compile_for(job.batch);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  int64_t done = 0;
  for_each_batch(dataset, job, [&](const Batch& batch) {
    if (batch.images.shape() != executable.input_shape(0)) {
      executable = compile_for(batch.images.shape()[0]);
      outputs = executable.allocate_outputs();
    }
    executable.run(std::span(&batch.images, 1), outputs);
    done += batch.images.shape()[0];
    if (options.after_batch) options.after_batch(done);
  });
  return collector.finish();
}

}  // namespace

Evidence measure(const Graph& graph, std::span<const EvidenceRequest> requests,
                 const Dataset& dataset, const MeasureOptions& options) {
  COPPICE_CHECK(!options.indices.empty(), "evidence of no images");
  if (requests.empty()) return {};
  const Images images = images_of(graph);
  BatchJob job{options.indices, batch_of(images, options), images.input, options.preprocessing};
  if (images.fixed > 0) {
    job.indices.resize(job.indices.size() / images.fixed * images.fixed);
  }
  std::vector<EvidenceRequest> of_values;
  Evidence evidence;
  for (const EvidenceRequest& request : requests) {
    if (request.reduction == Reduction::labels) {
      evidence.add(request, labels_of(dataset, job.indices));
    } else {
      of_values.push_back(request);
    }
  }
  if (!of_values.empty()) evidence.add(observed(graph, of_values, dataset, job, options));
  return evidence;
}

}  // namespace coppice
