// What a session holds and how it changes; training itself is train.cpp.
#include "session/session.h"

#include "core/error.h"
#include "graph/passes/halves.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "prune/masks/masks.h"
#include "prune/plan/compose_plans.h"
#include "session/options/teacher.h"
#include "session/state/beside_weights.h"
#include "session/state/checkpoint.h"
#include "session/state/fact_names.h"
#include "session/state/snapshot.h"
#include "verify/compare.h"

namespace coppice {
namespace {

// `after`: a copy of the graph with other weights.
bool any_constant_differs(const Graph& after, const Graph& before) {
  for (size_t i = 0; i < after.values.size(); ++i) {
    const auto &now = after.values[i].constant, &was = before.values[i].constant;
    if (now && now->bytes().data() != was->bytes().data() && *now != *was) return true;
  }
  return false;
}

}  // namespace

Session::Session(Graph original, SessionData data, Trainer& trainer, Observer& observer,
                 SessionOptions options)
    : original_(std::move(original)),
      data_(std::move(data)),
      trainer_(trainer),
      observer_(observer),
      options_(std::move(options)) {
  state_.request = options_.request;
  if (options_.zeros == SessionOptions::Zeros::keep) kept_ = kept_of(original_);
  if (const auto reason = why_not_for_images(original_)) fail_input(*reason);
  if (!why_not_classifier(original_, *data_.training)) {
    classes_ = infer(original_).shape(original_.outputs.front())[1];
  }
  if (options_.teacher) require_teaches(*options_.teacher, original_);
  state_.graph = original_;
  separate_vectors(state_.graph);
  parts_ = parts_of(*data_.training, data_.shares);
}

int64_t Session::batches(const Recipe& recipe) const {
  return std::ssize(images(Part::training)) / recipe.batch;
}

void Session::resume(SessionState state) {
  require_same(options_.request, state.request);
  if (const auto reason = why_no_images_first(state.graph)) fail_input("checkpoint: " + *reason);
  state_ = std::move(state);
  note_halves(state_.graph, original_);
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
  kept_earlier_ = false;
  facts_ = {};
  body();
  StageRecord record{.stage = name, .epochs = epochs_of_stage(), .held_out = {}, .facts = facts_};
  const bool judged = (changed_ && !trained_) || kept_earlier_;
  if (judged && can_evaluate()) record.held_out = evaluate();
  state_.stages.push_back(record);
  state_.cursor = {};
  state_.optimizer = {};
  loaded_ = false;
  save();
  observer_.stage(record);
}

void Session::note(const std::string& name, double value) {
  (trained_ ? state_.history.back().facts : facts_).emplace_back(name, value);
}

int64_t Session::epochs_of_stage() const {
  int64_t epochs = std::ssize(state_.history);
  for (const StageRecord& before : state_.stages) epochs -= before.epochs;
  return epochs;
}

void Session::remove(const Groups& groups, const Removal& removal, const RemoveOptions& options) {
  Graph before = state_.graph;  // first what can fail
  Groups with_biases = groups;  // that the plan, which speaks of the original, doesn't know
  RecoverOptions recovering = options.recover;
  // What would be zero or shared again below isn't what was fitted.
  if (!kept_.empty()) recovering.basis = recovering.ls = false;
  if (recovering.any()) recover(before, with_biases, removal, recovering);
  Graph smaller = before;
  remove_units(smaller, with_biases, removal);
  settle_selections(smaller);
  if (options.proof == RemoveOptions::Proof::on) {
    require_cut(before, with_biases, removal, smaller, options.seed);
  }
  if (options.recover.any() && !trained_ && can_evaluate()) {
    Graph plain = state_.graph;
    remove_units(plain, groups, removal);
    settle_selections(plain);
    note(kUnrecoveredTop1, evaluate(plain, Part::held_out).top1);
  }
  state_.plan = compose(state_.plan, plan_of(state_.graph, groups, removal));
  const auto cut_beside = [&](NamedTensors& tensors) {
    cut(tensors, state_.graph, groups, removal);
  };
  for (auto& [slot, tensors] : state_.optimizer.slots) cut_beside(tensors);
  for (auto& [name, tensors] : state_.snapshots) cut_beside(tensors);
  cut_beside(state_.masks);
  cut_beside(state_.still);
  state_.graph = std::move(smaller);
  found_ = nullptr;
  if (options.recover.any()) coppice::restore(state_.graph, kept_, state_.plan);
  changed_ = true;
  loaded_ = false;
}

void Session::edit(Graph graph) {
  set_graph(std::move(graph));
  changed_ = true;
}

void Session::rewrite(Graph graph) { set_graph(std::move(graph)); }

void Session::adopt(Graph graph, Plan plan, NamedTensors masks) {
  apply_masks(graph, masks);
  state_.plan = std::move(plan);
  state_.plan.masks.clear();  // they are the session's own from here
  state_.masks = std::move(masks);
  state_.still = {};
  state_.optimizer = {};
  edit(std::move(graph));
}

void Session::set_graph(Graph graph) {
  separate_vectors(graph);
  apply_masks(graph, state_.masks);
  coppice::restore(graph, kept_, state_.plan);
  keep_fitting(state_.optimizer, state_.graph, graph);
  for (auto& [name, weights] : state_.snapshots) keep_fitting(weights, graph);
  keep_fitting(state_.masks, graph);  // what is gone with its layer
  keep_fitting(state_.still, graph);
  state_.graph = std::move(graph);
  found_ = nullptr;
  loaded_ = false;
}

// `graph`: what there is with other weights.
void Session::set_weights_alone(Graph graph) {
  changed_ = changed_ || any_constant_differs(graph, state_.graph);
  state_.graph = std::move(graph);
  loaded_ = false;
}

void Session::mask(const NamedTensors& masks, Masking masking) {
  Graph masked = state_.graph;
  apply_masks(masked, masks);
  if (masking == Masking::soft) return set_weights_alone(std::move(masked));
  NamedTensors all = state_.masks;
  add_masks(all, masks);
  set_masks(std::move(all));
}

void Session::set_masks(NamedTensors masks) {
  Graph masked = state_.graph;
  apply_masks(masked, masks);
  set_weights_alone(std::move(masked));
  stop_masked(state_.optimizer, state_.masks);
  stop_masked(state_.optimizer, masks);
  state_.masks = std::move(masks);
}

void Session::hold_statistics(const NamedTensors& channels) {
  for (const auto& [scale, marks] : channels) {
    Tensor& all =
        state_.still.try_emplace(scale, Tensor::zeros(DType::f32, marks.shape())).first->second;
    COPPICE_CHECK(all.shape() == marks.shape(), "marks of another shape than their scale");
    for (int64_t c = 0; c < marks.size(); ++c) {
      if (marks.as<float>()[c] != 0) all.mutate<float>()[c] = 1;
    }
  }
  loaded_ = false;
}

NamedTensors Session::all_masks() const {
  NamedTensors all = state_.masks;
  add_masks(all, zeros_after(kept_, state_.plan));
  return all;
}

void Session::snapshot(const std::string& name) {
  state_.snapshots[name] = weights_of(state_.graph);
}

void Session::restore(const std::string& name) {
  const auto found = state_.snapshots.find(name);
  COPPICE_CHECK(found != state_.snapshots.end(), "no snapshot '" + name + "'");
  Graph graph = state_.graph;
  set_weights(graph, found->second);
  state_.optimizer = {};
  edit(std::move(graph));
}

void Session::save_or_stop() {
  save();
  if (observer_.stop_requested()) fail_interrupted("stage '" + stage_name_ + "'");
}

void Session::fail_interrupted(const std::string& where) const {
  throw Error(ErrorKind::interrupted, "interrupted in " + where,
              options_.checkpoint.empty()
                  ? Hints()
                  : Hints{option_hint("resume", "", "with the same command goes on from here")});
}

void Session::save() {
  if (!options_.checkpoint.empty()) write_checkpoint(options_.checkpoint, state_);
}

}  // namespace coppice
