// See change_basis.h.
#include "prune/compensate/change_basis.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "prune/compensate/places.h"

namespace coppice {
namespace {

constexpr double kLeastMetric = 1e-3;  // of the mean, so that channels that no one reads do no harm
constexpr double kMostMixed = 100;     // what is mixed in more strongly would be lost in rounding
constexpr double kLeastFactor = 1e-3;  // of the largest, of a normalisation's

using Indices = std::vector<int64_t>;  // by unit

struct Writer {
  Contraction layer;
  ValueId bias = kNoValue;
  std::optional<BatchNorm> norm = {};
  Indices filters = {};
};
struct Reader {
  Contraction layer;
  ValueId data = kNoValue;
  Indices inputs = {};
};
struct Stream {
  std::vector<Writer> writers;
  std::vector<Reader> readers;
};

// The stream of a group, if that is all there is to the group.
class Finder {
 public:
  Finder(const Graph& graph, const Groups& groups)
      : graph_(graph), groups_(groups), places_(graph), readers_(consumers(graph)) {}

  std::optional<Stream> stream_of(const Group& group) const {
    std::map<std::pair<ValueId, int64_t>, Indices> indices;
    for (const Slice& slice : group.slices) {
      auto& all = indices[{slice.tensor, slice.axis}];
      for (const auto& of_unit : slice.indices) {
        if (of_unit.size() != 1) return std::nullopt;
        all.push_back(of_unit[0]);
      }
    }
    Stream stream;
    std::set<ValueId> values;
    for (const Node& node : graph_.nodes) {
      const auto layer = contraction_of(graph_, node, groups_.inferred, {});
      if (!layer) continue;
      const auto writes = indices.find({layer->weight, layer->filter_axis});
      if (writes == indices.end()) continue;
      auto writer = writer_of(node, *layer, writes->second, values);
      if (!writer) return std::nullopt;
      stream.writers.push_back(std::move(*writer));
    }
    if (!follow(values, indices, stream)) return std::nullopt;
    return accounts_for(group, stream) ? std::optional(std::move(stream)) : std::nullopt;
  }

 private:
  std::optional<Writer> writer_of(const Node& node, const Contraction& layer,
                                  const Indices& filters, std::set<ValueId>& values) const {
    if (layer.group != 1 || readers_[layer.weight].size() != 1) return std::nullopt;
    Writer writer{layer, kNoValue, {}, filters};
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
      writer.bias = node.inputs[2];
      if (!places_.own_vector(writer.bias, layer.filters)) return std::nullopt;
    }
    ValueId value = node.outputs[0];
    const Node* reader = places_.only_reader(value);
    if (reader && is_batch_norm(*reader)) {
      writer.norm = batch_norm_of(graph_, *reader);
      if (!writer.norm || layer.out_axis != 1) return std::nullopt;
      for (const ValueId id :
           {writer.norm->scale, writer.norm->shift, writer.norm->mean, writer.norm->variance}) {
        if (!places_.own_vector(id, layer.filters)) return std::nullopt;
      }
      value = reader->outputs[0];
    }
    values.insert(value);
    return writer;
  }

  // Through sums and whatever does the same to every channel, to all that read.
  bool follow(std::set<ValueId>& values, const std::map<std::pair<ValueId, int64_t>, Indices>& of,
              Stream& stream) const {
    for (const ValueId id : graph_.outputs) {
      if (values.contains(id)) return false;
    }
    for (const Node& node : graph_.nodes) {
      const auto in_stream = [&](ValueId id) { return values.contains(id); };
      if (std::ranges::any_of(node.captures, in_stream)) return false;
      if (std::ranges::none_of(node.inputs, in_stream)) continue;
      if (is_sum(node) && node.inputs.size() == 2) {
        if (!std::ranges::all_of(node.inputs, in_stream)) return false;
        if (!groups_.inferred.has(node.inputs[0]) || !groups_.inferred.has(node.inputs[1]) ||
            groups_.inferred.shape(node.inputs[0]) != groups_.inferred.shape(node.inputs[1])) {
          return false;
        }
      } else if (!is_onnx(node, "Identity") && !is_onnx(node, "GlobalAveragePool") &&
                 !is_onnx(node, "AveragePool") && !is_batch_norm(node)) {
        const auto layer = contraction_of(graph_, node, groups_.inferred, {});
        if (!layer || layer->group != 1 || readers_[layer->weight].size() != 1) return false;
        if (!in_stream(node.inputs[0])) return false;
        const auto reads = of.find({layer->weight, layer->input_axis});
        if (reads == of.end()) return false;
        stream.readers.push_back({*layer, node.inputs[0], reads->second});
        continue;
      } else if (is_batch_norm(node)) {
        return false;  // a writer's own comes before its value
      }
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        values.insert(id);
        if (std::ranges::find(graph_.outputs, id) != graph_.outputs.end()) return false;
      }
    }
    return !stream.readers.empty() && !stream.writers.empty();
  }

