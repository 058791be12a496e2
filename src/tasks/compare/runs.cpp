// See runs.h. Runs go seed by seed, so that what is there after an interruption can be compared.
#include "tasks/compare/runs.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "model/load.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "tasks/parts/training.h"
#include "tasks/prune.h"
#include "tasks/pruning/settled.h"
#include "tasks/runs/controls.h"
#include "tasks/runs/figures.h"
#include "tasks/runs/kept_run.h"
#include "tasks/runs/prune_kept.h"
#include "tasks/runs/run_watcher.h"

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
      if (!is_of_structure(run)) kept(run).require_same_request();
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
    if (std::ranges::find(report_.rows, name, &RunRow::name) != report_.rows.end()) return;
    report_.rows.push_back({.name = name});
  }

  // Whether it is a control of what another row found, not a method of its own.
  bool is_of_structure(const Run& run) const {
    const std::string& name = report_.rows[run.row].name;
    return name != kRandomControl && std::ranges::count(request_.controls, name) > 0;
  }

  std::string name_of(const Run& run) const {
    return report_.rows[run.row].name + ", seed " + std::to_string(run.seed);
  }

  std::filesystem::path folder_of(const std::string& name, uint64_t seed) const {
    return std::filesystem::path(request_.folder) / (name + "-seed" + std::to_string(seed));
  }
  KeptRun kept_as(const Run& run, const Settings& settings, const Request& more) const {
    return {folder_of(report_.rows[run.row].name, run.seed),
            request_of("compare", sha256_, settings, run.seed, more)};
  }
  KeptRun kept(const Run& run) const {
    const std::string& name = report_.rows[run.row].name;
    return kept_as(run, settings_for(options_of(find_method(name)), request_),
                   {{"--method", name}});
  }

  // A run that a method or the model stands against says so in its row; the others go on.
  void attempt_run(const Run& run, int64_t number) {
    RunWatcher watcher(name_of(run), number, std::ssize(runs_), watcher_);
    watcher_.remark("run " + std::to_string(number) + " of " + std::to_string(runs_.size()) + ": " +
                    name_of(run));
    RunRow& row = report_.rows[run.row];
    try {
      Json figures =
          is_of_structure(run) ? figures_of_control(run, watcher) : figures_of_method(run, watcher);
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

  PruneRequest request_of_method(const std::string& name, uint64_t seed) const {
    return {.model = request_.model,
            .output = request_.folder,
            .method = name,
            .settings = settings_for(options_of(find_method(name)), request_),
            .latency = request_.latency && seed == request_.common.seed,
            .threads = request_.threads,
            .common = {.seed = seed}};
  }

  Json figures_of_method(const Run& run, Watcher& watcher) {
    const std::string& name = report_.rows[run.row].name;
    require_options(name);
    const KeptRun kept = this->kept(run);
    const Json report = report_of(kept, request_of_method(name, run.seed), watcher);
    note_original(report);
    return told(run, kept, figures_of_pruning(report));
  }

  // Of a run that is done, or is done now.
  Json report_of(const KeptRun& kept, PruneRequest pruning, Watcher& watcher) const {
    if (auto report = kept.report()) {
      watcher.remark("done before");
      return *std::move(report);
    }
    const uint64_t seed = std::exchange(pruning.common, request_.common).seed;
    pruning.common.seed = seed;
    return prune_kept(kept, std::move(pruning), watcher);
  }

  // What the first row that worked found for the seed.
  const RunRow* first_that_worked(uint64_t seed) const {
    for (const RunRow& row : report_.rows) {
      const auto of_seed = [&](const Json& done) { return done["seed"] == seed; };
      if (std::ranges::any_of(row.runs, of_seed)) return &row;
    }
    return nullptr;
  }

  Json figures_of_control(const Run& run, Watcher& watcher) {
    RunRow& row = report_.rows[run.row];
    const RunRow* structure = first_that_worked(run.seed);
    if (!structure) fail_target("no method left a structure that could be trained otherwise");
    row.structure_of = structure->name;
    PruneRequest of_structure = request_of_method(structure->name, run.seed);
    of_structure.settings = settled(of_structure, find_method(structure->name));
    const std::string plan = (folder_of(structure->name, run.seed) / "plan.json").string();
    PruneRequest control =
        control_of(row.name,
                   {of_structure, plan,
                    load_model(request_.model, run.seed, request_.common.input_shapes).graph},
                   request_.dense);
    control.latency = of_structure.latency;
    Request more = {{"control", row.name}, {"--structure-of", structure->name}};
    for (auto& entry : request_.dense.decisive()) more.push_back(std::move(entry));
    const KeptRun kept = kept_as(run, of_structure.settings, more);
    kept.require_same_request();
    const Json report = report_of(kept, std::move(control), watcher);
    return told(run, kept, figures_of_pruning(report));
  }

  Json told(const Run& run, const KeptRun& kept, const Json& figures) const {
    Json json = {{"seed", run.seed}, {"folder", kept.folder()}};
    json.update(figures);
    return json;
  }

  void note_original(const Json& report) {
    if (!report_.original.is_null()) return;
    report_.original = figures_of_original(report);
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
    // What searches takes hours: only where it is asked for.
    if (method.kind == Method::Kind::structured && !method.searches) names.push_back(method.name);
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
