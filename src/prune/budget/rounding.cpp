// See rounding.h.
#include "prune/budget/rounding.h"

#include <algorithm>
#include <numeric>

#include "graph/op.h"
#include "graph/views/linear_layer.h"
#include "prune/runtimes/runtimes.h"

namespace coppice {
namespace {

// From so many blocks up an odd number of them costs a few percent: kernels take several at once.
constexpr int64_t kManyBlocks = 16;

int64_t channels_of_unit(const Group& group) {
  return static_cast<int64_t>(group.slices.front().indices.front().size());
}

// Whether the slice takes the same channels from each group of a convolution, which keeps its
// groups: along the weight's axis of one group's channels, or from several groups of the other.
bool within_groups(const Slice& slice, const LinearLayer& layer, const Shape& weight) {
  if (layer.groups == 1) return false;
  const bool transposed = layer.kind == LinearLayer::Kind::transposed_convolution;
  if (slice.axis == (transposed ? layer.outputs : layer.inputs)) return weight[slice.axis] > 1;
  const int64_t of_group = weight[slice.axis] / layer.groups;
  const std::vector<int64_t>& unit = slice.indices.front();
  return of_group > 0 && unit.front() / of_group != unit.back() / of_group;
}

}  // namespace

Rounding::Rounding(const Runtime& runtime, const Graph& graph, const Groups& groups)
    : multiple_(runtime.block), block_(runtime.block), lane_(runtime.lane) {
  in_groups_.assign(groups.free.size(), 0);
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  for (size_t g = 0; g < groups.free.size(); ++g) {
    for (const Slice& slice : groups.free[g].slices) {
      for (const int32_t reader : readers[slice.tensor]) {
        const Node& node = graph.nodes[reader];
        const auto layer = linear_layer_of(node);
        if (!layer || node.inputs[layer->weight] != slice.tensor) continue;
        if (within_groups(slice, *layer, graph.value(slice.tensor).constant->shape())) {
          in_groups_[g] = 1;
        }
      }
    }
  }
}

std::string Rounding::key() const {
  std::string key = std::to_string(multiple_);
  for (const int64_t part : {narrow_multiple_, block_, lane_}) key += ":" + std::to_string(part);
  return key;
}

int64_t Rounding::step(const Groups& groups, size_t g) const {
  const Group& group = groups.free[g];
  if (!in_groups_.empty() && in_groups_[g]) return multiple_ > 1 ? block_ : 1;
  const int64_t channels = channels_of_unit(group);
  const int64_t width = group.units() * channels;
  int64_t multiple = multiple_;
  if (narrow_multiple_ > 0) {
    if (width < 2 * block_) multiple = narrow_multiple_;
  } else if (lane_ > 0 && block_ > 1 && width >= kManyBlocks * block_) {
    multiple = 2 * block_;
  }
  return multiple / std::gcd(multiple, channels);
}

std::optional<Rounding> Rounding::finer() const {
  if (lane_ == 0 || multiple_ == 1) return std::nullopt;
  Rounding next = *this;
  const int64_t narrow = narrow_multiple_ > 0 ? narrow_multiple_ : multiple_;
  if (narrow / 2 >= lane_) {
    next.narrow_multiple_ = narrow / 2;
  } else {
    next.multiple_ = multiple_ / 2 >= lane_ ? multiple_ / 2 : 1;
    next.narrow_multiple_ = std::min(narrow, next.multiple_);
  }
  return next;
}

}  // namespace coppice
