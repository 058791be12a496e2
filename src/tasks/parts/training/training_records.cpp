// See training_records.h.
#include "tasks/parts/training/training_records.h"

#include <algorithm>
#include <utility>

#include "report/format.h"
#include "tasks/parts/density.h"
#include "tasks/parts/evaluate.h"
#include "training/judging/better.h"
#include "training/trained_share.h"

namespace coppice {
namespace {

void add_facts(Json& json, const Facts& facts) {
  for (const auto& [name, value] : facts) json[name] = value;
}

std::string facts_text(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : facts) {
    text += (text.empty() ? "  " : ", ") + name + " " + significant(value, 4);
  }
  std::ranges::replace(text, '_', ' ');
  return text;
}

Json record_json(const EpochRecord& record) {
  Json json = {{"stage", record.stage},     {"epoch", record.epoch},
               {"epochs", record.epochs},   {"learning_rate", record.learning_rate},
               {"loss", record.loss},       {"top1", record.top1 ? Json(*record.top1) : Json()},
               {"seconds", record.seconds}, {"images_per_second", record.images_per_second}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  if (record.held_out_after) json["held_out_after"] = to_json(*record.held_out_after);
  add_facts(json, record.facts);
  return json;
}

Json record_json(const StageRecord& record) {
  Json json = {{"stage", record.stage}, {"epochs", record.epochs}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  add_facts(json, record.facts);
  return json;
}

// What each stage trained by; methods choose other rates for some.
Json stages_json(const Session& session) {
  Json stages = Json::array();
  for (const StageRecord& stage : session.stages()) {
    stages.push_back(record_json(stage));
    const auto first = std::ranges::find(session.history(), stage.stage, &EpochRecord::stage);
    if (first == session.history().end()) continue;
    stages.back()["optimizer"] = first->optimizer;
    stages.back()["learning_rate"] = first->largest_rate;
  }
  return stages;
}

// How many there are in each part.
Json images_json(const Session& session) {
  Json parts = Json::object();
  for (const Part part : kParts) parts[name_of(part)] = session.images(part).size();
  return parts;
}

// Of the model as the epoch's end left it.
const std::optional<Evaluation>& last_held_out(const EpochRecord& record) {
  return record.held_out_after ? record.held_out_after : record.held_out;
}

// Earlier stages trained other models: not yet cut, less sparse, not yet shared.
const EpochRecord* best_of_last_stage(const std::vector<EpochRecord>& history) {
  const EpochRecord* best = nullptr;
  for (const EpochRecord& record : history) {
    if (record.stage != history.back().stage || !last_held_out(record)) continue;
    if (!best || is_better(*last_held_out(record), *last_held_out(*best))) best = &record;
  }
  return best;
}

std::string top1_text(std::optional<double> top1) {
  return top1 ? "  top-1 " + percentage(*top1) : "";
}

std::string held_out_text(const EpochRecord& record) {
  if (!record.held_out) return "";
  const std::string text = "  held out " + percentage(record.held_out->top1);
  if (!record.held_out_after) return text;
  return text + ", " + percentage(record.held_out_after->top1) + " after zeroing";
}

}  // namespace

void TrainingObserver::step(const StepRecord& record) {
  const int64_t done = (record.epoch - 1) * record.batches + record.batch;
  Progress progress{.doing = record.stage,
                    .unit = "batches",
                    .done = done - 1,
                    .total = record.epochs * record.batches};
  if (!std::exchange(begun_, true)) watcher_.progress(progress);
  progress.done = done;
  progress.note = "epoch " + std::to_string(record.epoch) + " of " + std::to_string(record.epochs) +
                  "  loss " + significant(record.loss, 4) + top1_text(record.top1) + "  " +
                  short_count(record.images_per_second) + " images/s";
  watcher_.progress(progress);
  if (progress.done == progress.total) begun_ = false;
}

void TrainingObserver::epoch(const EpochRecord& record) {
  watcher_.metric(record_json(record));
  watcher_.remark(record.stage + ": epoch " + std::to_string(record.epoch) + " of " +
                  std::to_string(record.epochs) + "  loss " + significant(record.loss, 4) +
                  top1_text(record.top1) + held_out_text(record) + facts_text(record.facts) + "  " +
                  duration(record.seconds));
}

void TrainingObserver::stage(const StageRecord& record) {
  if (!record.held_out) return;
  watcher_.metric(record_json(record));
  watcher_.remark(record.stage + ": held out " + percentage(record.held_out->top1) +
                  facts_text(record.facts));
}

void TrainingObserver::remark(const std::string& text) {
  watcher_.remark(text);
  remarks_.push_back(text);
}

std::vector<Json> metrics_of(const SessionState& saved) {
  std::vector<Json> metrics;
  auto epoch = saved.history.begin();
  for (const StageRecord& stage : saved.stages) {
    for (int64_t e = 0; e < stage.epochs; ++e) metrics.push_back(record_json(*epoch++));
    if (stage.held_out) metrics.push_back(record_json(stage));
  }
  for (; epoch != saved.history.end(); ++epoch) metrics.push_back(record_json(*epoch));
  return metrics;
}

std::optional<double> last_held_out_top1(const Session& session) {
  const std::vector<StageRecord>& stages = session.stages();
  if (!stages.empty() && stages.back().held_out) return stages.back().held_out->top1;
  const auto& history = session.history();
  if (history.empty() || !last_held_out(history.back())) return std::nullopt;
  return last_held_out(history.back())->top1;
}

Json training_json(const Session& session, const Recipe& recipe) {
  Json epochs = Json::array();
  for (const EpochRecord& record : session.history()) epochs.push_back(record_json(record));
  const Kept& kept = session.kept();
  Json json = {{"epochs", recipe.epochs},
               {"images", images_json(session)},
               {"kept", {{"zeros", count_zeros(kept)}, {"shared_layers", kept.values.size()}}},
               {"learning_rate", recipe.optimizer.learning_rate},
               {"distillation", recipe.loss.distillation},
               {"augmentation", to_string(recipe.augmentation)},
               {"history", epochs},
               {"stages", stages_json(session)}};
  const TrainedShare share = trained_share(session.graph());
  json["parameters"] = {{"trained", share.trained}, {"all", share.all}};
  if (const EpochRecord* best = best_of_last_stage(session.history())) {
    json["best"] = {{"stage", best->stage},
                    {"epoch", best->epoch},
                    {"held_out_top1", last_held_out(*best)->top1}};
  }
  return json;
}

}  // namespace coppice