  // Nothing else has channels of the group.
  static bool accounts_for(const Group& group, const Stream& stream) {
    std::set<std::pair<ValueId, int64_t>> known;
    for (const Writer& writer : stream.writers) {
      known.emplace(writer.layer.weight, writer.layer.filter_axis);
      if (writer.bias != kNoValue) known.emplace(writer.bias, 0);
      if (!writer.norm) continue;
      for (const ValueId id :
           {writer.norm->scale, writer.norm->shift, writer.norm->mean, writer.norm->variance}) {
        known.emplace(id, 0);
      }
    }
    for (const Reader& reader : stream.readers) {
      known.emplace(reader.layer.weight, reader.layer.input_axis);
    }
    return std::ranges::all_of(group.slices, [&](const Slice& slice) {
      return known.contains({slice.tensor, slice.axis});
    });
  }

  const Graph& graph_;
  const Groups& groups_;
  Places places_;
  std::vector<std::vector<int32_t>> readers_;
};

EvidenceRequest request_of(const Graph& graph, const Reader& reader) {
  return {graph.value(reader.data).name, Reduction::covariance, reader.layer.in_axis};
}

// [units, units]
Matrix covariance_of(const Tensor& measured, const Indices& inputs) {
  const int64_t channels = measured.shape()[0];
  const Eigen::Map<const Matrix> all(measured.as<double>().data(), channels, channels);
  return all(inputs, inputs);
}

// How much reading layers make of each unit, and of two together: sum over filters and taps.
Matrix metric_of(const Graph& graph, const Reader& reader) {
  const Matrix weight = weight_of(graph, reader.layer);
  const int64_t taps = reader.layer.taps(), units = std::ssize(reader.inputs);
  Matrix metric = Matrix::Zero(units, units);
  Matrix tap(weight.rows(), units);
  for (int64_t t = 0; t < taps; ++t) {
    for (int64_t u = 0; u < units; ++u) tap.col(u) = weight.col(reader.inputs[u] * taps + t);
    metric.noalias() += tap.transpose() * tap;
  }
  return metric;
}

// B of the head comment: [kept, removed]; nothing where the kept can't carry it.
std::optional<Matrix> mixing(const Matrix& covariance, Matrix metric, const Indices& kept,
                             const Indices& removed) {
  metric.diagonal().array() += kLeastMetric * metric.diagonal().mean();
  const Eigen::SelfAdjointEigenSolver<Matrix> of_metric(metric);
  const Matrix root = of_metric.eigenvectors() *
                      of_metric.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                      of_metric.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(root * covariance * root);
  if (of_metric.info() != Eigen::Success || solver.info() != Eigen::Success) return std::nullopt;
  const Matrix subspace = solver.eigenvectors().rightCols(std::ssize(kept)).transpose() * root;
  const Matrix own = subspace(Eigen::all, kept), other = subspace(Eigen::all, removed);
  const Matrix mixed = Eigen::FullPivLU<Matrix>(own).solve(other);
  if (!mixed.allFinite() || mixed.cwiseAbs().maxCoeff() > kMostMixed) return std::nullopt;
  return mixed;
}

struct Split {
  Indices kept, removed;  // units
};

Indices chosen(const Indices& all, const Indices& units) {
  Indices some;
  for (const int64_t unit : units) some.push_back(all[unit]);
  return some;
}

