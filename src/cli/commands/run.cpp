// coppice run: a model on arrays from npy files, in Coppice's own runtime.
#include "tasks/running/run.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model;
  std::vector<std::string> inputs, outputs;
};

Result run_model(const Options& options, Invocation& invocation) {
  const RunReport report = run({.model = options.model,
                                .inputs = options.inputs,
                                .outputs = options.outputs,
                                .common = invocation.common()},
                               invocation);
  Table table({{"output"},
               {"type"},
               {"shape"},
               {"least", kRight},
               {"mean", kRight},
               {"greatest", kRight},
               {"file"}});
  for (const RunReport::Array& array : report.outputs) {
    table.add({printable(array.name), array.type, to_string(array.shape),
               significant(array.least, 5), significant(array.mean, 5),
               significant(array.greatest, 5), printable(array.file)});
  }
  invocation.console.print(table.text());
  invocation.console.remark("loaded in " + milliseconds(report.load_ms) + ", run once in " +
                            milliseconds(report.run_ms) + "; 'coppice bench' measures");
  return {.json = to_json(report)};
}

}  // namespace

Action define_run(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "a .onnx or .coppice file, or zoo:NAME")->required();
  app.add_option("--input", options->inputs,
                 "what the model reads: a .npy file of its one input, NAME=FILE.npy for\n"
                 "each of several, or a .npz of all by their names")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false)
      ->required();
  app.add_option("-o,--output", options->outputs,
                 "where an output goes: the same forms; without it they are only\n"
                 "described")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false);
  add_common_options(app, common);
  return [options](Invocation& run) { return run_model(*options, run); };
}

}  // namespace coppice
