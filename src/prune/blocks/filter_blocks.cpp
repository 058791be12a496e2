// See filter_blocks.h.
#include "prune/blocks/filter_blocks.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "core/error.h"
#include "graph/op.h"
#include "graph/views/constants_behind.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

// Whether `input` is the constant as it lies (false) or a matrix turned over (true), behind nodes
// that only move its elements or cast them; nothing where it has another form.
std::optional<bool> turned(const Graph& graph, const std::vector<int32_t>& producer, ValueId input,
                           ValueId constant) {
  bool over = false;
  while (input != constant) {
    const Node& node = graph.nodes[producer[input]];
    if (node.op->moves == Moves::permutes && graph.value(constant).constant->rank() == 2) {
      over ^= node.attributes.integers("perm").value_or(Shape{1, 0}) == Shape{1, 0};
    } else if (node.op->reach != Reach::element) {
      return std::nullopt;
    }
    input = node.inputs[0];
  }
  return over;
}

}  // namespace

std::map<ValueId, FilterAxis> filter_axes(const Graph& graph) {
  const std::vector<ValueId> behind = constants_behind(graph);
  const std::vector<int32_t> producer = producers(graph);
  std::map<ValueId, FilterAxis> axes;
  std::set<ValueId> unclear;
  for (const Node& node : graph.nodes) {
    for (int i = 0; i < std::ssize(node.inputs); ++i) {
      if (node.inputs[i] == kNoValue || behind[node.inputs[i]] == kNoValue) continue;
      const auto layer = linear_layer_of(node, i);
      if (!layer) continue;
      const ValueId id = behind[node.inputs[i]];
      const auto over = turned(graph, producer, node.inputs[i], id);
      const int64_t rank = graph.value(id).constant->rank();
      FilterAxis filters{over ? from_the_front(layer->outputs, rank) : 0};
      if (over && *over) filters.axis = 1 - filters.axis;
      if (layer->kind == LinearLayer::Kind::convolution) filters.groups = layer->groups;
      const auto [place, added] = axes.try_emplace(id, filters);
      if (!over || !(place->second == filters)) unclear.insert(id);
    }
  }
  for (const ValueId id : unclear) axes.erase(id);
  return axes;
}

FilterBlocks::FilterBlocks(Shape shape, FilterAxis filters, int together,
                           std::vector<int64_t> order)
    : shape_(std::move(shape)), filters_(shape_[filters.axis]), order_(std::move(order)) {
  for (int64_t a = 0; a < std::ssize(shape_); ++a) {
    if (a != filters.axis) (a < filters.axis ? outer_ : inner_) *= shape_[a];
  }
  if (order_.empty()) {
    order_.resize(static_cast<size_t>(filters_));
    std::iota(order_.begin(), order_.end(), 0);
  }
  COPPICE_CHECK(std::ssize(order_) == filters_, "an order of other filters");
  const int64_t of_group = std::max<int64_t>(1, filters_ / std::max<int64_t>(1, filters.groups));
  for (int64_t first = 0; first < filters_;) {
    const int64_t left = std::min(of_group - first % of_group, filters_ - first);
    runs_.push_back({first, left >= together ? together : 1});
    first += runs_.back().filters;
  }
}

std::vector<FilterBlocks> blocks_of(const Graph& graph, std::span<const ValueId> weights,
                                    int together,
                                    const std::map<std::string, std::vector<int64_t>>& filters) {
  const std::map<ValueId, FilterAxis> axes = filter_axes(graph);
  std::vector<FilterBlocks> blocks;
  for (const ValueId id : weights) {
    const auto axis = axes.find(id);
    const auto order = filters.find(graph.value(id).name);
    const bool known = axis != axes.end();
    blocks.emplace_back(graph.value(id).constant->shape(), known ? axis->second : FilterAxis{},
                        known ? together : 1,
                        order == filters.end() ? std::vector<int64_t>{} : order->second);
  }
  return blocks;
}

Tensor FilterBlocks::spread(std::span<const float> stays) const {
  Tensor mask = Tensor::zeros(DType::f32, shape_);
  const std::span<float> elements = mask.mutate<float>();
  for_each([&](int64_t cell, int64_t element) { elements[element] = stays[cell]; });
  return mask;
}

Tensor FilterBlocks::whole(const Tensor& mask) const {
  const std::span<const float> elements = mask.as<float>();
  std::vector<float> stays(static_cast<size_t>(cells()), 0.0f);
  for_each([&](int64_t cell, int64_t element) {
    if (elements[element] != 0) stays[cell] = 1;
  });
  return spread(stays);
}

}  // namespace coppice
