// See refit_layers.h. Values have the same numbers in all three graphs: before, as it is now with
// everything that leaves still there, and now cut.
#include "prune/compensate/refit_layers.h"

#include <algorithm>
#include <utility>

#include "core/threads.h"
#include "graph/views/batch_norm.h"
#include "prune/compensate/changed_layers.h"
#include "prune/compensate/cut_twin.h"
#include "prune/compensate/least_squares.h"

namespace coppice {
namespace {

constexpr int64_t kMostFeatures = 5000;
// Points of an image: some hundred images are to give about ten rows a feature.
constexpr int64_t kLeastPoints = 10, kMostPoints = 100, kFeaturesOfPoint = 25;
constexpr int64_t kMostFloats = 64'000'000;  // of the original's values held at once
constexpr double kLeastFactor = 1e-4;        // of the largest, of what a filter is multiplied with

// A layer, and where it is looked at.
struct Work {
  ChangedLayer layer;
  ValueId wanted = kNoValue;  // the value that is to be as before
  int64_t points = 0;
  uint64_t seed = 0;
};

std::vector<Work> works_of(const std::vector<ChangedLayer>& layers) {
  std::vector<Work> works;
  for (const ChangedLayer& layer : layers) {
    if (layer.features > kMostFeatures) continue;
    const int64_t points = std::clamp(layer.features / kFeaturesOfPoint, kLeastPoints, kMostPoints);
    const ValueId own = layer.behind == kNoValue ? layer.output : layer.behind;
    works.push_back({layer, layer.sum == kNoValue ? own : layer.sum,
                     std::min(points, layer.positions), works.size()});
  }
  return works;
}

EvidenceRequest samples_of(const Graph& graph, ValueId id, const Work& work) {
  return {graph.value(id).name, Reduction::samples, work.layer.axis, work.points, work.seed};
}

// The original's values, for as many layers at a time as may be held.
class Wanted {
 public:
  Wanted(const Graph& before, const std::vector<Work>& works, const Measure& measure)
      : before_(before), works_(works), staged_(measure), bottlenecks_(bottlenecks(before)) {}

  Tensor of(size_t which) {
    const EvidenceRequest request = samples_of(before_, works_[which].wanted, works_[which]);
    if (!evidence_.find(request)) gather(which);
    return evidence_.at(request);
  }

 private:
  void gather(size_t first) {
    std::vector<EvidenceRequest> requests;
    std::vector<ValueId> values;
    int64_t floats = 0;
    for (size_t w = first; w < works_.size(); ++w) {
      floats += (images_ > 0 ? images_ : kGuessedImages) * works_[w].points * filters_of(works_[w]);
      if (w > first && floats > kMostFloats) break;
      requests.push_back(samples_of(before_, works_[w].wanted, works_[w]));
      values.push_back(works_[w].wanted);
    }
    if (images_ > 0) {
      const ValueId output = works_[first].layer.output;
      staged_.keep(before_, bottleneck_before(before_, bottlenecks_, output), images_);
    }
    evidence_ = staged_.measure(before_, values, requests);
    images_ = evidence_.at(requests[0]).shape()[0] / works_[first].points;
  }

  int64_t filters_of(const Work& work) const {
    const Shape& weight = before_.value(work.layer.weight).constant->shape();
    return std::max(weight[0], weight[1]);
  }

  static constexpr int64_t kGuessedImages = 1000;
  const Graph& before_;
  const std::vector<Work>& works_;
  Staged staged_;
  std::vector<ValueId> bottlenecks_;
  Evidence evidence_;
  int64_t images_ = 0;  // known once there was some evidence
};

// What is done to a layer's outputs before they are compared: factor y + constant, by filter.
struct Affine {
  Vector factor, constant;
};

Affine affine_behind(const Graph& graph, const ChangedLayer& layer, int64_t filters) {
  Affine affine{Vector::Ones(filters), Vector::Zero(filters)};
  if (layer.behind == kNoValue) return affine;
  if (!layer.batch_norm) {
    affine.constant = vector_of(graph, layer.vector);
    return affine;
  }
  const auto norm = batch_norm_of(graph, *producer_in(graph, layer.behind));
  affine.factor = factor_of(graph, *norm);
  affine.constant =
      vector_of(graph, norm->shift) - affine.factor.cwiseProduct(vector_of(graph, norm->mean));
  return affine;
}

class Refitting {
 public:
  Refitting(const Work& work, CutTwin& twin, const Node& node, const Contraction& layer)
      : work_(work),
        twin_(twin),
        layer_(layer),
        affine_(affine_behind(twin.cut(), work.layer, layer.filters)),
        now_{layer.scale * weight_of(twin.cut(), layer),
             bias_of(twin.cut(), node, layer.filters).value_or(Vector::Zero(layer.filters))} {}

  // `original`: of the wanted value, [rows, all its channels].
  bool run(const Tensor& original) {
    const Tensor& weight = *twin_.cut().value(layer_.weight).constant;
    const auto kept = twin_.kept(work_.wanted, work_.layer.axis, original.shape()[1]);
    if (std::ssize(kept) != weight.shape()[layer_.filter_axis]) return false;
    const auto [inputs, other] = measure(original.shape()[0] / work_.points);
    if (inputs.shape()[0] != original.shape()[0]) return false;
    fit(inputs, wanted_of(original, kept, other));
    return true;
  }

