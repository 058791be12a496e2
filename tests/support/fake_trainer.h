// Test support: a Trainer without gradients, cheap and deterministic. A "gradient" is a function of
// the images, the labels, the step's seed and the weight itself, so whatever is lost between two
// steps (a weight, a moment, a statistic, a place in the data) shows in every later bit. Included
// only by tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "evidence/plain_loops.h"
#include "graph/views/batch_norm.h"
#include "runtime/reference.h"
#include "training/parameters.h"
#include "training/trainer.h"

namespace coppice {

class FakeTrainer : public Trainer {
 public:
  std::map<int64_t, double> loss_at;       // update, from 1 -> what its loss is instead
  std::map<int64_t, std::string> spoiled;  // update -> the weight that it sets to NaN
  std::set<float> stepped, judged;         // first pixels: trained on, looked at
  std::set<float> passed;                  // first pixels: statistics moved by them
  std::vector<float> means;                // statistics as they were moved, without a step
  std::vector<double> fed;                 // by step: what inputs beside the images got, summed
  std::vector<float> order;                // first pixels as they were trained on
  std::vector<uint64_t> seeds;             // of the steps
  std::set<float> collected;               // first pixels: evidence collected of them
  std::vector<CollectOptions> collecting;  // how, by batch
  int64_t loads = 0;
  TrainingSetup setup;    // as last loaded
  OptimizerState loaded;  // as last loaded, to train

  void load(const Graph& graph, const TrainingSetup& given, const OptimizerState& state) override {
    ++loads;
    setup = given;
    if (!trained_parameters(graph).empty() && given.classes > 0) loaded = state;
    graph_ = graph;
    state_ = state;
    parameters_ = trained_parameters(graph_);
    NamedTensors& momentum = state_.slots["momentum"];
    for (const Parameter& parameter : parameters_) {
      const Value& value = graph_.value(parameter.id);
      Tensor& velocity = momentum[value.name];
      if (velocity.rank() == 0) velocity = Tensor::zeros(DType::f32, value.constant->shape());
      COPPICE_CHECK(velocity.shape() == value.constant->shape(), "a moment of another shape");
    }
    COPPICE_CHECK(momentum.size() == parameters_.size(), "a moment of no weight");
    keep_masks();
  }

  StepResult step(const Tensor& images, std::span<const int64_t> labels,
                  const StepOptions& options) override {
    const int64_t pixels = images.size() / images.shape()[0];
    seeds.push_back(options.seed);
    double signal = Random(options.seed).uniform() + dropped();
    fed.push_back(sum_of(options.feeds));
    signal += fed.back();
    for (int64_t i = 0; i < images.size(); ++i) {
      signal += images.as<float>()[i] * static_cast<double>(labels[i / pixels] + i % 3 + 1);
      if (i % pixels != 0) continue;
      stepped.insert(images.as<float>()[i]);
      order.push_back(images.as<float>()[i]);
    }
    const auto injected = loss_at.find(state_.updates + 1);
    const double loss = injected == loss_at.end() ? 1 + std::sin(signal) : injected->second;
    if (!std::isfinite(loss)) return {.loss = loss, .correct = 0};
    Evidence evidence = answers(images, options.requests, signal);
    ++state_.updates;
    for (size_t p = 0; p < parameters_.size(); ++p) {
      update(parameters_[p].id, signal + static_cast<double>(p), options);
    }
    shift_statistics(0.9, std::cos(signal));
    keep_masks();
    return {.loss = loss,
            .correct = static_cast<int64_t>(std::fabs(signal)) % images.shape()[0],
            .evidence = std::move(evidence)};
  }

  NamedTensors move_statistics(const Tensor& images, uint64_t seed) override {
    double signal = Random(seed).uniform();
    for (const float pixel : images.as<float>()) signal += pixel;
    for (int64_t i = 0; i < images.size(); i += images.size() / images.shape()[0]) {
      passed.insert(images.as<float>()[i]);
    }
    shift_statistics(setup.norm_momentum.of(0.9), signal);
    NamedTensors statistics;
    for (const ValueId id : running_statistics(graph_)) {
      statistics.emplace(graph_.value(id).name, *graph_.value(id).constant);
    }
    if (!statistics.empty()) means.push_back(statistics.begin()->second.as<float>()[0]);
    return statistics;
  }

  std::vector<Tensor> forward(const Tensor& images) override {
    const int64_t count = images.shape()[0], pixels = images.size() / count;
    for (int64_t i = 0; i < count; ++i) judged.insert(images.as<float>()[i * pixels]);
    return run_reference(graph_, std::span(&images, 1));
  }

  // As the plain loops have it, of what the reference computes and the "gradients" of a step.
  Evidence collect(const Tensor& images, std::span<const int64_t> labels,
                   std::span<const EvidenceRequest> requests,
                   const CollectOptions& options) override {
    const int64_t count = images.shape()[0], pixels = images.size() / count;
    collecting.push_back(options);
    double signal = Random(options.seed).uniform();
    for (int64_t i = 0; i < count; ++i) {
      collected.insert(images.as<float>()[i * pixels]);
      signal += static_cast<double>(labels[i]) * images.as<float>()[i * pixels];
    }
    return answers(images, requests, signal);
  }

