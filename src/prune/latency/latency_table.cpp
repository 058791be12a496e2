// See latency_table.h.
#include "prune/latency/latency_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
// A layer of no channels would still be called, find its memory and wait for it.
constexpr double kTimeWithoutWork = 0.5;

double number_from_0(const Json& json, const char* what) {
  const double number = json.is_number() ? json.get<double>() : NAN;
  if (!(std::isfinite(number) && number >= 0)) {
    fail_input(std::string("'") + what + "' is no number from 0 up");
  }
  return number;
}

LatencyTable table_of(const Json& json) {
  if (json.at("latency") != kFormat) fail_input("it is of another version");
  LatencyTable table{.cpu = json.at("cpu"), .threads = json.at("threads"), .net = json.at("net")};
  for (const Json& entry : json.at("layers")) {
    LayerTimes layer{.name = entry.at("name"), .points = {}};
    for (const Json& point : entry.at("points")) {
      layer.points.push_back(
          {number_from_0(point.at("work"), "work"), number_from_0(point.at("ms"), "ms")});
    }
    if (layer.points.empty()) fail_input("layer '" + layer.name + "' has no points");
    layer.points = rising(std::move(layer.points));
    table.layers.push_back(std::move(layer));
  }
  return table;
}

}  // namespace

std::vector<LayerPoint> rising(std::vector<LayerPoint> points) {
  std::ranges::sort(points, {}, &LayerPoint::work);
  for (size_t i = 1; i < points.size(); ++i) {
    points[i].ms = std::max(points[i].ms, points[i - 1].ms);
  }
  return points;
}

double time_at(const std::vector<LayerPoint>& points, double work) {
  const LayerPoint& first = points.front();
  if (work <= first.work) {
    const double share = first.work > 0 ? work / first.work : 1;
    return first.ms * (kTimeWithoutWork + (1 - kTimeWithoutWork) * share);
  }
  if (points.size() == 1) return first.ms * work / first.work;
  auto above = std::ranges::lower_bound(points, work, {}, &LayerPoint::work);
  if (above == points.end()) --above;
  const LayerPoint &low = *(above - 1), &high = *above;
  if (high.work == low.work) return high.ms;
  return low.ms + (high.ms - low.ms) * (work - low.work) / (high.work - low.work);
}

std::string to_json(const LatencyTable& table) {
  Json layers = Json::array();
  for (const LayerTimes& layer : table.layers) {
    Json points = Json::array();
    for (const LayerPoint& point : layer.points) {
      points.push_back({{"work", point.work}, {"ms", point.ms}});
    }
    layers.push_back({{"name", layer.name}, {"points", points}});
  }
  const Json json = {{"latency", kFormat},
                     {"cpu", table.cpu},
                     {"threads", table.threads},
                     {"net", table.net},
                     {"layers", layers}};
  return json.dump(1) + "\n";
}

LatencyTable read_latency_table(const std::string& path) {
  const std::string text = read_text(path);
  try {
    return table_of(Json::parse(text));
  } catch (const std::exception& error) {
    fail_input("'" + path + "' is no table of latency that coppice wrote: " + error.what());
  }
}

}  // namespace coppice
