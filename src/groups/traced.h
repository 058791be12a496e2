// A graph and what is found out by looking at it: shapes, groups and a cost model. They are made
// once and travel together, from who prepares a graph to who scores, allocates and cuts.
//
// Weights may change meanwhile, as they do in training: what was found holds for them, too.
#pragma once

#include <memory>
#include <utility>

#include "groups/cost_model.h"
#include "groups/groups.h"

namespace coppice {

class Traced {
 public:
  struct Found {
    Groups groups;
    CostModel costs;
  };

  // Infers shapes twice, at batch 2 for the groups and at batch 1 for the costs; once where the
  // graph leaves no size open. Throws as find_groups does.
  explicit Traced(Graph graph);

  // Requires: `graph` differs from the one that was traced by its weights alone.
  Traced(Graph graph, std::shared_ptr<const Found> found);

  const Graph& graph() const { return graph_; }
  const Groups& groups() const { return found_->groups; }
  const CostModel& costs() const { return found_->costs; }
  const std::shared_ptr<const Found>& found() const { return found_; }

  // The two parts, for who changes them. What was traced isn't known to them any more.
  std::pair<Graph, Groups> take() &&;

 private:
  static std::shared_ptr<const Found> find(const Graph& graph);

  Graph graph_;
  std::shared_ptr<const Found> found_;
};

}  // namespace coppice