  void store(Graph& graph, OptimizerState& state) const override {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].constant) graph.values[i].constant = graph_.values[i].constant;
    }
    state = state_;
  }

 private:
  Evidence answers(const Tensor& images, std::span<const EvidenceRequest> requests,
                   double signal) const {
    Evidence evidence;
    for (const EvidenceRequest& request : requests) {
      const auto id = find_value(graph_, request.value);
      if (!id) refuse(request, "the model has none of that name");
      evidence.add(request, is_of_gates(request.reduction)
                                ? gates_of(images, *id, signal, request)
                                : of_constant(*id, signal, images.shape()[0], request));
    }
    return evidence;
  }

  static Tensor gradient_of(const Tensor& tensor, double signal) {
    Tensor gradient = Tensor::zeros(DType::f32, tensor.shape());
    const std::span<float> numbers = gradient.mutate<float>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = static_cast<float>(std::sin(signal + static_cast<double>(i)));
    }
    return gradient;
  }

  Tensor gates_of(const Tensor& images, ValueId id, double signal,
                  const EvidenceRequest& request) const {
    const Tensor value =
        run_reference(graph_, std::span(&images, 1), std::vector<ValueId>{id}).back();
    const bool of_batch = request.reduction == Reduction::batch_gate_gradients;
    return Tensor::of<double>(
        {of_batch ? 1 : value.shape()[0], value.shape()[request.axis]},
        plain::gate_gradients({value}, {gradient_of(value, signal)}, request));
  }

  Tensor of_constant(ValueId id, double signal, int64_t images,
                     const EvidenceRequest& request) const {
    const Tensor weight = *graph_.value(id).constant, gradient = gradient_of(weight, signal);
    if (is_of_weights(request.reduction)) {
      const auto sums = plain::weight_gradients({gradient}, {images});
      return Tensor::of<float>(weight.shape(), std::vector<float>(sums.begin(), sums.end()));
    }
    for (const Node& node : graph_.nodes) {
      const auto norm = batch_norm_of(graph_, node);
      if (!norm || norm->scale != id) continue;
      const Tensor shift = *graph_.value(norm->shift).constant;
      return Tensor::of<double>(
          weight.shape(),
          plain::scale_saliency({weight}, {gradient}, {shift}, {gradient_of(shift, signal)}));
    }
    refuse(request, "it isn't the scale of a BatchNormalization");
  }

  // Of all Dropouts together.
  double dropped() const {
    double sum = 0;
    for (const Node& node : graph_.nodes) {
      if (node.op_type != "Dropout") continue;
      const bool given = node.inputs.size() > 1;
      sum += given ? graph_.value(node.inputs[1]).constant->as<float>()[0]
                   : node.attributes.real("ratio", 0.5f);
    }
    return sum;
  }

  void update(ValueId id, double signal, const StepOptions& options) {
    if (setup.frozen.contains(graph_.value(id).name)) return;
    const Tensor before = *graph_.value(id).constant;
    const std::span<float> weights = graph_.value(id).constant->mutate<float>();
    const std::span<float> velocity =
        state_.slots.at("momentum").at(graph_.value(id).name).mutate<float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      const double gradient = std::sin(signal + static_cast<double>(i)) + 0.1 * weights[i];
      velocity[i] = static_cast<float>(0.9 * velocity[i] + gradient);
      weights[i] -= static_cast<float>(options.learning_rate * velocity[i]);
    }
    const std::string& name = graph_.value(id).name;
    if (setup.tied.contains(name) || setup.shared.contains(name)) {
      std::map<float, size_t> first;  // of a value
      for (size_t i = 0; i < weights.size(); ++i) {
        if (before.as<float>()[i] == 0) continue;
        const size_t same = first.emplace(before.as<float>()[i], i).first->second;
        weights[i] = weights[same];
        velocity[i] = velocity[same];
      }
    }
    const auto found = spoiled.find(state_.updates);
    if (found != spoiled.end() && found->second == graph_.value(id).name) {
      std::ranges::fill(weights, std::nanf(""));
    }
  }

  // Of all inputs beside the images together.
  double sum_of(const NamedTensors& feeds) const {
    double sum = 0;
    for (size_t i = 1; i < graph_.inputs.size(); ++i) {
      for (const float x : feeds.at(graph_.value(graph_.inputs[i]).name).as<float>()) sum += x;
    }
    return sum;
  }

  void shift_statistics(double momentum, double value) {
    for (const Node& node : graph_.nodes) {
      if (node.op_type != "BatchNormalization") continue;
      for (float& mean : graph_.value(node.inputs[3]).constant->mutate<float>()) {
        mean = static_cast<float>(momentum * mean + (1 - momentum) * value);
      }
    }
  }

  void keep_masks() {
    for (const auto& [name, mask] : setup.masks) {
      const std::span<float> weights =
          graph_.value(*find_value(graph_, name)).constant->mutate<float>();
      const std::span<float> velocity = state_.slots["momentum"].at(name).mutate<float>();
      COPPICE_CHECK(weights.size() == mask.as<float>().size(), "a mask of another shape");
      for (size_t i = 0; i < weights.size(); ++i) {
        if (mask.as<float>()[i] == 0) weights[i] = velocity[i] = 0;
      }
    }
  }

  Graph graph_;
  std::vector<Parameter> parameters_;
  OptimizerState state_;
};

}  // namespace coppice
