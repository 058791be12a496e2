// Parameters are copies of the graph's constants, forward passes are Programs, gradients are
// autograd's, updates are optimizer.h's.
#include "libtorch/trainer/trainer.h"

#include <malloc.h>

#include <cmath>
#include <iterator>
#include <optional>

#include "core/error.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/views/batch_norm.h"
#include "libtorch/evidence/gradient_evidence.h"
#include "libtorch/loss/loss.h"
#include "libtorch/loss/loss_values.h"
#include "libtorch/network.h"
#include "libtorch/optimizer/one_pass.h"
#include "libtorch/optimizer/optimizer.h"
#include "libtorch/tensors.h"
#include "libtorch/torch.h"
#include "libtorch/trainer/device.h"
#include "libtorch/trainer/step_result.h"
#include "training/parameters.h"

namespace coppice::train {
namespace {

// In a copy that trains; the file's stays as it is.
void set_norm_momentum(Graph& graph, const NormMomentum& momentum) {
  for (Node& node : graph.nodes) {
    if (!is_batch_norm_at_inference(node)) continue;
    const double of_file = node.attributes.real("momentum", 0.9f);
    node.attributes.set("momentum", static_cast<float>(momentum.of(of_file)));
  }
}

StillChannels still_channels_of(const NamedTensors& marks) {
  StillChannels still;
  for (const auto& [scale, mark] : marks) {
    const std::span<const float> channels = mark.as<float>();
    for (int64_t c = 0; c < mark.size(); ++c) {
      if (channels[c] != 0) still[scale].push_back(c);
    }
  }
  return still;
}

class TorchTrainer : public Trainer {
 public:
  explicit TorchTrainer(at::Device device) : device_(device) {}

  void load(const Graph& graph, const TrainingSetup& setup, const OptimizerState& state) override {
    setup_ = setup;
    updates_ = state.updates;
    load_student(graph);
    load_teacher();
    load_parameters(state);
    statistics_ = running_statistics(graph);
    for (const ValueId id : statistics_) student_->constant(id);
  }

  StepResult step(const Tensor& images, std::span<const int64_t> labels,
                  const StepOptions& options) override {
    COPPICE_CHECK(!has_labels() || images.shape()[0] == std::ssize(labels),
                  "as many labels as images are needed");
    at::manual_seed(options.seed);
    const std::vector<at::Tensor> inputs = inputs_of(images, options.feeds);
    const Targets targets = targets_for(inputs.front(), labels);
    const at::Tensor statistics = copy_statistics();
    const GradientRequests asked(student_->graph(), options.requests);
    const Pass pass = run_watched(*student_, inputs, asked, Mode::training);
    const at::Tensor loss = whole_loss(pass.outputs, pass.found, targets);
    std::vector<at::Tensor> tensors = weights();
    tensors.insert(tensors.end(), pass.asked.begin(), pass.asked.end());
    // Asked for before the loss is read, which waits for CUDA: it then has something to go on with.
    std::vector<at::Tensor> gradients = gradients_of(loss, tensors, order_of(asked));
    const auto of_asked = gradients.begin() + std::ssize(parameters_);
    StepResult result = read_result(loss, pass.outputs[0], targets.labels, setup_.classes);
    if (std::isfinite(result.loss)) {
      result.evidence = asked.answers(pass.asked, {of_asked, gradients.end()}, images.shape()[0]);
      gradients.resize(parameters_.size());
      update_all(gradients, options.learning_rate);
    } else {
      restore_statistics(statistics);
    }
    return result;
  }

  NamedTensors move_statistics(const Tensor& images, uint64_t seed) override {
    at::manual_seed(seed);
    const at::NoGradGuard no_gradients;
    student_->run(inputs_of(images, {}), Network::Gives::outputs, Mode::training);
    NamedTensors statistics;
    for (const ValueId id : statistics_) {
      statistics.emplace(student_->graph().value(id).name, from_torch(student_->constant(id)));
    }
    return statistics;
  }

  std::vector<Tensor> forward(const Tensor& images) override {
    const at::NoGradGuard no_gradients;
    const std::vector<at::Tensor> found =
        student_->run(inputs_of(images, {}), Network::Gives::outputs, Mode::evaluation);
    std::vector<Tensor> outputs;
    auto next = found.begin();
    for (const char computed : computed_) {
      outputs.push_back(computed ? from_torch(*next++) : Tensor());
    }
    return outputs;
  }

