// See runs.h. Runs go seed by seed, so that what is there after an interruption can be compared.
#include "tasks/compare/runs.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "model/load.h"
#include "onnx/onnx.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "session/reinitialise.h"
#include "tasks/compare/figures.h"
#include "tasks/compare/kept_run.h"
#include "tasks/compare/run_watcher.h"
#include "tasks/parts/training.h"
#include "tasks/prune.h"
#include "tasks/train.h"

namespace coppice {
namespace {

struct Run {
  size_t row;
  uint64_t seed;
};

class Comparing {
 public:
  Comparing(const CompareRequest& request, Watcher& watcher)
      : request_(request), watcher_(watcher) {
    for (const std::string& name : methods_to_compare(request.methods)) add_row(name);
    for (const std::string& name : request.controls) add_row(name);
    for (int64_t i = 0; i < request.repeat; ++i) {
      for (size_t row = 0; row < report_.rows.size(); ++row) {
        runs_.push_back({row, request.common.seed + static_cast<uint64_t>(i)});
      }
    }
    report_.model = request.model;
    report_.folder = request.folder;
    report_.repeat = request.repeat;
    report_.settings = Json::array();
    for (const auto& [option, value] : request.given) {
      report_.settings.push_back({{"name", option->name()}, {"value", value}});
    }
  }

  CompareReport run() {
    // What no method could go without fails at once, and so does a folder of other runs.
    sha256_ = model_sha256(request_.model, request_.common.seed).get();
    data_of(settings_for(data_options(), request_)).open(Split::train);
    for (const Run& run : runs_) {
      if (report_.rows[run.row].name != kScratchControl) kept(run).require_same_request();
    }
    for (size_t i = 0; i < runs_.size(); ++i) {
      stop_if_requested(watcher_);
      attempt_run(runs_[i], static_cast<int64_t>(i) + 1);
    }
    return std::move(report_);
  }

 private:
  // A method may be named that is a control, too.
  void add_row(const std::string& name) {
    if (std::ranges::find(report_.rows, name, &ComparedRow::name) != report_.rows.end()) return;
    report_.rows.push_back({.name = name, .structure_of = {}, .why_not = {}, .runs = {}});
  }

  bool is_first(const Run& run) const { return run.seed == request_.common.seed; }

  std::string name_of(const Run& run) const {
    return report_.rows[run.row].name + ", seed " + std::to_string(run.seed);
  }

  KeptRun kept_as(const Run& run, const Settings& settings, const Request& more) const {
    const std::string folder = report_.rows[run.row].name + "-seed" + std::to_string(run.seed);
    return {std::filesystem::path(request_.folder) / folder,
            request_of("compare", sha256_, settings, run.seed, more)};
  }
  KeptRun kept(const Run& run) const {
    const std::string& name = report_.rows[run.row].name;
    return kept_as(run, settings_for(options_of(find_method(name)), request_),
                   {{"--method", name}});
  }

  CommonRequest common_of(const KeptRun& kept, uint64_t seed) const {
    CommonRequest common = request_.common;
    common.seed = seed;
    common.run_folder = kept.run_folder();
    return common;
  }

  // A run that a method or the model stands against says so in its row; the others go on.
  void attempt_run(const Run& run, int64_t number) {
    RunWatcher watcher(name_of(run), number, std::ssize(runs_), watcher_);
    watcher_.remark("run " + std::to_string(number) + " of " + std::to_string(runs_.size()) + ": " +
                    name_of(run));
    ComparedRow& row = report_.rows[run.row];
    try {
      Json figures = row.name == kScratchControl ? figures_from_scratch(run, watcher)
                                                 : figures_of_method(run, watcher);
      row.runs.push_back(std::move(figures));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      watcher_.warn(name_of(run) + ": " + error.what());
      if (row.why_not.empty()) row.why_not = error.what();
    }
  }

  // Controls take the options that they have.
  void require_options(const std::string& name) const {
    const auto has = [&](const auto& entry) {
      return has_option(options_of(find_method(name)), *entry.first);
    };
    const auto lacked = std::ranges::find_if_not(request_.given, has);
    if (name == kRandomControl || lacked == request_.given.end()) return;
    fail_usage(lacked->first->flag() + " isn't an option of '" + name + "'");
  }

