// What lies beside the weights of a graph, by their names and of their shapes (masks, moments,
// snapshots), when the graph changes.
#pragma once

#include <string_view>
#include <unordered_map>

#include "groups/groups.h"
#include "training/trainer.h"

namespace coppice {

// The constants that somebody reads: others aren't written with a graph. Requires: the graph stays
// as it is meanwhile.
class ConstantsByName {
 public:
  explicit ConstantsByName(const Graph& graph);
  ValueId id(std::string_view name) const;  // kNoValue for none
  const Tensor* find(std::string_view name) const;

 private:
  const Graph& graph_;
  std::unordered_map<std::string_view, ValueId> ids_;
};

// Takes the units that leave out of `tensors`, which are beside constants of the graph as it was
// before. Requires: there is such a constant, of such a shape, for each.
void cut(NamedTensors& tensors, const Graph& graph, const Groups& groups, const Removal& removal);

// Forgets the tensors for which the graph has no constant of that name and shape.
void keep_fitting(NamedTensors& tensors, const Graph& graph);
// The same for an optimizer, when `after` takes the place of `before`. Which values are tied
// (kCodesSlot) is forgotten with the values.
void keep_fitting(OptimizerState& state, const Graph& before, const Graph& after);

// Zero in the moments what `masks` hold at zero.
void stop_masked(OptimizerState& state, const NamedTensors& masks);
// Makes of `all` masks that hold at zero what either does.
void add_masks(NamedTensors& all, const NamedTensors& masks);

}  // namespace coppice