  Evidence collect(const Tensor& images, std::span<const int64_t> labels,
                   std::span<const EvidenceRequest> requests,
                   const CollectOptions& options) override {
    COPPICE_CHECK(!has_labels() || images.shape()[0] == std::ssize(labels),
                  "as many labels as images are needed");
    const GradientRequests asked(student_->graph(), requests);
    if (requests.empty()) return {};
    at::manual_seed(options.seed);
    std::vector<at::Tensor> inputs = inputs_of(images, {});
    const Targets targets = targets_for(inputs.front(), labels);
    const bool training = options.mode == CollectOptions::Mode::training;
    std::optional<Network> doubled;
    if (options.numbers == CollectOptions::Numbers::f64) {
      load_doubled(doubled);
      for (at::Tensor& input : inputs) input = in_double(input);
    }
    Network& network = doubled ? *doubled : *student_;
    const AsItWas as_it_was(network, statistics_);
    const Pass pass =
        run_watched(network, inputs, asked, training ? Mode::training : Mode::evaluation);
    const at::Tensor loss = whole_loss(pass.outputs, pass.found, targets);
    return asked.answers(pass.asked, gradients_of(loss, pass.asked, order_of(asked)),
                         inputs.front().size(0));
  }

  void store(Graph& graph, OptimizerState& state) const override {
    const Network& student = *student_;
    const std::vector<std::string> names = slot_names(setup_.optimizer);
    state = {.updates = updates_, .slots = {}};
    for (size_t p = 0; p < parameters_.size(); ++p) {
      graph.value(ids_[p]).constant = from_torch(parameters_[p].weight);
      for (size_t s = 0; s < names.size(); ++s) {
        const at::Tensor& slot = parameters_[p].slots[s];
        if (slot.defined()) state.slots[names[s]][parameters_[p].name] = from_torch(slot);
      }
      const at::Tensor& codes = parameters_[p].codes;
      if (codes.defined()) {
        state.slots[kCodesSlot][parameters_[p].name] =
            from_torch(codes.reshape(parameters_[p].weight.sizes()).to(at::kInt));
      }
    }
    for (const ValueId id : statistics_)
      graph.value(id).constant = from_torch(student.constant(id));
  }

 private:
  at::Tensor on_device(const Tensor& images) const {
    return in_fast_layout(to_torch(images, device_));
  }

  // In the order of the graph's.
  std::vector<at::Tensor> inputs_of(const Tensor& images, const NamedTensors& feeds) const {
    std::vector<at::Tensor> inputs{on_device(images)};
    const Graph& graph = student_->graph();
    for (size_t i = 1; i < graph.inputs.size(); ++i) {
      const std::string& name = graph.value(graph.inputs[i]).name;
      const auto feed = feeds.find(name);
      if (feed == feeds.end()) fail_input("input '" + name + "' is given nothing");
      inputs.push_back(on_device(feed->second));
    }
    return inputs;
  }

  Targets targets_for(const at::Tensor& images, std::span<const int64_t> labels) {
    Targets targets{.labels = {},
                    .teacher = {},
                    .classes = setup_.classes,
                    .scores = student_values_->scores()};
    if (has_labels()) {
      targets.labels = at::tensor(at::ArrayRef<int64_t>(labels.data(), labels.size()),
                                  at::TensorOptions(at::kLong).pinned_memory(device_.is_cuda()))
                           .to(device_, /*non_blocking=*/true);
    }
    if (teacher_) {
      const at::NoGradGuard no_gradients;
      targets.teacher = teacher_values_->by_output(
          teacher_->run({images}, Network::Gives::loss, Mode::evaluation));
    }
    return targets;
  }

  at::Tensor whole_loss(const std::vector<at::Tensor>& outputs,
                        const std::vector<at::Tensor>& found, const Targets& targets) const {
    const at::Tensor loss = loss_of(outputs, targets, setup_.loss);
    const at::Tensor more = student_values_->sum_of_losses(found);
    return more.defined() ? loss + more : loss;
  }

