// A cut is smaller than a mask, so faster, and computes the same (groups/cut/surgery.h). All runs
// are at one batch, so that a cut is compiled once; the last batch is filled up with zeros, which
// count nowhere.
#include "tasks/sensitivity/cut_judge.h"

#include <algorithm>
#include <cmath>

#include "core/attempt.h"
#include "data/for_each_batch.h"
#include "graph/prefix.h"
#include "groups/cut/reached.h"
#include "groups/cut/surgery.h"
#include "runtime/executable.h"
#include "training/judging/tally.h"

namespace coppice {
namespace {

using By = SensitivityTable::By;

constexpr int64_t kLargestBatch = 100, kValuesPerBatch = 1'600'000;
constexpr int64_t kMostBytesGiven = 1 << 29;  // of what is computed once for a group's cuts

int64_t batch_for(const Graph& graph, int64_t images) {
  if (const int64_t fixed = fixed_batch(graph)) return fixed;
  const int64_t values = element_count(input_shape(graph, graph.inputs.front(), {}));
  const int64_t fitting = kValuesPerBatch / std::max<int64_t>(1, values);
  return std::min(images, std::clamp<int64_t>(fitting, 1, kLargestBatch));
}

// What is judged by: the scores alone, or all outputs that are numbers.
Graph with_outputs_for(Graph graph, By by) {
  if (by == By::accuracy) {
    graph.outputs.resize(1);
  } else {
    const Inferred inferred = infer(graph);
    std::erase_if(graph.outputs, [&](ValueId id) {
      return !inferred.has(id) || inferred.types[id]->dtype != DType::f32;
    });
  }
  remove_dead(graph);
  return graph;
}

struct Errors {
  double off = 0, all = 0;  // sums of squares

  // `count`: how many of the batch's images count; an output without a batch counts as it is.
  void add(const Tensor& original, const Tensor& now, int64_t batch, int64_t count) {
    int64_t size = original.size();
    if (original.rank() > 0 && original.shape()[0] == batch) size = size / batch * count;
    const auto a = original.as<float>(), b = now.as<float>();
    for (int64_t i = 0; i < size; ++i) {
      const double difference = static_cast<double>(a[i]) - b[i];
      off += difference * difference;
      all += static_cast<double>(a[i]) * a[i];
    }
  }
};

}  // namespace

struct CutJudge::State {
  struct Images {
    Tensor pixels;
    std::vector<int64_t> labels;  // of those that count
    std::vector<Tensor> outputs;  // of the original, where they are compared
    std::vector<Tensor> given;    // to the reached part
  };

  Graph graph;
  const Traced& traced;
  By by;
  Watcher& watcher;
  int64_t batch;
  Inferred inferred;  // at that batch
  ScoreForm form = {};
  std::vector<Images> batches = {};
  Judged original = {};
  Reached reached = {};

  void read(const Dataset& dataset, const std::vector<int64_t>& indices,
            const Preprocessing& preprocessing) {
    const Shape shape = inferred.shape(graph.inputs.front());
    const BatchJob job{indices, batch, Shape(shape.begin() + 1, shape.end()), preprocessing};
    for_each_batch(dataset, job, [&](const Batch& images) {
      stop_if_requested(watcher);
      Tensor pixels = Tensor::zeros(DType::f32, shape);
      std::ranges::copy(images.images.as<float>(), pixels.mutate<float>().begin());
      batches.push_back({std::move(pixels), images.labels, {}, {}});
    });
  }

  void judge_original() {
    Executable executable = compile(graph, {.inputs = {}, .batch = batch});
    form = score_form(graph);
    Tally tally(form);
    for (Images& images : batches) {
      stop_if_requested(watcher);
      std::vector<Tensor> outputs = executable.run(std::span(&images.pixels, 1));
      if (by == By::accuracy) {
        tally.add(outputs.front(), images.labels, batch);
      } else {
        images.outputs = std::move(outputs);
      }
    }
    if (by == By::output_error) return;
    const Evaluation found = tally.so_far();
    original = {found.top1, found.loss};
    form.certain = found.scores;  // a cut's outputs are read as the original's
  }

  // Whether so much fits that lies before the group.
  bool fits(const Reached& part) const {
    int64_t elements = 0;
    for (const ValueId id : part.inputs) {
      if (id != graph.inputs.front()) elements += element_count(inferred.shape(id));
    }
    return elements * 4 <= kMostBytesGiven / std::ssize(batches);
  }