 private:
  std::pair<Tensor, Tensor> measure(int64_t images) {
    const ChangedLayer& layer = work_.layer;
    const Graph& cut = twin_.cut();
    std::vector<EvidenceRequest> requests = {
        {cut.value(layer.output).name, Reduction::patches, 1, work_.points, work_.seed}};
    std::vector<ValueId> values = {layer.output};
    if (layer.other != kNoValue) {
      requests.push_back(samples_of(cut, layer.other, work_));
      values.push_back(layer.other);
    }
    const Evidence evidence = twin_.measure(layer.output, values, requests, images);
    return {evidence.at(requests[0]),
            layer.other == kNoValue ? Tensor() : evidence.at(requests[1])};
  }

  // A filter that hardly counts isn't asked for what others lack: it would need huge weights.
  bool counts(int64_t filter) const {
    const double least = kLeastFactor * affine_.factor.cwiseAbs().maxCoeff();
    return std::abs(affine_.factor[filter]) > least;
  }

  // [rows, filters]: what the layer itself is to give.
  std::vector<float> wanted_of(const Tensor& original, const std::vector<int64_t>& kept,
                               const Tensor& other) const {
    const int64_t rows = original.shape()[0], filters = layer_.filters;
    std::vector<float> wanted(rows * filters, 0);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = 0; o < filters; ++o) {
        if (!counts(o)) continue;
        double y = original.as<float>()[r * original.shape()[1] + kept[o]];
        if (other.size() > 0) y -= other.as<float>()[r * filters + o];
        wanted[r * filters + o] = static_cast<float>((y - affine_.constant[o]) / affine_.factor[o]);
      }
    }
    return wanted;
  }

  void fit(const Tensor& inputs, const std::vector<float>& wanted) {
    AffineMap fitted = now_;
    std::vector<char> moved(layer_.group, 0);
    // Groups are small where there are many, and else one has all threads.
    parallel_for(layer_.group, 1, [&](int64_t begin, int64_t end) {
      for (int64_t g = begin; g < end; ++g) moved[g] = fit_group(g, inputs, wanted, fitted);
    });
    if (std::ranges::find(moved, 1) == moved.end()) return;
    twin_.set_weight(layer_, fitted.weight / layer_.scale);
    const ValueId vector = work_.layer.vector;
    twin_.set_vector(
        vector, vector_of(twin_.cut(), vector) + work_.layer.factor * (fitted.bias - now_.bias));
  }

  // Writes the group's filters into `fitted`; whether they are others now.
  bool fit_group(int64_t group, const Tensor& inputs, const std::vector<float>& wanted,
                 AffineMap& fitted) const {
    const int64_t features = layer_.inputs * layer_.taps();
    const int64_t filters = layer_.filters / layer_.group, first = group * filters;
    // What a branch is asked for holds the stream's errors, too: they are no signal to keep up.
    const bool fits_branch = work_.layer.other != kNoValue;
    const Regression samples{
        {inputs.as<float>().data() + group * features, features, inputs.shape()[1]},
        {wanted.data() + first, filters, layer_.filters},
        inputs.shape()[0],
        work_.points,
        fits_branch ? Regression::Variance::least : Regression::Variance::wanted};
    Vector weights = affine_.factor.segment(first, filters).array().square();
    for (int64_t o = 0; o < filters; ++o) weights[o] *= counts(first + o) ? 1 : 0;
    const Refitted found =
        refit(samples, {now_.weight.middleRows(first, filters), now_.bias.segment(first, filters)},
              weights);
    for (int64_t o = 0; o < filters && found.moved; ++o) {
      if (!counts(first + o)) continue;
      fitted.weight.row(first + o) = found.layer.weight.row(o);
      fitted.bias[first + o] = found.layer.bias[o];
    }
    return found.moved;
  }

  const Work& work_;
  CutTwin& twin_;
  const Contraction& layer_;
  Affine affine_;
  AffineMap now_;
};

bool refit_layer(const Work& work, CutTwin& twin, const Tensor& original) {
  const Node* node = twin.producer(work.layer.output);
  if (!node) return false;
  const auto layer = twin.layer(*node);
  return layer && Refitting(work, twin, *node, *layer).run(original);
}

}  // namespace

ChangedCounts refit_layers(const Graph& before, Graph& graph, Groups& groups,
                           const Removal& removal, const Measure& measure) {
  const ChangedLayers changed = changed_layers(graph, groups, removal);
  const std::vector<Work> works = works_of(changed.layers);
  ChangedCounts counts{0, changed.unknown + std::ssize(changed.layers) - std::ssize(works)};
  Wanted wanted(before, works, measure);
  CutTwin twin(graph, groups, removal, measure);
  for (size_t w = 0; w < works.size(); ++w) {
    ++(refit_layer(works[w], twin, wanted.of(w)) ? counts.corrected : counts.unknown);
  }
  return counts;
}

}  // namespace coppice
