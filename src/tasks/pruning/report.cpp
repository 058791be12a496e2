// What a pruning reports, as JSON.
#include "tasks/prune.h"

namespace coppice {
namespace {

Json settings_json(const Settings& settings) {
  Json json = Json::object();
  for (const auto& [name, value] : settings.resolved()) {
    if (!json.contains(name)) {
      json[name] = value;
    } else if (json[name].is_array()) {
      json[name].push_back(value);
    } else {
      json[name] = {json[name], value};
    }
  }
  return json;
}

Json layers_json(const std::vector<RegressedLayer>& layers) {
  Json list = Json::array();
  for (const RegressedLayer& layer : layers) {
    list.push_back({{"name", layer.name},
                    {"inputs", layer.inputs},
                    {"kept", layer.kept},
                    {"error_chosen", layer.chosen},
                    {"error", layer.fitted}});
  }
  return list;
}

// One object a row: the figures of its only run, or why there are none.
Json rows_json(const std::vector<RunRow>& rows) {
  Json list = Json::array();
  for (const RunRow& row : rows) {
    Json json = {{"name", row.name}};
    if (!row.why_not.empty()) json["why_not"] = row.why_not;
    if (!row.runs.empty()) json.update(row.runs.front());
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

Json to_json(const PruneReport& report) {
  Json json = to_json(report.summary);
  json["settings"] = settings_json(report.settings);
  if (!report.structure.empty()) json["structure"] = report.structure;
  if (!report.training.is_null()) json["training"] = report.training;
  if (!report.judging.is_null()) json.update(report.judging);
  for (const auto& [name, count] : report.facts) json[name] = count;
  if (report.looked_at > 0) json["images"] = report.looked_at;
  if (!report.regressed.empty()) json["regressed"] = layers_json(report.regressed);
  if (report.measured_images > 0) json["recovered"]["images"] = report.measured_images;
  if (report.latency) {
    json["latency_budget"] = {
        {"asked", report.latency->asked},
        {"foretold", report.latency->foretold},
        {"measured", report.latency->measured ? Json(*report.latency->measured) : Json()},
        {"tries", report.latency->tries}};
  }
  if (!report.rows.empty()) json["controls"] = rows_json(report.rows);
  return json;
}

}  // namespace coppice
