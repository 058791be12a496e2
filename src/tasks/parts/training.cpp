// See training.h.
#include "tasks/parts/training.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/threads.h"
#include "data/loader.h"
#include "graph/op.h"
#include "graph/views/linear_layer.h"
#include "model/load.h"
#include "report/format.h"
#include "tasks/parts/density.h"
#include "tasks/parts/evaluate.h"
#include "tasks/parts/training/kept_state.h"
#include "tasks/parts/training/training_records.h"

namespace coppice {
namespace {

// Whether the original knows enough of the images to go on from, and to teach. A file that
// doesn't is mostly judged wrongly, and would lose what it knows: refused unless an option says
// that it is meant.
// `top1`: the share of the held-out images that it gets right.
bool knows_enough(const TrainingChoice& choice, const Session& session, const Dataset& dataset,
                  const Judge& judge, Watcher& watcher, std::optional<double>& top1) {
  constexpr int64_t kEnough = 1000;
  const bool held_out = !session.held_out().empty();
  std::vector<Guess> guesses;
  const Evaluation found =
      evaluate(session.original(), dataset, judge.preprocessing(),
               {.indices = held_out ? session.held_out() : sample_images(dataset.size(), kEnough),
                .guesses = &guesses,
                .doing = "judging the original",
                .metrics = Metrics::none},
               watcher);
  if (held_out) top1 = found.top1;
  const auto why = judge.why_little(guesses, session.classes(),
                                    held_out ? "held-out images" : "training images", &dataset);
  if (!why) return true;
  if (choice.has_rate || choice.settings.has(kLearningRate) || choice.settings.has(kDistillation)) {
    watcher.warn(*why);
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
void warn_without_normalisation(const Graph& graph, Watcher& watcher) {
  const auto convolutions = std::ranges::count_if(graph.nodes, [](const Node& node) {
    const auto layer = linear_layer_of(node);
    return layer && layer->convolves();
  });
  const bool normalised = std::ranges::any_of(
      graph.nodes, [](const Node& node) { return reads_as(node, 1) == Reads::scale; });
  if (convolutions <= kMostWithoutNormalisation || normalised) return;
  watcher.warn(
      "the model has no BatchNormalization, so it trains without normalisation, at a smaller rate; "
      "where it was folded into the convolutions when the model was exported, a model exported in "
      "training mode trains better");
}

std::optional<Graph> teacher_of(const Settings& settings, const CommonRequest& common) {
  if (!settings.has(kTeacher)) return std::nullopt;
  return load_model(settings[kTeacher], common.seed, common.input_shapes).graph;
}

// The parts of the data set. Throws Error::usage where too little is left to train on.
PartShares shares_of(const TrainingChoice& choice, const Dataset& dataset, int64_t batch) {
  const auto all = static_cast<double>(dataset.size());
  PartShares shares{.held_out =
                        choice.settings.given(kHeldOut).value_or(usual_held_out(dataset.size()))};
  if (choice.search_images == 0) return shares;
  shares.search = static_cast<double>(choice.search_images) / all;
  const auto held_out = std::llround(shares.held_out * all);
  if (choice.search_images + held_out + batch <= dataset.size()) return shares;
  fail_usage("--search-images " + std::to_string(choice.search_images) + ": of the data set's " +
             std::to_string(dataset.size()) + " training images " + std::to_string(held_out) +
             " are held out, and a batch of " + std::to_string(batch) +
             " must be left to train on; ask for fewer");
}

// What comes of the work, unless it fails.
Graph done(const Work& work, TrainingRun& training) {
  try {
    return work(training.session(), training.recipe());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) training.forget_start();
    throw;
  }
}

}  // namespace

struct TrainingRun::State {
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Trainer> trainer;
  TrainingObserver observer;
  std::filesystem::path checkpoint;
  Recipe recipe;
  std::optional<Session> session;
  bool goes_on = false;                 // from a checkpoint
  std::optional<double> original_top1;  // of the held-out images

