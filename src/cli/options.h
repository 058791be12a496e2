// Options that several commands share, and the ways in which options are read that CLI11 lacks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/progress.h"
#include "report/layout.h"
#include "report/run_folder.h"
#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"

namespace CLI {
class App;
}

namespace coppice {

struct CommonOptions {
  bool json = false;
  bool quiet = false;
  uint64_t seed = 0;
  int64_t threads = 0;  // 0: all cores
  std::string run_folder;
  bool run_folder_by_default = false;  // nobody named it
  std::string config;                  // the file of --config, empty for none
  bool timings = false;
  std::vector<std::string> skipped_passes;
  InputShapes input_shapes;
};

// One run of one command: what the action gets, besides its own options, and how what a task has
// to say comes to the user.
struct Invocation : Watcher {
  explicit Invocation(const CommonOptions& common);

  void remark(const std::string& text) override;
  void warn(const std::string& text) override;
  void progress(const Progress& progress) override;
  void metric(const Json& metric) override;  // to the run folder, if there is one
  bool stop_requested() override;            // by Ctrl-C
  CommonRequest common() const;

  const CommonOptions& options;
  Console console;
  std::unique_ptr<RunFolder> folder;  // null without --run-dir
  std::optional<ProgressBar> bar;
};

// What a list has of each, in the terminal's width, or where there is none in 80 columns.
void print_entries(const Invocation& run, const std::vector<Entry>& entries);

inline constexpr int64_t kMostBatch = 1 << 20;
// Adds a whole number from 1 to `most`.
void add_count(CLI::App& app, const std::string& name, int64_t& value, int64_t most,
               const std::string& about);
void add_json_option(CLI::App& app, CommonOptions& options);
// --json, --quiet, --seed, --threads, --run-dir, --config, --timings, --skip-pass
void add_common_options(CLI::App& app, CommonOptions& options);
// A training that writes `output` keeps its record and checkpoint beside it, unless it is told
// where.
void keep_run_beside(const std::string& output, CommonOptions& options);
void add_model(CLI::App& app, std::string& model);
void add_output(CLI::App& app, std::string& output, const std::string& ending = ".onnx");
void add_resume(CLI::App& app, bool& resume);
// on|off
void add_switch(CLI::App& app, const std::string& name, bool& value, const std::string& about);

}  // namespace coppice