  struct Pass {
    std::vector<at::Tensor> found, outputs;  // what a loss is made from
    std::vector<at::Tensor> asked;           // as GradientRequests::answers takes them
  };
  Pass run_watched(Network& network, const std::vector<at::Tensor>& inputs,
                   const GradientRequests& asked, Mode mode) const {
    Pass pass;
    if (asked.values().empty()) {
      pass.found = network.run(inputs, Network::Gives::loss, mode);
    } else {
      std::vector<ValueId> watched = student_values_->wanted();
      watched.insert(watched.end(), asked.values().begin(), asked.values().end());
      network.watch(std::move(watched));
      pass.found = network.run(inputs, Network::Gives::watched, mode);
      pass.asked.assign(pass.found.end() - std::ssize(asked.values()), pass.found.end());
    }
    pass.outputs = student_values_->by_output(pass.found);
    for (const ValueId id : asked.weights()) pass.asked.push_back(network.constant(id));
    return pass;
  }

  static Order order_of(const GradientRequests& asked) {
    return asked.needs_second_order() ? Order::second : Order::first;
  }

  // The student as it is, in double.
  void load_doubled(std::optional<Network>& doubled) const {
    const Network& student = *student_;
    doubled.emplace(student.graph(), Network::Wanted{student_values_->wanted(), {}}, device_,
                    Floats::doubled, still_channels_of(setup_.still));
    std::vector<ValueId> moved = statistics_;
    for (const Parameter& parameter : trained_parameters(student.graph())) {
      moved.push_back(parameter.id);
    }
    for (const ValueId id : moved) {
      const at::Tensor& now = student.constant(id);
      if (now.defined()) doubled->constant(id) = in_double(now.detach());
    }
  }

  bool has_labels() const {
    return setup_.classes > 0 && setup_.labels == TrainingSetup::Labels::used;
  }

  // One after the other in one tensor, which CUDA has to be asked for once; undefined without any.
  at::Tensor copy_statistics() {
    std::vector<at::Tensor> all;
    for (const ValueId id : statistics_) all.push_back(student_->constant(id).reshape({-1}));
    return all.empty() ? at::Tensor() : at::cat(all);
  }

  void restore_statistics(const at::Tensor& copy) {
    int64_t begin = 0;
    for (const ValueId id : statistics_) {
      at::Tensor& statistic = student_->constant(id);
      const int64_t size = statistic.numel();
      statistic.copy_(copy.narrow(0, begin, size).reshape(statistic.sizes()));
      begin += size;
    }
  }

  void load_student(Graph graph) {
    student_values_.emplace(graph, setup_, LossValues::Side::student);
    Network::Wanted wanted{.loss = student_values_->wanted(), .outputs = {}};
    computed_ = computable_outputs(graph);
    for (size_t o = 0; o < computed_.size(); ++o) {
      if (computed_[o]) wanted.outputs.push_back(graph.outputs[o]);
    }
    set_norm_momentum(graph, setup_.norm_momentum);
    student_.emplace(std::move(graph), std::move(wanted), device_, Floats::single,
                     still_channels_of(setup_.still));
    student_->prepare();
  }

  void load_teacher() {
    teacher_.reset();
    COPPICE_CHECK(setup_.teacher != nullptr || setup_.loss.distillation <= 0,
                  "distillation without a teacher");
    if (setup_.teacher == nullptr) return;
    Graph teacher = *setup_.teacher;
    fuse_batch_norms(teacher);  // it never trains, and a third of its time is normalisation
    teacher_values_.emplace(teacher, setup_, LossValues::Side::teacher);
    if (teacher_values_->wanted().empty()) return;
    const std::vector<ValueId> wanted = teacher_values_->wanted();
    teacher_.emplace(std::move(teacher), Network::Wanted{wanted, {}}, device_);
  }

