// What a session holds and how it changes; training itself is train.cpp.
#include "session/session.h"

#include <numeric>

#include "core/error.h"
#include "data/loader.h"
#include "graph/passes/select_channels.h"
#include "graph/value_names.h"
#include "groups/surgery.h"
#include "prune/compose_plans.h"
#include "prune/masks.h"
#include "verify/compare.h"

namespace coppice {
namespace {

// The parts of `tensors`, which have the shapes of the constants of those names, that stay.
void cut(NamedTensors& tensors, const ValueNames& names, const Groups& groups,
         const Removal& removal) {
  for (auto& [name, tensor] : tensors) {
    const std::optional<ValueId> id = names.find(name);
    COPPICE_CHECK(id.has_value(), "a tensor beside a weight that isn't there: " + name);
    std::vector<std::optional<std::vector<int64_t>>> keep(tensor.shape().size());
    for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
      const std::vector<char> stays = alive(groups, *id, axis, removal);
      if (stays.empty()) continue;
      keep[axis].emplace();
      for (size_t i = 0; i < stays.size(); ++i) {
        if (stays[i]) keep[axis]->push_back(static_cast<int64_t>(i));
      }
    }
    tensor = take(tensor, keep);
  }
}

// `after`: a copy of the graph with other weights.
bool any_constant_differs(const Graph& after, const Graph& before) {
  for (size_t i = 0; i < after.values.size(); ++i) {
    const auto &now = after.values[i].constant, &was = before.values[i].constant;
    if (now && now->bytes().data() != was->bytes().data() && *now != *was) return true;
  }
  return false;
}

// Zero is what either has zero.
void add_masks(NamedTensors& all, const NamedTensors& masks) {
  for (const auto& [name, mask] : masks) {
    const std::span<float> stays = all.emplace(name, mask).first->second.mutate<float>();
    for (size_t i = 0; i < stays.size(); ++i) stays[i] *= mask.as<float>()[i];
  }
}

}  // namespace

Session::Session(Graph original, SessionData data, Trainer& trainer, Observer& observer,
                 SessionOptions options)
    : original_(std::move(original)),
      data_(std::move(data)),
      trainer_(trainer),
      observer_(observer),
      options_(std::move(options)) {
  state_.graph = original_;
  state_.request = options_.request;
  if (options_.zeros == SessionOptions::Zeros::keep) kept_ = kept_of(original_);
  if (const auto reason = why_not_for_pictures(original_)) fail_input(*reason);
  if (!why_not_classifier(original_, *data_.training)) {
    classes_ = infer(original_).shape(original_.outputs.front())[1];
  }
  // The split is the data set's, whatever --seed says: runs that are compared by the pictures held
  // out must hold out the same ones.
  constexpr uint64_t kSplit = 0x5eed;
  HeldOut parts = hold_out(data_.training->size(), data_.held_out, kSplit);
  training_ = std::move(parts.training);
  held_out_ = std::move(parts.held_out);
}

int64_t Session::batches(const Recipe& recipe) const {
  return std::ssize(training_) / recipe.batch;
}

void Session::resume(SessionState state) {
  require_same(options_.request, state.request);
  if (const auto reason = why_not_for_pictures(state.graph)) fail_input("checkpoint: " + *reason);
  state_ = std::move(state);
  found_ = nullptr;
  loaded_ = false;
}

Traced Session::traced() {
  Traced traced = found_ ? Traced(state_.graph, found_) : Traced(state_.graph);
  found_ = traced.found();
  return traced;
}

void Session::stage(const std::string& name, const std::function<void()>& body) {
  if (next_stage_++ < std::ssize(state_.stages)) return;
  stage_name_ = name;
  trained_ = changed_ = false;
  body();
  StageRecord record{.stage = name, .epochs = epochs_of_stage(), .held_out = {}};
  if (changed_ && !trained_ && can_evaluate()) record.held_out = evaluate();
  state_.stages.push_back(record);
  state_.cursor = {};
  state_.optimizer = {};
  loaded_ = false;
  save();
  observer_.stage(record);
}

int64_t Session::epochs_of_stage() const {
  int64_t epochs = std::ssize(state_.history);
  for (const StageRecord& before : state_.stages) epochs -= before.epochs;
  return epochs;
}

Evaluation Session::evaluate() {
  COPPICE_CHECK(can_evaluate(), "an evaluation without classes or pictures");
  if (!loaded_) trainer_.load(state_.graph, {}, {});
  constexpr int64_t kBatch = 100;
  const Shape input = input_shape(state_.graph, state_.graph.inputs.front(), {});
  const int64_t fixed = fixed_batch(state_.graph);
  const EvaluationJob job{.indices = held_out_,
                          .batch = fixed > 0 ? fixed : kBatch,
                          .input = Shape(input.begin() + 1, input.end()),
                          .preprocessing = data_.preprocessing,
                          .last_batch = LastBatch::padded,
                          .form = score_form(state_.graph),
                          .after_batch = {}};
  return coppice::evaluate([&](const Tensor& images) { return trainer_.forward(images).front(); },
                           *data_.training, job);
}

void Session::remove(const Groups& groups, const Removal& removal, const RemoveOptions& options) {
  Graph before = state_.graph;  // first what can fail
  Groups with_biases = groups;  // that the plan, which speaks of the original, doesn't know
  if (options.recover.any()) recover(before, with_biases, removal, options.recover);
  Graph smaller = before;
  remove_units(smaller, with_biases, removal);
  settle_selections(smaller);
  if (options.proof == RemoveOptions::Proof::on) {
    require_cut(before, with_biases, removal, smaller, options.seed);
  }
  state_.plan = compose(state_.plan, plan_of(state_.graph, groups, removal));
  const ValueNames names(state_.graph);
  for (auto& [slot, tensors] : state_.optimizer.slots) cut(tensors, names, groups, removal);
  cut(state_.masks, names, groups, removal);
  state_.graph = std::move(smaller);
  found_ = nullptr;
  if (options.recover.any()) restore(state_.graph, kept_, state_.plan);
  changed_ = true;
  loaded_ = false;
}

void Session::adopt(Graph graph, Plan plan, NamedTensors masks) {
  state_.graph = std::move(graph);
  found_ = nullptr;
  state_.plan = std::move(plan);
  state_.plan.masks.clear();  // they are the session's own from here
  state_.masks = std::move(masks);
  state_.optimizer = {};  // of other shapes
  apply_masks(state_.graph, state_.masks);
  restore(state_.graph, kept_, state_.plan);
  changed_ = true;
  loaded_ = false;
}

void Session::rewrite(Graph graph) {
  const bool changed = changed_;
  adopt(std::move(graph), std::move(state_.plan), std::move(state_.masks));
  changed_ = changed;
}

void Session::mask(const NamedTensors& masks, Masking masking) {
  Graph masked = state_.graph;
  apply_masks(masked, masks);
  changed_ = changed_ || any_constant_differs(masked, state_.graph);
  state_.graph = std::move(masked);
  loaded_ = false;
  if (masking == Masking::soft) return;
  add_masks(state_.masks, masks);
}

NamedTensors Session::all_masks() const {
  NamedTensors all = state_.masks;
  add_masks(all, zeros_after(kept_, state_.plan));
  return all;
}

void Session::unmask() {
  state_.masks.clear();
  loaded_ = false;
}

void Session::save() {
  if (!options_.checkpoint.empty()) write_checkpoint(options_.checkpoint, state_);
}

}  // namespace coppice
