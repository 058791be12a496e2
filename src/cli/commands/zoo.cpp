// coppice zoo: lists the built-in networks, or writes one with fresh weights.
#include "zoo/zoo.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "core/error.h"
#include "report/format.h"
#include "report/layout.h"
#include "tasks/write_zoo.h"

namespace coppice {
namespace {

struct Options {
  std::string name, output;
};

Result list_networks(const Invocation& run) {
  std::vector<Entry> entries;
  Json list = Json::array();
  for (const ZooModel& model : zoo_models()) {
    entries.push_back({model.name, {model.about, model.paper}});
    list.push_back({{"name", model.name}, {"about", model.about}, {"paper", model.paper}});
  }
  print_entries(run, entries);
  return {.json = {{"zoo", list}}};
}

Result zoo(const Options& options, const Invocation& run) {
  if (options.name.empty() && options.output.empty()) return list_networks(run);
  if (options.name.empty()) fail_usage("zoo: -o needs the name of a network; 'coppice zoo' lists");
  if (options.output.empty()) {
    fail_usage("zoo: where to write '" + options.name + "'? give -o FILE");
  }
  const int64_t bytes =
      write_zoo({.name = options.name, .output = options.output, .common = run.common()});
  run.console.print("wrote " + printable(options.output) + ": " + options.name + ", untrained, " +
                    short_bytes(static_cast<double>(bytes)) + "\n");
  return {.json = {{"name", options.name}, {"output", options.output}, {"bytes", bytes}}};
}

}  // namespace

Action define_zoo(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name, "the network to write; none lists them");
  app.add_option("-o,--output", options->output, "the .onnx file to write")->type_name("FILE");
  add_common_options(app, common);
  return [options](Invocation& run) { return zoo(*options, run); };
}

}  // namespace coppice
