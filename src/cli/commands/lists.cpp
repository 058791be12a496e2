// coppice methods, criteria, data: what there is, with papers and needs, read off the tables of the
// modules that have it.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "data/dataset.h"
#include "prune/scores/criterion.h"
#include "report/layout.h"
#include "tasks/catalogue.h"

namespace coppice {
namespace {

Result list_methods(Invocation& run) {
  std::vector<Entry> entries;
  for (const Method& method : methods()) {
    entries.push_back(
        {method.name, {method.about, "needs: " + std::string(method.needs), method.paper}});
  }
  print_entries(run, entries);
  return {.json = {{"methods", methods_json()}}};
}

Result list_criteria(Invocation& run) {
  std::vector<Entry> entries;
  for (const Criterion& criterion : criteria()) {
    const bool global = criterion.scope == Criterion::Scope::global;
    entries.push_back({criterion.name,
                       {std::string(criterion.about) + "; compared " +
                            (global ? "across the network" : "within its group"),
                        criterion.paper}});
  }
  print_entries(run, entries);
  return {.json = {{"criteria", criteria_json()}}};
}

Result list_data(Invocation& run) {
  std::vector<Entry> entries;
  for (const DatasetFormat& format : dataset_formats()) {
    entries.push_back({std::string(format.form), {std::string(format.description)}});
  }
  print_entries(run, entries);
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
