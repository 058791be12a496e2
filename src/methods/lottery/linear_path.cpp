// See linear_path.h.
#include "methods/lottery/linear_path.h"

#include <algorithm>

#include "session/state/snapshot.h"

namespace coppice {

Graph between(const Graph& a, const Graph& b, double share) {
  NamedTensors weights = weights_of(a);
  const NamedTensors others = weights_of(b);
  for (auto& [name, tensor] : weights) {
    const std::span<float> numbers = tensor.mutate<float>();
    const std::span<const float> ends = others.at(name).as<float>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = static_cast<float>((1 - share) * numbers[i] + share * ends[i]);
    }
  }
  Graph graph = a;
  set_weights(graph, weights);
  return graph;
}

std::vector<PathPoint> linear_path(Session& session, const Graph& a, const Graph& b,
                                   int64_t points) {
  std::vector<PathPoint> path;
  for (int64_t p = 0; p < points; ++p) {
    const double share = static_cast<double>(p) / static_cast<double>(points - 1);
    const Evaluation judged = session.evaluate(between(a, b, share), Part::held_out);
    path.push_back({.share = share, .top1 = judged.top1, .loss = judged.loss});
  }
  return path;
}

Barrier barrier_of(const std::vector<PathPoint>& path) {
  const PathPoint &first = path.front(), &last = path.back();
  double lowest = first.top1, highest = first.loss;
  for (const PathPoint& point : path) {
    lowest = std::min(lowest, point.top1);
    highest = std::max(highest, point.loss);
  }
  return {.error = (first.top1 + last.top1) / 2 - lowest,
          .loss = highest - (first.loss + last.loss) / 2};
}

}  // namespace coppice
