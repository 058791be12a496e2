// Where a layer's constant part can be corrected: its bias, the running mean behind it, or a bias
// that it gets. The header needs Eigen, so only evidence and prune include it.
#pragma once

#include <optional>
#include <vector>

#include "evidence/modelled/contraction.h"
#include "groups/groups.h"

namespace coppice {

// A vector with one number a filter, constant += factor * mean.
struct Place {
  ValueId vector = kNoValue;  // kNoValue: input 2 of the layer's node gets a new one
  double factor = 1;
  const Node* batch_norm = nullptr;  // behind the layer, if nobody else reads it
};

// Requires: the graph lives as long and keeps its nodes.
class Places {
 public:
  explicit Places(const Graph& graph);

  // Empty where others share the vector or the weight, or nothing of the kind is there.
  std::optional<Place> of(const Node& node, const Contraction& layer) const;
  // A constant float32 vector of that size that one node alone reads.
  bool own_vector(ValueId id, int64_t size) const;
  // The node that reads the value, if it is the only one.
  const Node* only_reader(ValueId id) const;

 private:
  bool is_output(ValueId id) const { return is_output_[id] != 0; }
  std::optional<Place> in_sum(const Node* reader, const Contraction& layer) const;

  const Graph& graph_;
  std::vector<std::vector<int32_t>> readers_;
  std::vector<char> is_output_;
};

struct NewBias {
  size_t node;
  ValueId weight;
  int64_t filter_axis;
  Tensor tensor;
};
// Each becomes input 2 of its node, and belongs to the units of its layer's filters. Gives the new
// vectors.
std::vector<ValueId> add_biases(Graph& graph, Groups& groups, std::vector<NewBias> biases);

}  // namespace coppice
