// See amc_layers.h.
#include "methods/search/amc_layers.h"

#include <algorithm>

#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

double size_at(const Shape& shape, size_t axis) {
  return axis < shape.size() ? static_cast<double>(shape[axis]) : 1;
}

// The node that computes the group's filters first; -1 where none is a linear layer.
int32_t first_layer(const Graph& graph, const Group& group) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto layer = linear_layer_of(node);
    if (!layer) continue;
    const ValueId weight = node.inputs[layer->weight];
    for (const Slice& slice : group.slices) {
      if (slice.tensor == weight && slice.role == Role::filter) return static_cast<int32_t>(n);
    }
  }
  return -1;
}

std::vector<double> features_of(const Traced& traced, int32_t number) {
  const Graph& graph = traced.graph();
  if (number < 0) return std::vector<double>(8, 0);
  const Node& node = graph.nodes[number];
  const auto layer = linear_layer_of(node);
  const Inferred& inferred = traced.groups().inferred;
  const Shape &weight = inferred.shape(node.inputs[layer->weight]),
              &result = inferred.shape(node.outputs[0]);
  const auto rank = std::ssize(weight);
  const auto strides = node.attributes.integers("strides").value_or(Shape{1});
  return {layer->convolves() ? 0.0 : 1.0,
          size_at(weight, from_the_front(layer->outputs, rank)),
          size_at(weight, from_the_front(layer->inputs, rank)),
          size_at(result, 2),
          size_at(result, 3),
          strides.empty() ? 1 : static_cast<double>(strides.front()),
          layer->convolves() ? size_at(weight, 2) : 1,
          static_cast<double>(element_count(weight))};
}

}  // namespace

std::vector<AmcLayer> amc_layers(const Traced& traced, const SearchSpace& space) {
  struct Found {
    int32_t node;
    AmcLayer layer;
  };
  Widths whole;
  for (const Widths& choices : space.choices) whole.push_back(choices.back());
  std::vector<Found> found;
  for (const size_t g : space.genes()) {
    const int32_t node = first_layer(traced.graph(), traced.groups().free[g]);
    Widths narrow = whole;
    narrow[g] = space.choices[g].front();
    std::vector<double> features = features_of(traced, node);
    features.push_back(space.cost(whole) - space.cost(narrow));
    found.push_back({node, {.group = g, .features = std::move(features)}});
  }
  std::ranges::stable_sort(found, {}, &Found::node);
  std::vector<AmcLayer> layers;
  for (Found& one : found) {
    one.layer.features.insert(one.layer.features.begin(), static_cast<double>(layers.size()));
    layers.push_back(std::move(one.layer));
  }
  return layers;
}

}  // namespace coppice
