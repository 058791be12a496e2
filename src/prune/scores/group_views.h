// What a criterion sees of each group of a graph, and what must be measured for that.
#pragma once

#include <vector>

#include "prune/scores/criterion.h"

namespace coppice {

class GroupViews {
 public:
  // Requires: all four outlive it.
  GroupViews(const Graph& graph, const Groups& groups, const Criterion& criterion,
             const ScoreOptions& options);

  // What the criterion needs of all groups, each request once; nothing for one that looks at
  // weights alone.
  std::vector<EvidenceRequest> requests() const;
  // Group g, with the answers to `requests`; null while they are asked for.
  GroupView of(size_t g, const Evidence* evidence) const;

 private:
  const Graph& graph_;
  const Groups& groups_;
  const Criterion& criterion_;
  const ScoreOptions& options_;
  std::vector<std::vector<Activation>> activations_;  // by group; of criteria that need evidence
};

}  // namespace coppice
