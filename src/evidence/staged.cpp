#include "evidence/staged.h"

#include <algorithm>
#include <optional>

#include "evidence/collector.h"
#include "graph/infer.h"
#include "graph/prefix.h"
#include "runtime/executable.h"

namespace coppice {
namespace {

constexpr int64_t kMostFloats = 50'000'000;  // that are kept
constexpr int64_t kBatch = 32;

// The same net with the value as its input.
Graph from(Graph graph, ValueId value, const Shape& shape) {
  std::erase_if(graph.nodes, [&](const Node& node) {
    return std::ranges::find(node.outputs, value) != node.outputs.end();
  });
  Dims dims = {Dim{.size = -1, .symbol = "N"}};
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    dims.push_back({.size = shape[axis], .symbol = {}});
  }
  graph.inputs = {value};
  graph.value(value).declared = std::move(dims);
  graph.value(value).dtype = DType::f32;
  remove_dead(graph);
  return graph;
}

// Rows [images * positions, channels] as batches of images of `shape`.
std::vector<Tensor> batches_of(const Tensor& rows, Shape shape) {
  const int64_t channels = shape[1], positions = element_count(shape) / shape[0] / channels;
  const int64_t images = rows.shape()[0] / positions;
  const auto from = rows.as<float>();
  std::vector<Tensor> batches;
  for (int64_t first = 0; first < images; first += kBatch) {
    shape[0] = std::min(kBatch, images - first);
    Tensor batch = Tensor::zeros(DType::f32, shape);
    const auto to = batch.mutate<float>();
    for (int64_t n = 0; n < shape[0]; ++n) {
      for (int64_t p = 0; p < positions; ++p) {
        const auto row = from.subspan(((first + n) * positions + p) * channels, channels);
        for (int64_t c = 0; c < channels; ++c) to[(n * channels + c) * positions + p] = row[c];
      }
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace

Evidence Staged::measure(const Graph& graph, const std::vector<ValueId>& values,
                         std::span<const EvidenceRequest> requests) const {
  const Graph needed = prefix_of(graph, values);
  return kept_ == kNoValue ? measure_(needed, requests) : run(needed, requests);
}

Evidence Staged::run(const Graph& graph, std::span<const EvidenceRequest> requests) const {
  const Graph rest = from(graph, kept_, batches_.front().shape());
  Collector collector(rest, requests);
  std::optional<Executable> executable;
  std::vector<Tensor> outputs;
  for (const Tensor& batch : batches_) {
    if (!executable || executable->input_shape(0) != batch.shape()) {
      executable =
          compile(rest, {.inputs = {}, .batch = batch.shape()[0]}, {}, collector.observation());
      outputs = executable->allocate_outputs();
    }
    executable->run(std::span(&batch, 1), outputs);
  }
  return collector.finish();
}

void Staged::keep(const Graph& graph, ValueId value, int64_t images) {
  if (value == kNoValue || value == kept_) return;
  const Inferred inferred = infer(graph, fitting_sizes(graph, {}));
  if (!inferred.has(value) || inferred.types[value]->dtype != DType::f32) return;
  const Shape& shape = inferred.shape(value);
  if (shape.size() < 2 || shape[0] != 1 || images * element_count(shape) > kMostFloats) return;
  const EvidenceRequest whole{graph.value(value).name, Reduction::samples, 1,
                              element_count(shape) / shape[1]};
  std::vector<Tensor> batches =
      batches_of(measure(graph, {value}, std::span(&whole, 1)).at(whole), shape);
  batches_ = std::move(batches);
  kept_ = value;
}

std::vector<ValueId> bottlenecks(const Graph& graph) {
  // Last node that reads each value.
  std::vector<int64_t> last(graph.values.size(), -1);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].inputs) {
      if (id != kNoValue) last[id] = static_cast<int64_t>(n);
    }
    for (const ValueId id : graph.nodes[n].captures) last[id] = static_cast<int64_t>(n);
  }
  std::vector<ValueId> found(graph.nodes.size(), kNoValue), live;
  for (const ValueId id : graph.inputs) live.push_back(id);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].outputs) {
      if (id != kNoValue && !graph.value(id).constant) live.push_back(id);
    }
    std::erase_if(live, [&](ValueId id) { return last[id] <= static_cast<int64_t>(n); });
    if (live.size() == 1) found[n] = live[0];
  }
  return found;
}

}  // namespace coppice