  void load_parameters(const OptimizerState& state) {
    ids_.clear();
    parameters_.clear();
    has_ties_ = false;
    const std::vector<std::string> slots = slot_names(setup_.optimizer);
    const bool all = setup_.optimizer.decayed == OptimizerOptions::Decayed::all;
    for (const Parameter& parameter : trained_parameters(student_->graph())) {
      Trained trained;
      trained.name = student_->graph().value(parameter.id).name;
      if (setup_.frozen.contains(trained.name)) continue;
      trained.weight = student_->constant(parameter.id);
      trained.decayed = all || parameter.kind == Parameter::Kind::weight;
      if (setup_.l1.weights.contains(trained.name)) trained.l1 = setup_.l1.strength;
      if (const auto mask = setup_.masks.find(trained.name); mask != setup_.masks.end()) {
        trained.pruned = like(mask->second, trained.weight).eq(0);
      }
      for (size_t s = 0; s < slots.size(); ++s) {
        const auto slot = state.slots.find(slots[s]);
        if (slot == state.slots.end()) continue;
        const auto found = slot->second.find(trained.name);
        if (found != slot->second.end()) trained.slots[s] = like(found->second, trained.weight);
      }
      apply_mask(trained);
      if (setup_.shared.contains(trained.name)) trained.tied = Trained::Tied::by_mean;
      if (setup_.tied.contains(trained.name) || setup_.shared.contains(trained.name)) {
        trained.codes = codes_for(trained, state);
        has_ties_ = true;
      }
      trained.weight.requires_grad_();
      ids_.push_back(parameter.id);
      parameters_.push_back(std::move(trained));
    }
  }

  // Which value of its own each element had when training began. Two values may have met since, so
  // what was stored counts; a filter that was zeroed since comes back by itself.
  static at::Tensor codes_for(const Trained& trained, const OptimizerState& state) {
    const auto slot = state.slots.find(kCodesSlot);
    if (slot != state.slots.end() && slot->second.contains(trained.name)) {
      const Tensor& stored = slot->second.at(trained.name);
      const at::Tensor codes =
          to_torch(stored, trained.weight.device()).reshape({-1}).to(at::kLong);
      return apart_where_zero(codes, trained.weight);
    }
    return codes_of(trained.weight);
  }

  at::Tensor like(const Tensor& tensor, const at::Tensor& weight) const {
    COPPICE_CHECK(at::IntArrayRef(tensor.shape()) == weight.sizes(),
                  "a mask or a moment of another shape than its weight");
    return in_fast_layout(to_torch(tensor, device_));
  }

  std::vector<at::Tensor> weights() const {
    std::vector<at::Tensor> all;
    for (const Trained& parameter : parameters_) all.push_back(parameter.weight);
    return all;
  }

  void update_all(std::vector<at::Tensor>& gradients, double learning_rate) {
    const at::NoGradGuard no_gradients;
    if (setup_.optimizer.clip_norm > 0 || has_ties_) mask(gradients);
    if (setup_.optimizer.clip_norm > 0) clip(gradients, setup_.optimizer.clip_norm);
    for (size_t p = 0; p < parameters_.size(); ++p) {
      if (gradients[p].defined()) tie(parameters_[p], gradients[p]);
    }
    update(parameters_, gradients, setup_.optimizer, {learning_rate, ++updates_});
  }

  // Pruned weights don't move (apply_mask), so their gradients must neither shorten the step of the
  // others nor be summed into that of others with their value.
  void mask(std::vector<at::Tensor>& gradients) const {
    for (size_t p = 0; p < parameters_.size(); ++p) {
      const at::Tensor& pruned = parameters_[p].pruned;
      if (!pruned.defined() || !gradients[p].defined()) continue;
      gradients[p] = kept_of(gradients[p], pruned);
    }
  }

  at::Device device_;
  TrainingSetup setup_;
  int64_t updates_ = 0;
  std::optional<Network> student_, teacher_;
  std::optional<LossValues> student_values_, teacher_values_;
  std::vector<char> computed_;  // by output: forward gives it
  std::vector<ValueId> ids_;    // of the parameters
  std::vector<Trained> parameters_;
  bool has_ties_ = false;
  std::vector<ValueId> statistics_;
};

}  // namespace

std::unique_ptr<Trainer> make_trainer(const TrainerOptions& options) {
  // Activations of some megabytes come and go with every step. From fresh pages each costs more
  // than what is computed in it (9 % of a ResNet-20 step), so freed memory stays in the heap.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  const at::Device device = open_device(options.device);
  at::set_num_threads(options.threads);
  return std::make_unique<TorchTrainer>(device);
}

}  // namespace coppice::train
