// See options.h.
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/interrupt.h"
#include "core/error.h"
#include "tasks/parts/output_path.h"

namespace coppice {
namespace {

constexpr size_t kWidest = 100;  // longer lines of words read worse

}  // namespace

Invocation::Invocation(const CommonOptions& common)
    : options(common),
      console(common.json ? Console::Results::json : Console::Results::text,
              common.quiet ? Console::Remarks::hidden : Console::Remarks::shown) {}

void Invocation::remark(const std::string& text) {
  if (bar) bar->wipe();
  console.remark(text);
}

void Invocation::warn(const std::string& text) {
  if (bar) bar->wipe();
  console.warn(text);
}

void Invocation::progress(const Progress& progress) {
  if (!bar || !bar->is_of(progress)) bar.emplace(console, progress);
  bar->update(progress);
  if (progress.done >= progress.total) bar.reset();
}

void Invocation::metric(const Json& metric) {
  if (folder) folder->add_metric(dumped(metric));
}

bool Invocation::stop_requested() { return interrupt_requested(); }

CommonRequest Invocation::common() const {
  CommonRequest common{.seed = options.seed, .run_folder = options.run_folder};
  common.input_shapes = options.input_shapes;
  if (!options.config.empty()) common.reads.push_back(options.config);
  return common;
}

void print_entries(const Invocation& run, const std::vector<Entry>& entries) {
  constexpr size_t kUsual = 80;
  const size_t columns = run.console.style().width;
  run.console.print(entries_text(entries, columns > 0 ? std::min(columns, kWidest) : kUsual));
}

void add_count(CLI::App& app, const std::string& name, int64_t& value, int64_t most,
               const std::string& about) {
  // Without its description the range doesn't clutter --help.
  app.add_option(name, value, about)
      ->check(CLI::Range(int64_t{1}, most).description(""))
      ->type_name("N");
}

void add_json_option(CLI::App& app, CommonOptions& options) {
  app.add_flag("--json", options.json, "print one JSON object instead of text");
}

void add_common_options(CLI::App& app, CommonOptions& options) {
  const std::string group = "Common options";
  add_json_option(app, options);
  app.get_option("--json")->group(group);
  app.add_flag("--quiet", options.quiet,
               "results, warnings and errors only: no progress, no remarks")
      ->group(group);
  app.add_option("--seed", options.seed, "for all that is random (default 0)")
      ->type_name("N")
      ->group(group);
  add_count(app, "--threads", options.threads, 1024, "how many to use (default: all cores)");
  app.get_option("--threads")->group(group);
  app.add_option("--run-dir", options.run_folder, "keep run.json and metrics.jsonl in this folder")
      ->type_name("DIR")
      ->group(group);
  app.add_option_function<std::vector<std::string>>(
         "--input-shape",
         [&options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             within("--input-shape", [&] { options.input_shapes.insert(parse_input_shape(text)); });
           }
         },
         "of an input whose height and width, say, the model\nleaves open: input=1x3x32x32; may "
         "be repeated")
      ->type_name("NAME=SIZES")
      ->allow_extra_args(false)
      ->group(group);
  app.add_flag("--timings", options.timings, "say how long passes over the graph took")
      ->group(group);
  app.add_option("--skip-pass", options.skipped_passes,
                 "leave out a pass over the graph, to look for a fault; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(group);
  app.set_config("--config", "",
                 "read options from this TOML file, of any command at its\n"
                 "top, of one in its table: [prune], keep-macs = 0.5")
      ->type_name("FILE")
      ->group(group);
}

void keep_run_beside(const std::string& output, CommonOptions& options) {
  if (!options.run_folder.empty()) return;
  require_folder_of(output);
  options.run_folder = default_run_folder(output);
  options.run_folder_by_default = true;
}

void add_model(CLI::App& app, std::string& model) {
  app.add_option("MODEL", model, "a .onnx file, or zoo:NAME for an untrained one")->required();
}

void add_output(CLI::App& app, std::string& output, const std::string& ending) {
  app.add_option("-o,--output", output, "the " + ending + " file to write")
      ->type_name("FILE")
      ->required();
}

void add_resume(CLI::App& app, bool& resume) {
  app.add_flag("--resume", resume, "go on with a run that was interrupted")->group("Training");
}

void add_switch(CLI::App& app, const std::string& name, bool& value, const std::string& about) {
  app.add_option_function<std::string>(
         name,
         [name, &value](const std::string& text) {
           if (text != "on" && text != "off") {
             throw CLI::ValidationError(name, "found '" + text + "', expected on or off");
           }
           value = text == "on";
         },
         about + " (default " + (value ? "on" : "off") + ")")
      ->type_name("on|off");
}

}  // namespace coppice
