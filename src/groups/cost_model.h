// What a graph costs once units have left, without cutting it. Made once for a graph, it judges any
// number of removals, each in the time that it takes to count what stays.
//
// Multiply-accumulates and parameters are sums of products of axis lengths; a Conv's are
//
//   out_height * out_width * kernel_height * kernel_width * |output channels| * |input channels|
//
// Lengths that no unit changes go into the term's coefficient, and terms over the same axes are
// added up beforehand, so that a network of fifty layers is some hundred multiplications.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "graph/cost.h"
#include "groups/groups.h"

namespace coppice {

class CostModel {
 public:
  // `inferred`: the graph's shapes at the sizes at which costs are asked for. Linear in nodes plus
  // channels. Keeps nothing of the three.
  CostModel(const Graph& graph, const Groups& groups, const Inferred& inferred);

  const Costs& all() const { return all_; }  // nothing removed
  // Of the nodes that read or give an axis with something to remove.
  int64_t prunable_macs() const { return prunable_macs_; }

  struct Judged {
    Costs costs;
    std::vector<int64_t> units;  // by group: how many stay
  };
  // Costs are those of the cut graph: copies of a vector that keep the same indices count once,
  // since they will be one constant again.
  Judged judge(const Removal& removal) const;
  Costs after(const Removal& removal) const { return judge(removal).costs; }

  // The costs where only the number of units that stay in each group is known; nothing for a graph
  // where it matters which ones leave (units that overlap, vectors that several layers share).
  std::optional<Costs> after_widths(std::span<const int64_t> units) const;

 private:
  struct Part {
    int32_t group;
    int64_t indices;  // of each of its units
  };
  // An axis with units, of which some term speaks. Where samples and channels are one axis, it is
  // longer at the batch that was traced (`traced`) than at the sizes that are counted (`size`).
  struct Axis {
    int64_t size = 0, traced = 0;
    bool linear = false;  // its length follows from how many units of each group stay
    int64_t fixed = 0;    // linear: indices without units
    std::vector<Part> parts;
    AxisUnits units;
  };
  // coefficient * the lengths of these axes (indices into axes_)
  struct Term {
    int64_t coefficient;
    std::vector<int32_t> axes;
  };
  // Copies of one vector; [axis of the tensor] -> index into axes_, -1 where nothing can go.
  struct Family {
    std::vector<Term> members;
    std::vector<std::vector<int32_t>> axes;
  };
  // A node whose count is no product: asked anew each time. Its values are numbered from 0.
  struct Asked {
    Node node;
    std::vector<Shape> shapes;
    std::vector<std::vector<int32_t>> axes;  // as in Family
    int64_t macs(std::span<const int64_t> lengths) const;
  };
  class Builder;

  std::vector<int64_t> units_that_stay(const Removal& removal) const;
  int64_t length(const Axis& axis, std::span<const int64_t> units, const Removal& removal) const;
  Costs sum(std::span<const int64_t> lengths) const;
  int64_t count_once(const Family& family, std::span<const int64_t> lengths,
                     std::span<const uint64_t> patterns, const Removal& removal) const;

  std::vector<std::pair<int32_t, int32_t>> ranges_;  // by group: first unit, end
  std::vector<Axis> axes_;
  bool linear_ = true;  // all axes are, and there are no families
  std::vector<Term> macs_, parameters_;
  std::vector<Family> families_;
  std::vector<Asked> asked_;
  int64_t unknown_ = 0;  // Costs::unknown
  Costs all_;
  int64_t prunable_macs_ = 0;
};

}  // namespace coppice
