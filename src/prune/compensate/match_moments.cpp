#include "prune/compensate/match_moments.h"

#include <algorithm>
#include <cmath>

#include "graph/views/batch_norm.h"
#include "prune/compensate/changed_layers.h"
#include "prune/compensate/cut_twin.h"

namespace coppice {
namespace {

// A deviation is not corrected by more than this: what hardly varies would be blown up.
constexpr double kMostScale = 4;

struct Spread {
  Vector mean, variance;
};

std::vector<EvidenceRequest> requests_of(const Graph& graph, ValueId id, int64_t axis) {
  const std::string& name = graph.value(id).name;
  return {{name, Reduction::mean, axis}, {name, Reduction::variance, axis}};
}

Spread spread_of(const Evidence& evidence, const std::vector<EvidenceRequest>& requests) {
  const auto vector = [&](const EvidenceRequest& request) {
    const auto numbers = evidence.numbers(request);
    return Vector(Eigen::Map<const Vector>(numbers.data(), std::ssize(numbers)));
  };
  return {vector(requests[0]), vector(requests[1])};
}

// A value whose channels are brought back, and by what.
struct Matched {
  ValueId value = kNoValue;
  int64_t axis = 1;
  const ChangedLayer* layer = nullptr;  // null: the BatchNormalization that reads the value
  ValueId normalised = kNoValue;        // its output
};

std::vector<Matched> matched_of(const Graph& graph, const ChangedLayers& changed) {
  std::vector<Matched> places;
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty()) continue;
    const ValueId output = node.outputs[0];
    if (std::ranges::find(changed.batch_norms, output) != changed.batch_norms.end()) {
      places.push_back({node.inputs[0], 1, nullptr, output});
    }
    const auto layer = std::ranges::find(changed.layers, output, &ChangedLayer::output);
    if (layer == changed.layers.end() || layer->batch_norm) continue;
    places.push_back({output, layer->axis, &*layer, kNoValue});
  }
  return places;
}

class Matching {
 public:
  Matching(CutTwin& twin, const Matched& place, const Spread& was) : twin_(twin), place_(place) {
    const auto kept = twin.kept(place.value, place.axis, was.mean.size());
    was_ = {was.mean(kept), was.variance(kept)};
  }

  bool run(const Spread& now) {
    if (now.mean.size() != was_.mean.size()) return false;
    scale_ = (now.variance.array() / was_.variance.array()).sqrt();
    for (double& s : scale_) {
      s = std::isfinite(s) && s > 0 ? std::clamp(s, 1 / kMostScale, kMostScale) : 1;
    }
    return place_.layer ? scale_layer(now) : move_statistics(now);
  }

 private:
  bool move_statistics(const Spread& now) {
    const auto norm = batch_norm_of(twin_.cut(), *twin_.producer(place_.normalised));
    if (!norm) return false;
    const Vector mean = vector_of(twin_.cut(), norm->mean);
    const Vector variance = vector_of(twin_.cut(), norm->variance);
    twin_.set_vector(norm->mean, now.mean + (mean - was_.mean).cwiseProduct(scale_));
    twin_.set_vector(norm->variance, variance.cwiseProduct(scale_.cwiseAbs2()));
    return true;
  }

  // y' = (y - mean now) / s + mean before.
  bool scale_layer(const Spread& now) {
    const ChangedLayer& layer = *place_.layer;
    const Node& node = *twin_.producer(layer.output);
    const auto contraction = twin_.layer(node);
    if (!contraction) return false;
    const Vector constant = bias_of(twin_.cut(), node, contraction->filters)
                                .value_or(Vector::Zero(contraction->filters));
    const Vector factor = scale_.cwiseInverse();
    twin_.set_weight(*contraction, factor.asDiagonal() * weight_of(twin_.cut(), *contraction));
    const Vector moved = was_.mean - factor.cwiseProduct(now.mean - constant) - constant;
    twin_.set_vector(layer.vector, vector_of(twin_.cut(), layer.vector) + layer.factor * moved);
    return true;
  }

  CutTwin& twin_;
  const Matched& place_;
  Spread was_;
  Vector scale_;
};

}  // namespace

ChangedCounts match_moments(const Graph& before, Graph& graph, Groups& groups,
                            const Removal& removal, const Measure& measure) {
  const ChangedLayers changed = changed_layers(graph, groups, removal);
  const std::vector<Matched> places = matched_of(graph, changed);
  ChangedCounts counts{0, changed.unknown};
  if (places.empty()) return counts;
  std::vector<EvidenceRequest> all;
  std::vector<ValueId> values;
  for (const Matched& place : places) {
    std::ranges::copy(requests_of(before, place.value, place.axis), std::back_inserter(all));
    values.push_back(place.value);
  }
  const EvidenceRequest count{before.value(places[0].value).name, Reduction::pooled,
                              places[0].axis};
  all.push_back(count);
  const Evidence was = Staged(measure).measure(before, values, all);
  const int64_t images = was.at(count).shape()[0];
  CutTwin twin(graph, groups, removal, measure);
  for (const Matched& place : places) {
    const auto requests = requests_of(before, place.value, place.axis);
    if (!twin.producer(place.value)) {
      ++counts.unknown;
      continue;
    }
    const Evidence now = twin.measure(place.value, {place.value}, requests, images);
    const bool done = Matching(twin, place, spread_of(was, requests)).run(spread_of(now, requests));
    ++(done ? counts.corrected : counts.unknown);
  }
  return counts;
}

}  // namespace coppice
