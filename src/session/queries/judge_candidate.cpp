// How a session judges: the graph that it has, and others that it doesn't take over. The trainer
// holds what was judged last; a training loads its own graph again.
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/attempt.h"
#include "core/error.h"
#include "core/random.h"
#include "data/loader.h"
#include "graph/infer.h"
#include "graph/passes/separate_vectors.h"
#include "session/session.h"
#include "session/state/beside_weights.h"
#include "training/judging/by_runtime.h"

namespace coppice {
namespace {

constexpr uint64_t kPassStream = 0x70617373;  // "pass": no other stream of the seed is like it

using Sums = std::map<std::string, std::vector<double>>;

void add(Sums& sums, const NamedTensors& statistics) {
  for (const auto& [name, tensor] : statistics) {
    std::vector<double>& sum = sums[name];
    sum.resize(static_cast<size_t>(tensor.size()));
    for (int64_t i = 0; i < tensor.size(); ++i) sum[i] += tensor.as<float>()[i];
  }
}

void set_means(Graph& graph, const Sums& sums, int64_t count) {
  const ConstantsByName constants(graph);
  for (const auto& [name, sum] : sums) {
    const std::span<float> mean = graph.value(constants.id(name)).constant->mutate<float>();
    for (size_t i = 0; i < sum.size(); ++i) {
      mean[i] = static_cast<float>(sum[i] / static_cast<double>(count));
    }
  }
}

}  // namespace

bool Session::can_evaluate() const {
  return classes_ > 0 && !held_out().empty() && state_.graph.inputs.size() == 1;
}

EvaluationJob Session::job_for(const Graph& graph, Part part) const {
  constexpr int64_t kBatch = 100;
  const Shape input = input_shape(graph, graph.inputs.front(), {});
  const int64_t fixed = fixed_batch(graph);
  return {.indices = images(part),
          .batch = fixed > 0 ? fixed : kBatch,
          .input = Shape(input.begin() + 1, input.end()),
          .preprocessing = data_.preprocessing,
          .last_batch = LastBatch::padded,
          .form = score_form(graph),
          .after_batch = {}};
}

Evaluation Session::evaluate() {
  COPPICE_CHECK(can_evaluate(), "an evaluation without classes or images");
  if (!loaded_) trainer_.load(state_.graph, {}, {});
  return coppice::evaluate([&](const Tensor& images) { return trainer_.forward(images).front(); },
                           *data_.training, job_for(state_.graph, Part::held_out));
}

Evaluation Session::evaluate(const Graph& candidate, Part part) {
  COPPICE_CHECK(classes_ > 0 && !images(part).empty(), "an evaluation without classes or images");
  const EvaluationJob job = job_for(candidate, part);
  if (options_.candidates == SessionOptions::Candidates::by_runtime) {
    // What can be trained can nearly always be run, too.
    if (auto executable = attempt(ErrorKind::input, [&] {
          return compile(candidate, {.inputs = {}, .batch = job.batch});
        })) {
      return coppice::evaluate(classifier_of(*std::move(executable)), *data_.training, job);
    }
  }
  loaded_ = false;
  trainer_.load(candidate, {}, {});
  return coppice::evaluate([&](const Tensor& images) { return trainer_.forward(images).front(); },
                           *data_.training, job);
}

Graph Session::recalibrated(Graph candidate, const Recalibration& how) {
  COPPICE_CHECK(how.batches > 0, "statistics of no batches");
  separate_vectors(candidate);  // layers whose statistics were equal have their own now
  const int64_t fixed = fixed_batch(candidate);
  Loader loader(*data_.training, {.indices = images(how.part),
                                  .batch = fixed > 0 ? fixed : how.batch,
                                  .input = job_for(candidate, how.part).input,
                                  .preprocessing = data_.preprocessing,
                                  .augmentation = {},
                                  .seed = how.seed});
  TrainingSetup setup;
  setup.norm_momentum.given = 0;
  loaded_ = false;
  trainer_.load(candidate, setup, {});
  Sums sums;
  for (int64_t batch = 0; batch < how.batches; ++batch) {
    Random random = Random::stream(how.seed, {kPassStream, static_cast<uint64_t>(batch)});
    add(sums, trainer_.move_statistics(loader.next().images, random.next()));
  }
  set_means(candidate, sums, how.batches);
  return candidate;
}

}  // namespace coppice