  void give_what_lies_before() {
    std::vector<ValueId> given, computed;
    for (const ValueId id : reached.inputs) {
      if (known_value(graph, inferred, id)) continue;
      given.push_back(id);
      if (id != graph.inputs.front()) computed.push_back(id);
    }
    std::optional<Executable> executable;
    if (!computed.empty()) {
      executable = compile(prefix_of(graph, std::move(computed)), {.inputs = {}, .batch = batch});
    }
    for (Images& images : batches) {
      stop_if_requested(watcher);
      std::vector<Tensor> outputs;
      if (executable) outputs = executable->run(std::span(&images.pixels, 1));
      images.given.clear();
      size_t next = 0;
      for (const ValueId id : given) {
        images.given.push_back(id == graph.inputs.front() ? images.pixels
                                                          : std::move(outputs[next++]));
      }
    }
  }

  Judged judged_by_labels(Executable& executable) const {
    Tally tally(form);
    std::vector<Tensor> outputs = executable.allocate_outputs();
    for (const Images& images : batches) {
      stop_if_requested(watcher);
      executable.run(images.given, outputs);
      tally.add(outputs.front(), images.labels, batch);
    }
    const Evaluation found = tally.so_far();
    return {found.top1, found.loss};
  }

  // `which`: the outputs that the executable has, by their place among the original's.
  Judged judged_by_outputs(Executable& executable, const std::vector<size_t>& which) const {
    Errors errors;
    std::vector<Tensor> outputs = executable.allocate_outputs();
    for (const Images& images : batches) {
      stop_if_requested(watcher);
      executable.run(images.given, outputs);
      for (size_t o = 0, next = 0; o < images.outputs.size(); ++o) {
        const bool reached_here = next < which.size() && which[next] == o;
        errors.add(images.outputs[o], reached_here ? outputs[next++] : images.outputs[o], batch,
                   std::ssize(images.labels));
      }
    }
    const double square = errors.all > 0 ? errors.off / errors.all : errors.off;
    return {std::sqrt(square), square};
  }
};

CutJudge::CutJudge(const Traced& traced, const Dataset& dataset,
                   const std::vector<int64_t>& indices, const Preprocessing& preprocessing, By by,
                   Watcher& watcher) {
  Graph graph = with_outputs_for(traced.graph(), by);
  const int64_t batch = batch_for(graph, std::ssize(indices));
  Inferred inferred = infer(graph, {.inputs = {}, .batch = batch});
  state_.reset(new State{.graph = std::move(graph),
                         .traced = traced,
                         .by = by,
                         .watcher = watcher,
                         .batch = batch,
                         .inferred = std::move(inferred)});
  state_->read(dataset, indices, preprocessing);
  state_->judge_original();
}

CutJudge::~CutJudge() = default;

const CutJudge::Judged& CutJudge::original() const { return state_->original; }

void CutJudge::look_at(size_t group) {
  State& state = *state_;
  state.reached = reached_by(state.graph, state.traced.groups(), group, state.inferred);
  if (!state.fits(state.reached)) state.reached = all_reached(state.graph);
  const auto given = attempt(ErrorKind::input, [&] {
    state.give_what_lies_before();
    return true;
  });
  if (given) return;  // else the runtime can't stop in the middle of this graph
  state.reached = all_reached(state.graph);
  state.give_what_lies_before();
}

std::optional<CutJudge::Judged> CutJudge::judge(const Removal& removal) {
  State& state = *state_;
  Graph cut = state.graph;
  const auto repaired = attempt(ErrorKind::target, [&] {
    remove_units(cut, state.traced.groups(), removal);
    return true;
  });
  if (!repaired) return std::nullopt;
  Graph part = reached_part(std::move(cut), state.reached, state.inferred);
  std::vector<size_t> which;
  for (size_t o = 0; o < state.graph.outputs.size(); ++o) {
    if (std::ranges::count(part.outputs, state.graph.outputs[o]) > 0) which.push_back(o);
  }
  if (which.empty()) return state.original;
  Executable executable = compile(std::move(part), {.inputs = {}, .batch = state.batch});
  return state.by == By::accuracy ? state.judged_by_labels(executable)
                                  : state.judged_by_outputs(executable, which);
}

}  // namespace coppice