  State(std::filesystem::path path, Watcher& watcher)
      : observer(watcher), checkpoint(std::move(path)) {}
};

Start start_of(const std::string& model, Start otherwise) {
  return is_zoo_name(model) ? Start::untrained : otherwise;
}

Request request_of(const std::string& task, const std::string& sha256, const Settings& settings,
                   uint64_t seed, const Request& more) {
  Request request = {{"command", task}, {"model", sha256}};
  request.insert(request.end(), more.begin(), more.end());
  for (auto& entry : settings.decisive()) request.push_back(std::move(entry));
  if (settings.has(kTeacher)) {
    request.emplace_back("teacher", model_sha256(settings[kTeacher], seed).get());
  }
  request.emplace_back("--seed", std::to_string(seed));
  return request;
}

void reads_for_training(Places& places, const Settings& settings) {
  places.reads_data(data_of(settings).spec);
  if (settings.has(kTeacher)) places.reads_model(settings[kTeacher]);
}

TrainingRun::TrainingRun(const TrainingChoice& choice, Graph original, const Judge& judge,
                         const CommonRequest& common, Watcher& watcher)
    : state_(std::make_unique<State>(common.run_folder / "checkpoint", watcher)) {
  const Settings& settings = choice.settings;
  const Start start = settings[kFromScratch] ? Start::untrained : choice.start;
  state_->dataset = judge.data().open(Split::train);
  require_same_shapes(*state_->dataset, judge.dataset());
  Recipe& recipe = state_->recipe;
  recipe = recipe_of(settings, start, original, *state_->dataset, common.seed);
  std::optional<SessionState> saved = kept_state(choice, recipe, common.run_folder, watcher);
  state_->trainer = common.open_trainer({.device = settings[kDevice], .threads = thread_count()});
  const PartShares shares = shares_of(choice, *state_->dataset, recipe.batch);
  state_->session.emplace(
      std::move(original), SessionData{state_->dataset.get(), judge.preprocessing(), shares},
      *state_->trainer, state_->observer,
      SessionOptions{.checkpoint = state_->checkpoint,
                     .request = choice.request,
                     .zeros = choice.keeps ? settings[kZeros] : SessionOptions::Zeros::free,
                     .candidates = settings[kDevice] == "cpu"
                                       ? SessionOptions::Candidates::by_runtime
                                       : SessionOptions::Candidates::by_trainer,
                     .teacher = teacher_of(settings, common)});
  Session& session = *state_->session;
  session.require_trainable(recipe);
  if (start != Start::untrained && session.classes() > 0) {
    const bool teaches =
        knows_enough(choice, session, *state_->dataset, judge, watcher, state_->original_top1);
    const bool taught = settings.has(kDistillation) || settings.has(kTeacher);
    if (!teaches && !taught) recipe.loss.distillation = 0;
  }
  warn_without_normalisation(session.original(), watcher);
  if (!common.run_folder.empty()) std::filesystem::create_directories(common.run_folder);
  if (!saved) return;
  state_->goes_on = true;
  for (const Json& metric : metrics_of(*saved)) watcher.metric(metric);
  watcher.remark("going on from epoch " + std::to_string(saved->cursor.epoch + 1) + ", batch " +
                 std::to_string(saved->cursor.batch + 1));
  session.resume(std::move(*saved));
}

TrainingRun::~TrainingRun() = default;
Session& TrainingRun::session() { return *state_->session; }
const Recipe& TrainingRun::recipe() const { return state_->recipe; }
const std::filesystem::path& TrainingRun::checkpoint() const { return state_->checkpoint; }

void TrainingRun::forget_start() const {
  if (state_->goes_on || state_->session->spent().updates > 0) return;
  std::error_code gone;
  std::filesystem::remove(state_->checkpoint, gone);
}

std::optional<double> TrainingRun::held_out_top1() const {
  return last_held_out_top1(*state_->session);
}

Json TrainingRun::to_json() const {
  Json json = training_json(*state_->session, state_->recipe);
  json["remarks"] = state_->observer.remarks();
  if (state_->original_top1) json["original_held_out_top1"] = *state_->original_top1;
  return json;
}

void TrainedModel::finish() const { finish_run(checkpoint); }

TrainedModel train_and_judge(const TrainingChoice& choice, Graph original, Judge& judge,
                             const TrainingJudged& judged, const CommonRequest& common,
                             Watcher& watcher, const Work& work) {
  TrainingRun training(choice, std::move(original), judge, common, watcher);
  Session& session = training.session();
  judge.hold_out(session.held_out());
  if (!session.kept().empty() && has_option(choice.settings.options(), kZeros)) {
    watcher.remark(kept_line(session.kept(), session.original()));
  }
  TrainedModel trained{.graph = done(work, training),
                       .training = training.to_json(),
                       .checkpoint = training.checkpoint()};
  set_metadata(trained.graph, kPreprocessKey, to_string(judge.preprocessing()));
  if (session.classes() == 0 || !judge.judges()) return trained;
  if (judged.original == TrainingJudged::Original::judged) {
    trained.before = judge.evaluate(session.original(), {.doing = "evaluating the original"});
  }
  if (!judged.result) return trained;
  trained.after =
      judge.evaluate_trained(trained.graph, training.held_out_top1(), {.doing = judged.doing});
  return trained;
}

}  // namespace coppice
