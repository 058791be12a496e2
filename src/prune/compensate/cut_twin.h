// A graph that still has what leaves, and the same cut: what is fitted to the cut one goes to both,
// so that cutting or masking the graph comes to it. The header needs Eigen, so only prune includes
// it.
#pragma once

#include <vector>

#include "evidence/modelled/contraction.h"
#include "evidence/staged.h"
#include "groups/groups.h"

namespace coppice {

class CutTwin {
 public:
  // Requires: all of them live as long. `measure`: of the cut one.
  CutTwin(Graph& graph, const Groups& groups, const Removal& removal, const Measure& measure);

  // The numbers of values are the graph's own.
  const Graph& cut() const { return cut_; }
  // The node that computes the value in the cut one; null where it is gone.
  const Node* producer(ValueId id) const;
  // Empty where it isn't one.
  std::optional<Contraction> layer(const Node& node) const;
  // Which of the graph's indices the cut one has.
  std::vector<int64_t> kept(ValueId id, int64_t axis, int64_t size) const;

  // Of the cut one. From now on nothing before `id` may change. `images`: that are measured on,
  // where that is known.
  Evidence measure(ValueId id, const std::vector<ValueId>& values,
                   std::span<const EvidenceRequest> requests, int64_t images = 0);

  // Numbers of the cut one.
  void set_weight(const Contraction& layer, const Matrix& weight);
  void set_vector(ValueId id, const Vector& numbers);

 private:
  Graph& graph_;
  const Groups& groups_;
  const Removal& removal_;
  Graph cut_;
  Inferred inferred_;
  Staged staged_;
  std::vector<ValueId> bottlenecks_;
};

// The node that computes the value; null where none does.
const Node* producer_in(const Graph& graph, ValueId id);
// The last of the bottlenecks (staged.h) before the value is computed.
ValueId bottleneck_before(const Graph& graph, const std::vector<ValueId>& bottlenecks, ValueId id);

}  // namespace coppice
