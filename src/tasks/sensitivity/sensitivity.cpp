// See sensitivity.h. What was measured is saved after every group and wherever it ends.
#include "tasks/sensitivity/sensitivity.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "methods/method.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "model/load.h"
#include "model/preprocessing.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "tasks/parts/output_path.h"
#include "tasks/sensitivity/correlations.h"
#include "tasks/sensitivity/cut_series.h"
#include "tasks/sensitivity/evidence_source.h"
#include "tasks/sensitivity/table_file.h"

namespace coppice {

using By = SensitivityTable::By;
using Kind = SensitivityTable::Kind;

namespace {

std::optional<std::string> criterion_name(const std::string& text) {
  find_criterion(text);  // says itself which there are
  return text;
}

}  // namespace

const TextOption<std::string> kRankedBy(
    {"method", "NAME", "the criterion that says which units of a group leave first"}, "a criterion",
    criterion_name, kUsualMethod);
const TextOption<std::vector<double>> kRatios(
    {"ratios", "SHARES", "the shares of its units that a group loses"},
    "rising shares between 0 and 1, such as 0.25,0.5,0.75", rising_shares,
    "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9");
const CountOption kJudgingImages(
    {"images", "N",
     "how many training images judge; the first of those that training here "
     "holds out",
     "as many as training holds out: 1000, at most a tenth"},
    1, 1'000'000'000);
const NumberOption kStopDrop({"stop-drop", "X",
                              "a group is over once so much of the accuracy is lost, or the "
                              "outputs are so far off",
                              "once the accuracy is near chance, or the outputs' error is 1"},
                             {.low = 0, .high = 1, .ends = NumberRange::Ends::open});
const ChoiceOption<By> kJudgeBy(
    {"judge-by", "labels|outputs",
     "by the accuracy, or by how far the outputs are from the original's",
     "labels, where the model tells the data's classes apart"},
    {{"labels", By::accuracy}, {"outputs", By::output_error}});
const FlagOption kOracle("oracle",
                         "leave out each unit alone, and say how well every criterion foretells "
                         "what that costs (Spearman's rank correlation)");

OptionList options_of_sensitivity() {
  OptionList options = joined(data_options(), {{&kRankedBy},
                                               {&kRatios},
                                               {&kJudgingImages},
                                               {&kStopDrop},
                                               {&kJudgeBy},
                                               {&kOracle},
                                               {&kAggregate}});
  for (const Criterion& criterion : criteria()) options = joined(options, criterion.options);
  return options;
}

namespace {

// What is measured, and on what.
struct Subject {
  const SensitivityRequest& request;
  const Settings& settings;
  Watcher& watcher;
  Model model;
  std::string sha256;
  std::unique_ptr<Dataset> dataset;
  Preprocessing preprocessing;
  double held_out = 0;  // a share of the images
  std::vector<int64_t> indices = {};

  bool oracle() const { return settings[kOracle]; }
  ScoreOptions scoring() const {
    return {.seed = request.common.seed,
            .aggregate = settings[kAggregate],
            .own = settings,
            .measure = evidence_from(
                model.graph, {*dataset, preprocessing, {.held_out = held_out}, std::ssize(indices)},
                request.common, watcher)};
  }
};

Subject subject_of(const SensitivityRequest& request, Watcher& watcher) {
  const Settings& settings = request.settings;
  const DataChoice data = data_of(settings);
  std::future<std::string> sha256 = model_sha256(request.model, request.common.seed);
  Model model = load_model(request.model, request.common, watcher);
  require_finite(model.graph);
  if (const auto why = why_not_for_images(model.graph)) fail_input(*why);
  std::unique_ptr<Dataset> dataset = data.open(Split::train);
  ChosenPreprocessing chosen = choose_preprocessing(data.preprocess, model.graph, *dataset);
  if (!chosen.warning.empty()) watcher.warn(chosen.warning);
  const auto count = static_cast<double>(dataset->size());
  const auto wanted = settings.given(kJudgingImages);
  Subject subject{.request = request,
                  .settings = settings,
                  .watcher = watcher,
                  .model = std::move(model),
                  .sha256 = sha256.get(),
                  .dataset = std::move(dataset),
                  .preprocessing = chosen.how};
  subject.held_out = wanted ? std::min(1.0, static_cast<double>(*wanted) / count)
                            : std::max(usual_held_out(subject.dataset->size()), 1 / count);
  subject.indices = parts_of(*subject.dataset, {.held_out = subject.held_out}).at(Part::held_out);
  return subject;
}

By by_of(const Subject& subject) {
  const auto given = subject.settings.given(kJudgeBy);
  const auto why_not = why_not_classifier(subject.model.graph, *subject.dataset);
  if (given == By::accuracy && why_not) fail_input(*why_not);
  if (!given && why_not) {
    subject.watcher.remark("judged by the outputs, not by labels: " + *why_not);
  }
  return given.value_or(why_not ? By::output_error : By::accuracy);
}

SensitivityTable empty_table(const Subject& subject, By by) {
  SensitivityTable table{
      .kind = subject.oracle() ? Kind::ablations : Kind::curves,
      .model_file = std::filesystem::path(subject.request.model).filename().string(),
      .model_sha256 = subject.sha256,
      .request = subject.settings.decisive(),
      .judged_by = "held-out training images",
      .images = std::ssize(subject.indices),
      .by = by,
      .groups = {}};
  table.request.emplace_back("--seed", std::to_string(subject.request.common.seed));
  return table;
}

void warn_of_little(const Subject& subject, const SensitivityTable& table) {
  if (table.by != By::accuracy || is_zoo_name(subject.request.model)) return;
  if (!knows_little(table.value, subject.dataset->classes())) return;
  subject.watcher.warn("the model gets only " + percentage(table.value) + " of the " +
                       table.judged_by +
                       " right, so there is little to lose; 'coppice eval' says "
                       "what is probably wrong, --judge-by outputs needs no labels");
}

void measure(CutSeries& series, SensitivityTable& table, const std::string& output) {
  const auto saves = [&] {
    if (!output.empty()) save(table, output);
  };
  try {
    series.fill(table, saves);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) throw;
    saves();
    throw Error(ErrorKind::interrupted,
                output.empty() ? "interrupted; nothing was kept, -o FILE does"
                               : "interrupted; '" + output +
                                     "' holds what was measured, and the same command goes on");
  }
}

// Of the oracle every unit is looked at, whatever scores it.
Scores scores_for(const Subject& subject, const Traced& traced, const Criterion& criterion) {
  const Groups& groups = traced.groups();
  if (subject.oracle()) {
    return {std::vector<float>(groups.unit_count, 0), std::vector<char>(groups.free.size(), 0)};
  }
  return score_units(traced.graph(), groups, criterion, subject.scoring());
}

}  // namespace

void check(const SensitivityRequest& request) {
  const Settings& settings = request.settings;
  if (data_of(settings).spec.empty()) {
    fail_usage("sensitivity is measured on images; add --data, for example cifar10:DIR");
  }
  if (!settings[kOracle]) {
    const OptionList& own = find_criterion(settings[kRankedBy]).options;
    for (const Criterion& criterion : criteria()) {
      for (const OptionUse& use : criterion.options) {
        if (!settings.has(*use.option) || has_option(own, *use.option)) continue;
        fail_usage(use.option->flag() + " is for --method " + criterion.name);
      }
    }
    return;
  }
  for (const Option* option :
       std::initializer_list<const Option*>{&kRankedBy, &kRatios, &kStopDrop}) {
    if (!settings.has(*option)) continue;
    fail_usage(option->flag() +
               " is for curves, found --oracle, which leaves out each unit alone "
               "and judges every criterion");
  }
}

SensitivityReport sensitivity(const SensitivityRequest& request, Watcher& watcher) {
  check(request);
  Places places(request.common);
  places.reads_model(request.model);
  places.reads_data(data_of(request.settings).spec);
  if (!request.output.empty()) AtomicFile(places.writes("-o", request.output, ".json"));
  const Subject subject = subject_of(request, watcher);
  const By by = by_of(subject);
  const Criterion& criterion = find_criterion(subject.settings[kRankedBy]);
  const Traced traced(prepared(subject.model.graph, criterion, {}));
  const Scores scores = scores_for(subject, traced, criterion);
  CutJudge judge(traced, *subject.dataset, subject.indices, subject.preprocessing, by, watcher);
  CutSeries series(traced, scores, judge,
                   {.ratios = subject.settings[kRatios],
                    .stop_drop = subject.settings.given(kStopDrop),
                    .classes = subject.dataset->classes()},
                   watcher);
  SensitivityReport report{.table = empty_table(subject, by),
                           .model = request.model,
                           .output = request.output,
                           .correlations = {}};
  report.table.value = judge.original().value;
  report.table.loss = judge.original().loss;
  report.table.groups = series.groups();
  if (auto saved = saved_table(request.output, report.table)) report.table = std::move(*saved);
  warn_of_little(subject, report.table);
  measure(series, report.table, request.output);
  if (subject.oracle()) {
    report.correlations = correlations_of(traced, report.table, subject.scoring(), watcher);
  }
  return report;
}

Json to_json(const SensitivityReport& report) {
  const auto number = [](const std::optional<double>& x) { return x ? Json(*x) : Json(); };
  Json json = Json::parse(to_json(report.table));
  json["output"] = report.output.empty() ? Json() : Json(report.output);
  if (report.table.kind == Kind::curves) return json;
  json["correlations"] = Json::array();
  for (const CriterionCorrelation& found : report.correlations) {
    Json groups = Json::object();
    for (size_t g = 0; g < found.groups.size(); ++g) {
      groups[report.table.groups[g].name] = number(found.groups[g]);
    }
    json["correlations"].push_back(
        {{"criterion", found.criterion},
         {"by_group", number(found.by_group)},
         {"all", number(found.all)},
         {"all_normalised", number(found.all_normalised)},
         {"groups", groups},
         {"why_not", found.why_not.empty() ? Json() : Json(found.why_not)}});
  }
  return json;
}

}  // namespace coppice
