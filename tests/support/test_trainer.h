// For tests of the trainer, which link train: a text graph with one input under a trainer of its
// own, stepped on images and labels that a number decides.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "graph/infer.h"
#include "libtorch/trainer/trainer.h"
#include "support/graphs/text_graph.h"

namespace coppice::train {

inline Tensor random_tensor(const Shape& shape, uint64_t seed) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  Random(seed).fill_normal(tensor.mutate<float>(), 1);
  return tensor;
}

inline std::vector<int64_t> random_labels(int64_t count, int64_t classes, uint64_t seed) {
  Random random(seed);
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(classes))));
  }
  return labels;
}

inline TrainingSetup for_classes(int64_t classes, const OptimizerOptions& optimizer = {}) {
  TrainingSetup setup;
  setup.classes = classes;
  setup.optimizer = optimizer;
  return setup;
}

class TestTrainer {
 public:
  TestTrainer(Graph net, TrainingSetup how, const OptimizerState& state = {})
      : graph(std::move(net)), setup(std::move(how)) {
    trainer->load(graph, setup, state);
  }
  TestTrainer(const std::string& text, TrainingSetup how, const OptimizerState& state = {})
      : TestTrainer(parse_text_graph(text), std::move(how), state) {}

  Tensor images(uint64_t number, int64_t batch) const {
    return random_tensor(input_shape(graph, graph.inputs.front(), {.inputs = {}, .batch = batch}),
                         number);
  }

  // One update on images of its own; `number` is the seed of all that is random in it.
  StepResult step(uint64_t number, double learning_rate = 0.1) {
    const auto labels = random_labels(kBatch, std::max<int64_t>(setup.classes, 1), number + 1000);
    return trainer->step(images(number, kBatch), labels,
                         {.learning_rate = learning_rate, .seed = number});
  }

  // The trainer's parameters, statistics and state.
  std::pair<Graph, OptimizerState> stored() const {
    std::pair<Graph, OptimizerState> result{graph, {}};
    trainer->store(result.first, result.second);
    return result;
  }
  Tensor stored(const std::string& name) const { return constant_in(stored().first, name); }
  Tensor loaded(const std::string& name) const { return constant_in(graph, name); }

  static Tensor constant_in(const Graph& net, const std::string& name) {
    return *net.value(*find_value(net, name)).constant;
  }

  static constexpr int64_t kBatch = 8;
  Graph graph;
  TrainingSetup setup;
  std::unique_ptr<Trainer> trainer = make_trainer({.device = "cpu", .threads = 1});
};

// Largest difference, relative to the largest element that is expected; 2 for other shapes.
inline double difference(const Tensor& expected, const Tensor& found) {
  if (expected.shape() != found.shape()) return 2;
  double off = 0, scale = 1e-20;
  for (int64_t i = 0; i < expected.size(); ++i) {
    const double e = expected.as<float>()[i], f = found.as<float>()[i];
    off = e == f ? off : std::max(off, std::isfinite(e - f) ? std::abs(e - f) : 1e20);
    scale = std::max(scale, std::abs(e));
  }
  return off / scale;
}

}  // namespace coppice::train
