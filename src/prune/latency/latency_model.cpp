// See latency_model.h.
#include "prune/latency/latency_model.h"

namespace coppice {

LatencyModel::LatencyModel(const Traced& traced, LatencyTable table)
    : work_(traced), table_(std::move(table)) {
  for (const LayerTimes& layer : table_.layers) nodes_.push_back(work_.node_named(layer.name));
  whole_ms_ = ms(Removal(traced.groups().unit_count, 0));
}

double LatencyModel::ms(const Removal& removal) const {
  const std::vector<double> work = work_.after(removal);
  double sum = 0;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const std::vector<LayerPoint>& points = table_.layers[i].points;
    sum += nodes_[i] < 0 ? points.back().ms : time_at(points, work[nodes_[i]]);
  }
  return sum;
}

}  // namespace coppice
