// coppice methods, criteria, data: what there is, with papers and needs, read off the tables of the
// modules that have it.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "data/dataset.h"
#include "methods/methods.h"
#include "prune/criterion.h"
#include "report/table.h"

namespace coppice {
namespace {

const char* name_of(Method::Kind kind) {
  switch (kind) {
    case Method::Kind::structured: return "structured";
    case Method::Kind::unstructured: return "unstructured";
    case Method::Kind::dense: return "dense";
  }
  return "";
}

Result list_methods(Invocation& run) {
  Table table({{"method"}, {"what it does"}, {"needs"}, {"paper"}});
  Json list = Json::array();
  for (const Method& method : methods()) {
    table.add({method.name, method.about, method.needs, method.paper});
    list.push_back({{"name", method.name},
                    {"about", method.about},
                    {"needs", method.needs},
                    {"kind", name_of(method.kind)},
                    {"criterion", method.criterion ? Json(method.criterion) : Json()},
                    {"paper", method.paper}});
  }
  run.console.print(table.text());
  return {.json = {{"methods", list}}};
}

Result list_criteria(Invocation& run) {
  Table table({{"criterion"}, {"score of a channel"}, {"compared"}, {"paper"}});
  Json list = Json::array();
  for (const Criterion& criterion : criteria()) {
    const bool global = criterion.scope == Criterion::Scope::global;
    table.add({criterion.name, criterion.about, global ? "across the network" : "within its group",
               criterion.paper});
    list.push_back({{"name", criterion.name},
                    {"about", criterion.about},
                    {"scope", global ? "global" : "group"},
                    {"paper", criterion.paper}});
  }
  run.console.print(table.text());
  return {.json = {{"criteria", list}}};
}

Result list_data(Invocation& run) {
  Table table({{"--data"}, {"what it is"}});
  Json list = Json::array();
  for (const DatasetFormat& format : dataset_formats()) {
    table.add({std::string(format.form), std::string(format.description)});
    list.push_back({{"name", format.name}, {"form", format.form}, {"about", format.description}});
  }
  run.console.print(table.text());
  return {.json = {{"data", list}}};
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
