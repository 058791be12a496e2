// coppice methods, criteria, data: what there is, with papers and needs, read off the tables of the
// modules that have it.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "data/dataset.h"
#include "prune/scores/criterion.h"
#include "report/table.h"
#include "tasks/catalogue.h"

namespace coppice {
namespace {

Result list_methods(Invocation& run) {
  Table table({{"method"}, {"what it does"}, {"needs"}, {"paper"}});
  for (const Method& method : methods()) {
    table.add({method.name, method.about, method.needs, method.paper});
  }
  run.console.print(table.text());
  return {.json = {{"methods", methods_json()}}};
}

Result list_criteria(Invocation& run) {
  Table table({{"criterion"}, {"score of a channel"}, {"compared"}, {"paper"}});
  for (const Criterion& criterion : criteria()) {
    const bool global = criterion.scope == Criterion::Scope::global;
    table.add({criterion.name, criterion.about, global ? "across the network" : "within its group",
               criterion.paper});
  }
  run.console.print(table.text());
  return {.json = {{"criteria", criteria_json()}}};
}

Result list_data(Invocation& run) {
  Table table({{"--data"}, {"what it is"}});
  for (const DatasetFormat& format : dataset_formats()) {
    table.add({std::string(format.form), std::string(format.description)});
  }
  run.console.print(table.text());
  return {.json = {{"data", data_json()}}};
}

}  // namespace

Action define_methods(CLI::App& app, CommonOptions& options) {
  add_json_option(app, options);
  return list_methods;
}

Action define_criteria(CLI::App& app, CommonOptions& options) {
  add_json_option(app, options);
  return list_criteria;
}

Action define_data(CLI::App& app, CommonOptions& options) {
  add_json_option(app, options);
  return list_data;
}

}  // namespace coppice
