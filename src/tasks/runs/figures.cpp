// See figures.h.
#include "tasks/runs/figures.h"

#include <algorithm>
#include <cmath>

#include "session/state/fact_names.h"

namespace coppice {
namespace {

constexpr double kMinute = 60;

Json held_out_top1(const Json& record) {
  for (const char* key : {"held_out_after", "held_out"}) {
    if (record.contains(key)) return record[key]["top1"];
  }
  return nullptr;
}

// Changes of the model without training are stages that are judged; the last one is the cut that
// the rest of the training started from.
Json last_change(const Json& training) {
  Json found = nullptr;
  for (const Json& stage : training["stages"]) {
    if (stage.contains("held_out")) found = stage;
  }
  return found;
}

Json last_rate(const Json& training) {
  Json rate = nullptr;
  for (const Json& stage : training["stages"]) {
    if (stage.contains("learning_rate")) rate = stage["learning_rate"];
  }
  return rate;
}

double trained_seconds(const Json& training) {
  double seconds = 0;
  for (const Json& epoch : training["history"]) seconds += epoch["seconds"].get<double>();
  return seconds;
}

Json at_the_end(const Json& training) {
  const Json& stages = training["stages"];
  if (!stages.empty() && stages.back().contains("held_out")) return held_out_top1(stages.back());
  return training["history"].empty() ? Json() : held_out_top1(training["history"].back());
}

Json member(const Json& json, const char* key) { return json.contains(key) ? json[key] : Json(); }

}  // namespace

Json figures_of_pruning(const Json& report) {
  const Json &training = report["training"], &after = report["after"];
  Json surgery = nullptr, recovered = nullptr;
  if (const Json change = last_change(training); !change.is_null()) {
    const bool made_up_for = change.contains(kUnrecoveredTop1);
    surgery = made_up_for ? change[kUnrecoveredTop1] : held_out_top1(change);
    if (made_up_for) recovered = held_out_top1(change);
  }
  // A run that stopped and went on says only how long the rest of it took.
  const double seconds = std::max(report["seconds"].get<double>(), trained_seconds(training));
  return {{"surgery", surgery},
          {"recovered", recovered},
          {"held_out", at_the_end(training)},
          {"judged", member(after, "top1")},
          {"macs", after["macs"]},
          {"parameters", after["parameters"]},
          {"latency_ms", member(after, "latency_ms")},
          {"epochs", training["history"].size()},
          {"learning_rate", last_rate(training)},
          {"minutes", seconds / kMinute}};
}

Json figures_of_original(const Json& report) {
  const Json& before = report["before"];
  return {{"judged", member(before, "top1")},
          {"macs", before["macs"]},
          {"parameters", before["parameters"]},
          {"latency_ms", member(before, "latency_ms")}};
}

MeanAndDeviation mean_and_deviation(const std::vector<Json>& runs) {
  std::vector<std::pair<std::string, std::vector<double>>> columns;
  for (const Json& run : runs) {
    for (const auto& [key, value] : run.items()) {
      if (!value.is_number() || key == "seed") continue;
      auto column = std::ranges::find(columns, key, [](const auto& entry) { return entry.first; });
      if (column == columns.end()) column = columns.insert(column, {key, {}});
      column->second.push_back(value.get<double>());
    }
  }
  MeanAndDeviation found;
  for (const auto& [key, values] : columns) {
    const auto count = static_cast<double>(values.size());
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    const double mean = sum / count;
    for (const double value : values) squares += (value - mean) * (value - mean);
    found.mean[key] = mean;
    if (values.size() > 1) found.deviation[key] = std::sqrt(squares / (count - 1));
  }
  return found;
}

}  // namespace coppice
