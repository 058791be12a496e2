// What was measured of how long a net's layers take at several widths, on one processor. Written as
// JSON:
//
//   {"latency": 1, "cpu": "...", "threads": N, "net": "...", "layers":
//    [{"name", "points": [{"work", "ms"}]}]}
#pragma once

#include <string>
#include <vector>

namespace coppice {

struct LayerPoint {
  double work = 0;  // multiply-accumulates, or elements where there are none (layer_work.h)
  double ms = 0;
  friend bool operator==(const LayerPoint&, const LayerPoint&) = default;
};

struct LayerTimes {
  std::string name;                // of the layer's first node
  std::vector<LayerPoint> points;  // rising in work, and in time
  friend bool operator==(const LayerTimes&, const LayerTimes&) = default;
};

struct LatencyTable {
  std::string cpu;
  int threads = 1;
  std::string net;  // the hash of its structure (structure_hash)
  std::vector<LayerTimes> layers = {};
  friend bool operator==(const LatencyTable&, const LatencyTable&) = default;
};

// Points in the order of their work, times made to rise: what more work takes less time is noise.
std::vector<LayerPoint> rising(std::vector<LayerPoint> points);

// Between two points a straight line; below the first, half of its time is what takes no work;
// above the last as between the last two. Requires: points as `rising` makes them, one at least.
double time_at(const std::vector<LayerPoint>& points, double work);

std::string to_json(const LatencyTable& table);
// With the path in the message. Throws Error::input naming what is missing or no such value.
LatencyTable read_latency_table(const std::string& path);

}  // namespace coppice