void mix_writer(Graph& graph, const Writer& writer, const Split& split, const Matrix& mixed) {
  const Indices kept = chosen(writer.filters, split.kept);
  const Indices removed = chosen(writer.filters, split.removed);
  Vector factor = Vector::Ones(writer.layer.filters);
  Matrix of_filters = mixed;
  if (writer.norm) {
    const BatchNorm& norm = *writer.norm;
    factor = factor_of(graph, norm);
    Vector shift = vector_of(graph, norm.shift);
    const Vector constant = shift - factor.cwiseProduct(vector_of(graph, norm.mean));
    shift(kept) += mixed * constant(removed);
    set_vector(graph, norm.shift, shift);
    of_filters = factor(kept).cwiseInverse().asDiagonal() * mixed * factor(removed).asDiagonal();
  }
  Matrix weight = weight_of(graph, writer.layer);
  weight(kept, Eigen::all) += (of_filters * weight(removed, Eigen::all)).eval();
  set_weight(*graph.value(writer.layer.weight).constant, writer.layer, weight);
  if (writer.bias == kNoValue) return;
  Vector bias = vector_of(graph, writer.bias);
  bias(kept) += (of_filters * bias(removed)).eval();
  set_vector(graph, writer.bias, bias);
}

void unmix_reader(Graph& graph, const Reader& reader, const Split& split, const Matrix& mixed) {
  Matrix weight = weight_of(graph, reader.layer);
  const int64_t taps = reader.layer.taps();
  for (size_t c = 0; c < split.removed.size(); ++c) {
    for (size_t k = 0; k < split.kept.size(); ++k) {
      weight.middleCols(reader.inputs[split.removed[c]] * taps, taps) -=
          mixed(static_cast<int64_t>(k), static_cast<int64_t>(c)) *
          weight.middleCols(reader.inputs[split.kept[k]] * taps, taps);
    }
  }
  set_weight(*graph.value(reader.layer.weight).constant, reader.layer, weight);
}

// A normalisation that nearly zeroes a channel can't carry others in it.
bool can_mix(const Graph& graph, const Writer& writer, const Split& split) {
  if (!writer.norm) return true;
  const Vector factor = factor_of(graph, *writer.norm).cwiseAbs();
  const Indices kept = chosen(writer.filters, split.kept);
  return factor(kept).minCoeff() > kLeastFactor * factor.maxCoeff();
}

Split split_of(const Group& group, const Removal& removal) {
  Split split;
  for (int64_t u = 0; u < group.units(); ++u) {
    (removal[group.first_unit + u] ? split.removed : split.kept).push_back(u);
  }
  return split;
}

bool change(Graph& graph, const Stream& stream, const Split& split, const Evidence& evidence) {
  Matrix covariance, metric;
  for (const Reader& reader : stream.readers) {
    const Matrix seen = covariance_of(evidence.at(request_of(graph, reader)), reader.inputs);
    const Matrix made = metric_of(graph, reader);
    const double all = made.cwiseProduct(seen).sum();  // of its outputs' variances, about
    if (!(all > 0)) continue;
    if (covariance.size() == 0) {
      covariance = metric = Matrix::Zero(seen.rows(), seen.cols());
    }
    covariance += seen;
    metric += made / all;
  }
  if (covariance.size() == 0) return false;
  for (const Writer& writer : stream.writers) {
    if (!can_mix(graph, writer, split)) return false;
  }
  const auto mixed = mixing(covariance, metric, split.kept, split.removed);
  if (!mixed) return false;
  for (const Writer& writer : stream.writers) mix_writer(graph, writer, split, *mixed);
  for (const Reader& reader : stream.readers) unmix_reader(graph, reader, split, *mixed);
  return true;
}

}  // namespace

int64_t change_basis(Graph& graph, const Groups& groups, const Removal& removal,
                     const Measure& measure) {
  const Finder finder(graph, groups);
  std::vector<std::pair<Stream, Split>> streams;
  std::vector<EvidenceRequest> requests;
  for (const Group& group : groups.free) {
    const Split split = split_of(group, removal);
    if (split.kept.empty() || split.removed.empty()) continue;
    auto stream = finder.stream_of(group);
    if (!stream) continue;
    for (const Reader& reader : stream->readers) requests.push_back(request_of(graph, reader));
    streams.emplace_back(std::move(*stream), split);
  }
  if (streams.empty()) return 0;
  std::ranges::sort(requests);
  requests.erase(std::ranges::unique(requests).begin(), requests.end());
  const Evidence evidence = measure(graph, requests);
  int64_t changed = 0;
  for (const auto& [stream, split] : streams) changed += change(graph, stream, split, evidence);
  return changed;
}

}  // namespace coppice
