// coppice compare: several methods with the same budget, recipe and seeds, beside controls, in one
// table.
#include "tasks/compare/compare.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "methods/options/option_owners.h"
#include "options/comma_list.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "tasks/runs/controls.h"
#include "texts/comparison.h"

namespace coppice {
namespace {

constexpr char kAll[] = "all", kNone[] = "none";

struct Options {
  std::string model, folder, methods = kAll, controls = "random,scratch-e";
  int64_t repeat = 1;
  bool latency = true;
  GivenOptions given, dense;
};

std::vector<std::string> names_in(const std::string& text, const char* nothing) {
  return text == nothing ? std::vector<std::string>() : between_commas(text);
}

CompareRequest request_of(const Options& options) {
  return {.model = options.model,
          .folder = options.folder,
          .methods = names_in(options.methods, kAll),
          .controls = names_in(options.controls, kNone),
          .dense = options.dense.settings(dense_options()),
          .given = options.given.all(),
          .repeat = options.repeat,
          .latency = options.latency};
}

Result compare(const Options& options, Invocation& run) {
  CompareRequest request = request_of(options);
  request.threads = run.options.threads;
  request.common = run.common();
  const CompareReport report = compare(request, static_cast<Watcher&>(run));
  run.console.print(text_of(report, run.console.style()) + "wrote " + printable(report.folder) +
                    "/compare.json\n");
  const bool any =
      std::ranges::any_of(report.rows, [](const RunRow& row) { return !row.runs.empty(); });
  return {.json = to_json(report), .verdict = any ? "" : "no method works on this model"};
}

bool cuts(const Method& method) { return method.kind == Method::Kind::structured; }

void add_compare_options(CLI::App& app, Options& options) {
  add_model(app, options.model);
  app.add_option(
         "-o,--output", options.folder,
         "the folder for the table and all runs; runs that\nare done there aren't repeated, "
         "one that stopped\ngoes on")
      ->type_name("FOLDER")
      ->required();
  app.add_option("--methods", options.methods,
                 "those to compare, such as l2,fpgm,sfp (default\nall that cut channels); "
                 "'coppice methods' lists them")
      ->type_name("NAMES")
      ->each([&options](const std::string& names) {
        options.given.show_only(options_to_compare(names_in(names, kAll)));
      });
  app.add_option("--controls", options.controls,
                 "none, or some of random, and of the first method's\npruning scratch-e, scratch-b "
                 "and lr-rewind (default\nrandom,scratch-e); 'coppice prune --help' explains them")
      ->type_name("NAMES");
  options.dense.add(app, under("Controls", dense_options()));
  add_count(app, "--repeat", options.repeat, 1000,
            "runs of every method, by --seed and the next ones\n(default 1)");
  add_switch(app, "--latency", options.latency, "measure latency, of the models of the first seed");
  options.given.add(app, options_of_methods(cuts));
  options.given.show_only(options_to_compare({}));
  options.given.require(kData);
  options.given.require(kEpochs);
}

}  // namespace

Action define_compare(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_compare_options(app, *options);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    check(request_of(*options));  // what is wrong is said before a run begins
    if (!common.run_folder.empty()) return;
    common.run_folder = options->folder;
    common.run_folder_by_default = true;
  });
  return [options](Invocation& run) { return compare(*options, run); };
}

}  // namespace coppice
