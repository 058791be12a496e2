// See sensitivity_table.h.
#include "prune/sensitivity/sensitivity_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;
using Kind = SensitivityTable::Kind;
using By = SensitivityTable::By;

constexpr int64_t kFormat = 1, kMostUnits = 10'000'000;

const char* name_of(Kind kind) { return kind == Kind::curves ? "curves" : "ablations"; }

[[noreturn]] void refuse(const std::string& reason) {
  fail_input("not a table of sensitivity that coppice wrote: " + reason);
}

Json number_json(double number) { return std::isfinite(number) ? Json(number) : Json(); }

Json group_json(const GroupSensitivity& group, Kind kind) {
  Json json = {{"name", group.name}, {"units", group.units}, {"done", group.done}};
  Json& entries = json[kind == Kind::curves ? "points" : "losses"] = Json::array();
  for (const CurvePoint& point : group.points) {
    entries.push_back({{"ratio", point.ratio},
                       {"leaving", point.leaving},
                       {"value", number_json(point.value)},
                       {"loss", number_json(point.loss)}});
  }
  for (const double loss : group.losses) entries.push_back(number_json(loss));
  return json;
}

// A file may hold anything.
double number(const Json& json, const char* what) {
  if (json.is_null()) return std::nan("");
  if (!json.is_number()) refuse(std::string("'") + what + "' is no number");
  return json.get<double>();
}

int64_t count(const Json& json, const char* what, int64_t least, int64_t most) {
  const bool whole = json.is_number_integer() || json.is_number_unsigned();
  const double value = whole ? json.get<double>() : -1;
  if (!whole || value < static_cast<double>(least) || value > static_cast<double>(most)) {
    refuse(std::string("'") + what + "' is no whole number from " + std::to_string(least) + " to " +
           std::to_string(most));
  }
  return json.get<int64_t>();
}

template <typename T>
T one_of(const Json& json, const char* what, std::initializer_list<T> values) {
  const std::string name = json.get<std::string>();
  for (const T value : values) {
    if (name == name_of(value)) return value;
  }
  refuse(std::string("'") + what + "' is '" + name + "'");
}

GroupSensitivity group_of(const Json& json, Kind kind) {
  GroupSensitivity group{.name = json.at("name"),
                         .units = count(json.at("units"), "units", 1, kMostUnits),
                         .done = json.at("done")};
  if (kind == Kind::ablations) {
    for (const Json& loss : json.at("losses")) group.losses.push_back(number(loss, "losses"));
    if (std::ssize(group.losses) > group.units) refuse("'losses' are more than units");
    return group;
  }
  int64_t before = 0;
  for (const Json& point : json.at("points")) {
    const int64_t leaving = count(point.at("leaving"), "leaving", before + 1, group.units - 1);
    group.points.push_back({.ratio = number(point.at("ratio"), "ratio"),
                            .leaving = leaving,
                            .value = number(point.at("value"), "value"),
                            .loss = number(point.at("loss"), "loss")});
    before = leaving;
  }
  return group;
}

SensitivityTable table_of(const Json& json) {
  if (count(json.at("sensitivity"), "sensitivity", 1, kMostUnits) != kFormat) {
    refuse("it is of a later version");
  }
  SensitivityTable table{
      .kind = one_of(json.at("kind"), "kind", {Kind::curves, Kind::ablations}),
      .model_file = json.at("model").at("file"),
      .model_sha256 = json.at("model").at("sha256"),
      .request = {},
      .judged_by = json.at("judged_by"),
      .images = count(json.at("images"), "images", 1, INT64_MAX / 2),
      .by = one_of(json.at("measure"), "measure", {By::accuracy, By::output_error}),
      .value = number(json.at("base").at("value"), "value"),
      .loss = number(json.at("base").at("loss"), "loss"),
      .groups = {}};
  for (const Json& entry : json.at("request")) {
    table.request.emplace_back(entry.at(0).get<std::string>(), entry.at(1).get<std::string>());
  }
  for (const Json& group : json.at("groups")) {
    table.groups.push_back(group_of(group, table.kind));
  }
  return table;
}

}  // namespace

const char* name_of(SensitivityTable::By by) {
  return by == By::accuracy ? "accuracy" : "output error";
}

bool SensitivityTable::done() const {
  return std::ranges::all_of(groups, [](const GroupSensitivity& group) { return group.done; });
}

std::string to_json(const SensitivityTable& table) {
  Json json = {{"sensitivity", kFormat},
               {"kind", name_of(table.kind)},
               {"model", {{"file", table.model_file}, {"sha256", table.model_sha256}}},
               {"request", Json::array()},
               {"judged_by", table.judged_by},
               {"images", table.images},
               {"measure", name_of(table.by)},
               {"base", {{"value", number_json(table.value)}, {"loss", number_json(table.loss)}}},
               {"groups", Json::array()}};
  for (const auto& [option, value] : table.request) {
    json["request"].push_back(Json::array({option, value}));
  }
  for (const GroupSensitivity& group : table.groups) {
    json["groups"].push_back(group_json(group, table.kind));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

SensitivityTable sensitivity_from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) refuse("it is no JSON");
  try {
    return table_of(json);
  } catch (const Json::exception& error) {
    // "[json.exception.out_of_range.403] key 'kind' not found"
    const std::string why = error.what();
    refuse(why.substr(std::min(why.find("] ") + 2, why.size())));
  }
}

SensitivityTable read_sensitivity(const std::string& path) {
  return within("'" + path + "'", [&] { return sensitivity_from_json(read_text(path)); });
}

}  // namespace coppice