  Json figures_of_method(const Run& run, Watcher& watcher) {
    require_options(report_.rows[run.row].name);
    const KeptRun kept = this->kept(run);
    std::optional<Json> report = kept.report();
    if (report) {
      watcher.remark("done before");
    } else {
      const std::string& name = report_.rows[run.row].name;
      const PruneRequest pruning{.model = request_.model,
                                 .output = kept.path("model.onnx"),
                                 .method = name,
                                 .settings = settings_for(options_of(find_method(name)), request_),
                                 .resume = kept.has_checkpoint(),
                                 .latency = request_.latency && is_first(run),
                                 .threads = request_.threads,
                                 .common = common_of(kept, run.seed)};
      check(pruning);
      kept.begin();
      report = to_json(prune(pruning, watcher));
      kept.finish(*report);
    }
    note_original(*report);
    return told(run, kept, figures_of_pruning(*report));
  }

  // The structure of the first row that worked for the seed.
  Json figures_from_scratch(const Run& run, Watcher& watcher) {
    const ComparedRow* structure = nullptr;
    Json figures;
    for (const ComparedRow& row : report_.rows) {
      const auto found = std::ranges::find_if(
          row.runs, [&](const Json& done) { return done["seed"] == run.seed; });
      if (structure || found == row.runs.end()) continue;
      structure = &row;
      figures = *found;
    }
    if (!structure) fail_target("no method left a structure to train from scratch");
    Settings settings = scratch_settings();
    const KeptRun kept = kept_as(run, settings, {{"--structure-of", structure->name}});
    kept.require_same_request();
    report_.rows[run.row].structure_of = structure->name;
    std::optional<Json> report = kept.report();
    if (report) {
      watcher.remark("done before");
    } else {
      kept.begin();
      draw_anew(std::filesystem::path(figures["folder"].get<std::string>()) / "model.onnx",
                kept.path("untrained.onnx"), run.seed);
      report = to_json(train({.model = kept.path("untrained.onnx"),
                              .output = kept.path("model.onnx"),
                              .settings = std::move(settings),
                              .resume = kept.has_checkpoint(),
                              .common = common_of(kept, run.seed)},
                             watcher));
      kept.finish(*report);
    }
    return told(run, kept, figures_of_training(*report, figures));
  }

  // There is no teacher: the model that is trained knows nothing.
  Settings scratch_settings() const {
    CompareRequest alone = request_;
    std::erase_if(alone.given, [](const auto& entry) { return entry.first == &kDistillation; });
    Settings settings = settings_for(options_of_train(), alone);
    settings.set(kFromScratch, "true");
    return settings;
  }

  static void draw_anew(const std::filesystem::path& model, const std::string& output,
                        uint64_t seed) {
    Graph graph = read_onnx(model);
    reinitialise(graph, {.by = {}, .seed = seed, .masks = {}});
    write_onnx(graph, output);
  }

  Json told(const Run& run, const KeptRun& kept, const Json& figures) const {
    Json json = {{"seed", run.seed},
                 {"folder", (std::filesystem::path(request_.folder) / kept.name()).string()}};
    json.update(figures);
    return json;
  }

  void note_original(const Json& report) {
    const Json& before = report["before"];
    if (!report_.original.is_null()) return;
    const auto member = [&](const char* key) {
      return before.contains(key) ? before[key] : Json();
    };
    report_.original = {{"judged", member("top1")},
                        {"macs", before["macs"]},
                        {"parameters", before["parameters"]},
                        {"latency_ms", member("latency_ms")}};
    if (report["judged_by"].is_string()) report_.judged_by = report["judged_by"];
  }

  const CompareRequest& request_;
  Watcher& watcher_;
  std::string sha256_;
  CompareReport report_;
  std::vector<Run> runs_;
};

}  // namespace

std::vector<std::string> methods_to_compare(const std::vector<std::string>& named) {
  if (!named.empty()) return named;
  std::vector<std::string> names;
  for (const Method& method : methods()) {
    if (method.kind == Method::Kind::structured) names.push_back(method.name);
  }
  return names;
}

Settings settings_for(OptionList options, const CompareRequest& request) {
  Settings settings(std::move(options));
  for (const auto& [option, value] : request.given) {
    if (has_option(settings.options(), *option)) settings.set(*option, value);
  }
  return settings;
}

CompareReport run_all(const CompareRequest& request, Watcher& watcher) {
  return Comparing(request, watcher).run();
}

}  // namespace coppice
