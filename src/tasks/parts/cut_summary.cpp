// See cut_summary.h.
#include "tasks/parts/cut_summary.h"

#include <cmath>

#include "graph/passes/halves.h"
#include "onnx/onnx.h"
#include "tasks/parts/latency.h"
#include "training/parameters.h"

namespace coppice {
namespace {

Json side_json(const CutSide& side, const Density& density) {
  Json json = {
      {"parameters", side.costs.parameters}, {"macs", side.costs.macs}, {"bytes", side.bytes}};
  if (side.costs.unknown > 0) json["layers_of_unknown_cost"] = side.costs.unknown;
  json.update(to_json(density));
  if (side.accuracy) {
    json["top1"] = side.accuracy->top1;
    json["top5"] = side.accuracy->top5;
    json["loss"] = side.accuracy->loss;
  }
  if (side.latency) json.update(latency_json(*side.latency));
  if (side.deployed) json["deployed"] = latency_json(*side.deployed);
  return json;
}

Json recovered_json(const Recovered& recovered) {
  const Compensated& found = recovered.compensated;
  Json steps = Json::array();
  for (const RecoverStep& step : recovered.steps) {
    steps.push_back({{"step", step.name},
                     {"kept", step.kept},
                     {"corrected", step.corrected},
                     {"unknown", step.unknown}});
    if (step.before) steps.back()["error_before"] = *step.before;
    if (step.after) steps.back()["error_after"] = *step.after;
  }
  return {{"layers", found.layers}, {"bias", found.bias},       {"merge", found.merge},
          {"scale", found.scale},   {"unknown", found.unknown}, {"steps", steps}};
}

// A row as an object; null for what isn't known, as JSON has no other numbers than finite ones.
Json row_json(const ResultTable& table, const std::vector<ResultTable::Cell>& row) {
  Json json = Json::object();
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const ResultTable::Column& column = table.columns[c];
    Json& cell = json[column.key];
    if (const auto* text = std::get_if<std::string>(&row[c])) cell = *text;
    const auto* number = std::get_if<double>(&row[c]);
    if (!number || !std::isfinite(*number)) continue;
    if (column.as == ResultTable::As::count) {
      cell = std::llround(*number);
    } else {
      cell = *number;
    }
  }
  return json;
}

}  // namespace

std::optional<HeldOutTop1> held_out_top1(const Json& training) {
  if (!training.contains("original_held_out_top1") || training["history"].empty()) {
    return std::nullopt;
  }
  std::optional<double> cut;
  for (const Json& stage : training["stages"]) {
    if (stage["epochs"] == 0 && stage.contains("held_out")) cut = stage["held_out"]["top1"];
  }
  const Json& last = training["history"].back();
  const char* const key = last.contains("held_out_after") ? "held_out_after" : "held_out";
  if (!cut || !last.contains(key)) return std::nullopt;
  return HeldOutTop1{training["original_held_out_top1"], *cut, last[key]["top1"]};
}

bool BudgetMet::notable() const {
  constexpr double kNotable = 0.1;
  return std::abs(got - asked) > kNotable * asked;
}

Json to_json(const Proof& proof, const std::string& inputs) {
  return {{"error", proof.comparison.error},
          {"reaction", proof.comparison.reaction},
          {"inputs", inputs},
          {"randomised_weights", proof.randomised_weights},
          {"around", proof.around}};
}

CutSummary summarise(const Model& model, const Outcome& outcome) {
  CutSummary summary;
  summary.model = model.name;
  summary.method = outcome.plan.method;
  summary.stored = name_of_halves(model.graph);
  summary.before.costs = outcome.before;
  summary.before.bytes = model.bytes;
  summary.after.costs = outcome.after;
  summary.after.bytes = static_cast<int64_t>(onnx_bytes(outcome.graph));
  summary.groups = outcome.groups;
  summary.tables = outcome.tables;
  summary.changed =
      !outcome.plan.slices.empty() || !outcome.plan.masks.empty() || !outcome.unproved.empty();
  summary.reordered = !outcome.plan.orders.empty();
  summary.rounding_moved = outcome.rounding_moved;
  summary.recovered = outcome.recovered;
  summary.could_recover = !outcome.plan.slices.empty() && !outcome.recovered &&
                          outcome.regressed.empty() && has_batch_norm(model.graph);
  summary.density = density_change(model.graph, outcome.graph);
  summary.masked = outcome.weights_after.has_value();
  if (summary.masked) summary.layers = layer_densities(outcome.graph);
  summary.verified = outcome.verified;
  summary.unproved = outcome.unproved;
  summary.proof = outcome.proof;
  summary.zeroed_filters = outcome.zeroed_filters;
  if (outcome.proof) {
    summary.proof_inputs = describe_inputs(outcome.graph, outcome.proof->comparison.sizes);
  }
  return summary;
}

Json to_json(const ResultTable& table) {
  Json json = Json::object();
  for (const auto& [name, text] : table.about) json[name] = text;
  Json& rows = json[table.key] = Json::array();
  for (const auto& row : table.rows) rows.push_back(row_json(table, row));
  return json;
}

Json to_json(const CutSummary& summary) {
  Json groups = Json::array();
  for (const GroupCut& group : summary.groups) {
    groups.push_back({{"name", group.name}, {"before", group.before}, {"after", group.after}});
  }
  Json json = {{"model", summary.model},
               {"method", summary.method},
               {"output", summary.output},
               {"before", side_json(summary.before, summary.density.before)},
               {"after", side_json(summary.after, summary.density.after)},
               {"denser", summary.density.denser()},
               {"groups", groups},
               {"rounding_moved", summary.rounding_moved},
               {"plan", summary.plan},
               {"verified", summary.verified},
               {"seconds", summary.seconds},
               {"command", summary.command}};
  if (summary.held_out) {
    json["held_out_top1"] = {{"original", summary.held_out->original},
                             {"cut", summary.held_out->cut},
                             {"tuned", summary.held_out->tuned}};
  }
  if (summary.budget) {
    json["budget"] = {{"option", summary.budget->option},
                      {"asked", summary.budget->asked},
                      {"got", summary.budget->got}};
  }
  if (!summary.unproved.empty()) json["unproved"] = summary.unproved;
  if (summary.masked) json["layers"] = to_json(summary.layers);
  for (const ResultTable& table : summary.tables) {
    json[table.key] = to_json(table).at(table.key);
  }
  if (!summary.engine.empty()) json["engine"] = summary.engine;
  if (summary.fit) json["for"] = to_json(*summary.fit);
  if (summary.recovered) json["recovered"] = recovered_json(*summary.recovered);
  if (summary.proof) json["proof"] = to_json(*summary.proof, summary.proof_inputs);
  if (summary.zeroed_filters) {
    json["zeroed_filters"] = {{"difference", summary.zeroed_filters->difference},
                              {"share", summary.zeroed_filters->share}};
  }
  return json;
}

}  // namespace coppice
