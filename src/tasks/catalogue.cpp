// See catalogue.h.
#include "tasks/catalogue.h"

#include "data/dataset.h"
#include "prune/scores/criterion.h"

namespace coppice {
namespace {

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

}  // namespace

const char* name_of(Method::Kind kind) {
  switch (kind) {
    case Method::Kind::structured: return "structured";
    case Method::Kind::unstructured: return "unstructured";
    case Method::Kind::dense: return "dense";
    case Method::Kind::control: return "control";
  }
  return "";
}

Json methods_json() {
  Json list = Json::array();
  for (const Method& method : methods()) {
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
  return list;
}

Json criteria_json() {
  Json list = Json::array();
  for (const Criterion& criterion : criteria()) {
    const bool global = criterion.scope == Criterion::Scope::global;
    list.push_back({{"name", criterion.name},
                    {"about", criterion.about},
                    {"scope", global ? "global" : "group"},
                    {"paper", criterion.paper}});
  }
  return list;
}

Json data_json() {
  Json list = Json::array();
  for (const DatasetFormat& format : dataset_formats()) {
    list.push_back({{"name", format.name}, {"form", format.form}, {"about", format.description}});
  }
  return list;
}

}  // namespace coppice
