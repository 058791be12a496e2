// Moments from evidence: see evidence/moments.h.

#include "evidence/moments.h"

#include "graph/views/linear_layer.h"
#include "graph/views/only_reshapes.h"

namespace coppice {
namespace {

struct Place {
  ValueId value = kNoValue;
  InputMoments input;  // still without moments
};

// The value before a Flatten, or a Reshape that is one, of images [N, C, ...].
std::optional<Place> before_flatten(const Graph& graph, const Inferred& inferred, ValueId id,
                                    std::span<const int32_t> producer_of) {
  if (producer_of[id] < 0) return std::nullopt;
  const Node& node = graph.nodes[producer_of[id]];
  if (!only_reshapes(node)) return std::nullopt;
  const ValueId from = node.inputs[0];
  if (!inferred.has(from)) return std::nullopt;
  const Shape &wide = inferred.shape(from), &flat = inferred.shape(id);
  if (wide.size() < 3 || flat.size() != 2 || wide[0] != flat[0]) return std::nullopt;
  return Place{from, {1, wide[1], {wide.begin() + 2, wide.end()}}};
}

std::optional<Place> place_of(const Graph& graph, const Inferred& inferred, const Node& node,
                              std::span<const int32_t> producer_of) {
  const auto layer = linear_layer_of(node);
  if (!layer || layer->kind == LinearLayer::Kind::transposed_convolution) return std::nullopt;
  const ValueId id = node.inputs[0];
  if (!inferred.has(id) || inferred.types[id]->dtype != DType::f32) return std::nullopt;
  const Shape& shape = inferred.shape(id);
  if (shape.size() < 2) return std::nullopt;
  const int64_t axis = from_the_front(layer->channels, std::ssize(shape));
  if (axis == 0) return std::nullopt;  // along which images lie
  if (shape[axis] <= kWidest) return Place{id, {axis, shape[axis]}};
  auto before = before_flatten(graph, inferred, id, producer_of);
  return before && before->input.channels <= kWidest ? before : std::nullopt;
}

std::vector<EvidenceRequest> requests_of(const Graph& graph, const Place& place) {
  const std::string& name = graph.value(place.value).name;
  return {{name, Reduction::mean, place.input.axis},
          {name, Reduction::covariance, place.input.axis}};
}

Moments moments_of(const Tensor& mean, const Tensor& covariance) {
  const int64_t channels = mean.size();
  return {Eigen::Map<const Vector>(mean.as<double>().data(), channels),
          Eigen::Map<const Matrix>(covariance.as<double>().data(), channels, channels)};
}

}  // namespace

std::vector<EvidenceRequest> moment_requests(const Graph& graph, const Inferred& inferred,
                                             const Node& node,
                                             std::span<const int32_t> producer_of) {
  const auto place = place_of(graph, inferred, node, producer_of);
  return place ? requests_of(graph, *place) : std::vector<EvidenceRequest>{};
}

void visit_measured(const Graph& graph, const Inferred& inferred, const Evidence& evidence,
                    const VisitMoments& visit) {
  const std::vector<int32_t> producer_of = producers(graph);
  for (const Node& node : graph.nodes) {
    auto place = place_of(graph, inferred, node, producer_of);
    if (!place) {
      visit(node, nullptr);
      continue;
    }
    const auto requests = requests_of(graph, *place);
    const Tensor *mean = evidence.find(requests[0]), *covariance = evidence.find(requests[1]);
    if (mean && covariance) {
      place->input.moments = [mean, covariance] { return moments_of(*mean, *covariance); };
    }
    visit(node, &place->input);
  }
}

}  // namespace coppice
