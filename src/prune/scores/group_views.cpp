#include "prune/scores/group_views.h"

#include <algorithm>

#include "prune/scores/criteria.h"

namespace coppice {

GroupViews::GroupViews(const Graph& graph, const Groups& groups, const Criterion& criterion,
                       const ScoreOptions& options)
    : graph_(graph), groups_(groups), criterion_(criterion), options_(options) {
  if (criterion.needs) activations_ = activations_of(graph, groups);
}

std::vector<EvidenceRequest> GroupViews::requests() const {
  std::vector<EvidenceRequest> all;
  if (!criterion_.needs) return all;
  for (size_t g = 0; g < groups_.free.size(); ++g) {
    for (EvidenceRequest& request : criterion_.needs(of(g, nullptr))) {
      all.push_back(std::move(request));
    }
  }
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

GroupView GroupViews::of(size_t g, const Evidence* evidence) const {
  GroupView view{graph_, groups_.free[g], options_};
  view.inferred = &groups_.inferred;
  if (activations_.empty()) return view;
  view.activations = activations_[g];
  view.evidence = evidence;
  return view;
}

}  // namespace coppice
