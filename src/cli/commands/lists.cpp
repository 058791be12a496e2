// coppice methods, criteria, data: what there is, with papers and needs, read off the tables of the
// modules that have it.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "data/dataset.h"
#include "methods/method.h"
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

Json to_json(const OptionUse& use) {
  const Option& option = *use.option;
  Json json = {{"name", option.name()},
               {"type", option.type()},
               {"expected", option.expected()},
               {"repeats", option.about().takes == Option::Takes::values},
               {"about", use.help_text()}};
  const std::string usual = use.default_text();
  json["default"] = usual.empty() ? Json() : Json(usual);
  return json;
}

Result list_methods(Invocation& run) {
  Table table({{"method"}, {"what it does"}, {"needs"}, {"paper"}});
  Json list = Json::array();
  for (const Method& method : methods()) {
    table.add({method.name, method.about, method.needs, method.paper});
    Json options = Json::array();
    for (const OptionUse& use : options_of(method)) options.push_back(to_json(use));
    list.push_back({{"name", method.name},
                    {"about", method.about},
                    {"needs", method.needs},
                    {"kind", name_of(method.kind)},
                    {"paper", method.paper},
                    {"differs", method.differs},
                    {"options", options}});
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
