// See training.h.
#include "cli/training.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/density.h"
#include "cli/evaluate.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "core/error.h"
#include "core/threads.h"
#include "data/loader.h"
#include "report/format.h"
#include "session/checkpoint.h"
#include "session/trained_share.h"

namespace coppice {
namespace {

// Whether the original knows enough of the pictures to go on from, and to teach. A file that
// doesn't is mostly judged wrongly, and would lose what it knows: refused unless an option says
// that it is meant.
bool knows_enough(const TrainingChoice& choice, const Session& session, const Dataset& dataset,
                  const Judge& judge, const Invocation& run) {
  constexpr int64_t kEnough = 1000;
  const bool held_out = !session.held_out().empty();
  std::vector<Guess> guesses;
  evaluate(session.original(), dataset, judge.preprocessing(),
           {.indices = held_out ? session.held_out() : sample_pictures(dataset.size(), kEnough),
            .guesses = &guesses,
            .doing = "judging the original",
            .metrics = Metrics::none},
           run);
  const auto why = judge.why_little(guesses, session.classes(),
                                    held_out ? "held-out pictures" : "training pictures", &dataset);
  if (!why) return true;
  if (choice.has_rate || choice.settings.has(kLearningRate) || choice.settings.has(kDistillation)) {
    run.console.warn(*why);
    return false;
  }
  const double usual = usual_rate(choice.settings, choice.start, session.original());
  const std::string rate =
      choice.rate_hint.empty() ? "--lr " + significant(usual, 3) : choice.rate_hint;
  fail_input(*why + "; if it is untrained, --from-scratch says so; " + rate +
             " trains it as it is, if it was cut without training or is to learn other labels; "
             "--distill 1 follows its outputs without labels");
}

// Networks of more convolutions are hardly ever trained without normalisation: it was folded.
constexpr int64_t kMostWithoutNormalisation = 8;

// Folded into the convolutions it is gone for training, which then goes worse than in all tables,
// and `--recover` has nothing to go by.
void warn_without_normalisation(const Graph& graph, const Console& console) {
  const auto count = [&](const std::string& part) {
    return std::ranges::count_if(graph.nodes, [&](const Node& node) {
      return node.op_type.find(part) != std::string::npos;
    });
  };
  if (count("Conv") <= kMostWithoutNormalisation || count("Normalization") > 0) return;
  console.warn(
      "the model has no BatchNormalization, so it trains without normalisation, at a smaller rate; "
      "where it was folded into the convolutions when the model was exported, a model exported in "
      "training mode trains better");
}

Json record_json(const EpochRecord& record) {
  Json json = {{"stage", record.stage},     {"epoch", record.epoch},
               {"epochs", record.epochs},   {"learning_rate", record.learning_rate},
               {"loss", record.loss},       {"top1", record.top1 ? Json(*record.top1) : Json()},
               {"seconds", record.seconds}, {"images_per_second", record.images_per_second}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  if (record.held_out_after) json["held_out_after"] = to_json(*record.held_out_after);
  return json;
}

Json record_json(const StageRecord& record) {
  Json json = {{"stage", record.stage}, {"epochs", record.epochs}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
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
Json pictures_json(const Session& session) {
  Json parts = Json::object();
  for (const Part part : kParts) parts[name_of(part)] = session.pictures(part).size();
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
    if (!best || last_held_out(record)->top1 > last_held_out(*best)->top1) best = &record;
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

class ConsoleObserver : public Observer {
 public:
  explicit ConsoleObserver(const Invocation& run) : run_(run) {}

  void step(const StepRecord& record) override {
    const int64_t done = (record.epoch - 1) * record.batches + record.batch;
    if (!progress_) {
      progress_.emplace(run_.console, record.stage, "batches", record.epochs * record.batches,
                        done - 1);
    }
    progress_->update(done, "epoch " + std::to_string(record.epoch) + " of " +
                                std::to_string(record.epochs) + "  loss " +
                                significant(record.loss, 4) + top1_text(record.top1) + "  " +
                                short_count(record.images_per_second) + " images/s");
    if (record.batch == record.batches && record.epoch == record.epochs) progress_.reset();
  }
  void epoch(const EpochRecord& record) override {
    run_.add_metric(record_json(record));
    run_.console.remark(record.stage + ": epoch " + std::to_string(record.epoch) + " of " +
                        std::to_string(record.epochs) + "  loss " + significant(record.loss, 4) +
                        top1_text(record.top1) + held_out_text(record) + "  " +
                        duration(record.seconds));
  }
  void stage(const StageRecord& record) override {
    if (!record.held_out) return;
    run_.add_metric(record_json(record));
    run_.console.remark(record.stage + ": held out " + percentage(record.held_out->top1));
  }
  void remark(const std::string& text) override {
    run_.console.remark(text);
    remarks_.push_back(text);
  }
  bool stop_requested() override { return interrupt_requested(); }
  const Json& remarks() const { return remarks_; }

 private:
  const Invocation& run_;
  Json remarks_ = Json::array();
  std::optional<Progress> progress_;
};

// Of what was done before, in the order in which it was.
void add_metrics_of(const SessionState& saved, const Invocation& run) {
  auto epoch = saved.history.begin();
  for (const StageRecord& stage : saved.stages) {
    for (int64_t e = 0; e < stage.epochs; ++e) run.add_metric(record_json(*epoch++));
    if (stage.held_out) run.add_metric(record_json(stage));
  }
  for (; epoch != saved.history.end(); ++epoch) run.add_metric(record_json(*epoch));
}

std::filesystem::path checkpoint_path(const Invocation& run) {
  return std::filesystem::path(run.options.run_folder) / "checkpoint";
}

}  // namespace

struct TrainingRun::State {
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Trainer> trainer;
  ConsoleObserver observer;
  std::filesystem::path checkpoint;
  Recipe recipe;
  std::optional<Session> session;

  explicit State(const Invocation& run) : observer(run), checkpoint(checkpoint_path(run)) {}
};

TrainingRun::TrainingRun(const TrainingChoice& choice, Graph original, const Judge& judge,
                         const Invocation& run)
    : state_(std::make_unique<State>(run)) {
  const Settings& settings = choice.settings;
  const bool unfinished = std::filesystem::exists(state_->checkpoint);
  if (unfinished && !is_checkpoint(state_->checkpoint)) {
    fail_input("run folder '" + run.options.run_folder +
               "': its 'checkpoint' is none of coppice's and would be lost; move it, or name "
               "another folder by --run-dir");
  }
  if (unfinished && !choice.resume) {
    fail_usage("run folder '" + run.options.run_folder +
               "' holds an unfinished run; add --resume to go on with it, or delete the folder");
  }
  std::optional<SessionState> saved;
  if (unfinished) {
    saved = read_checkpoint(state_->checkpoint);
    require_same(choice.request, saved->request);
  } else if (choice.resume) {
    run.console.remark("nothing to resume in '" + run.options.run_folder + "'; starting anew");
  }
  const Start start = settings[kFromScratch] ? Start::untrained : choice.start;
  state_->dataset = judge.data().open(Split::train);
  require_same_shapes(*state_->dataset, judge.dataset());
  Recipe& recipe = state_->recipe;
  recipe = recipe_of(settings, start, original, *state_->dataset, run.options.seed);
  state_->trainer = open_trainer({.device = settings[kDevice], .threads = thread_count()});
  const double held_out =
      settings.given(kHeldOut).value_or(usual_held_out(state_->dataset->size()));
  state_->session.emplace(
      std::move(original),
      SessionData{state_->dataset.get(), judge.preprocessing(), {.held_out = held_out}},
      *state_->trainer, state_->observer,
      SessionOptions{
          .checkpoint = state_->checkpoint, .request = choice.request, .zeros = settings[kZeros]});
  Session& session = *state_->session;
  session.require_trainable(recipe);
  if (start != Start::untrained && session.classes() > 0) {
    const bool teaches = knows_enough(choice, session, *state_->dataset, judge, run);
    if (!teaches && !settings.has(kDistillation)) recipe.loss.distillation = 0;
  }
  warn_without_normalisation(session.original(), run.console);
  if (!saved) return;
  add_metrics_of(*saved, run);
  run.console.remark("going on from epoch " + std::to_string(saved->cursor.epoch + 1) + ", batch " +
                     std::to_string(saved->cursor.batch + 1));
  session.resume(std::move(*saved));
}

TrainingRun::~TrainingRun() = default;
Session& TrainingRun::session() { return *state_->session; }
const Recipe& TrainingRun::recipe() const { return state_->recipe; }

std::optional<double> TrainingRun::held_out_top1() const {
  const std::vector<StageRecord>& stages = state_->session->stages();
  if (!stages.empty() && stages.back().held_out) return stages.back().held_out->top1;
  const auto& history = state_->session->history();
  if (history.empty() || !last_held_out(history.back())) return std::nullopt;
  return last_held_out(history.back())->top1;
}

void TrainingRun::finish() {
  std::error_code gone;
  std::filesystem::remove(state_->checkpoint, gone);
}

Json TrainingRun::to_json() const {
  const auto& history = state_->session->history();
  Json epochs = Json::array();
  for (const EpochRecord& record : history) epochs.push_back(record_json(record));
  const Kept& kept = state_->session->kept();
  Json json = {{"epochs", state_->recipe.epochs},
               {"pictures", pictures_json(*state_->session)},
               {"kept", {{"zeros", count_zeros(kept)}, {"shared_layers", kept.values.size()}}},
               {"learning_rate", state_->recipe.optimizer.learning_rate},
               {"distillation", state_->recipe.loss.distillation},
               {"augmentation", to_string(state_->recipe.augmentation)},
               {"history", epochs},
               {"stages", stages_json(*state_->session)},
               {"remarks", state_->observer.remarks()}};
  const TrainedShare share = trained_share(state_->session->graph());
  json["parameters"] = {{"trained", share.trained}, {"all", share.all}};
  if (const EpochRecord* best = best_of_last_stage(history)) {
    json["best"] = {{"stage", best->stage},
                    {"epoch", best->epoch},
                    {"held_out_top1", last_held_out(*best)->top1}};
  }
  return json;
}

void add_resume(CLI::App& app, bool& resume) {
  app.add_flag("--resume", resume, "go on with a run that was interrupted")->group("Training");
}

std::string default_run_folder(const std::string& output) {
  std::filesystem::path path = output;
  if (path.extension() == ".onnx") path.replace_extension();
  return path.string() + ".run";
}

}  // namespace coppice
