// Scores that are added up from update to update, and averaged from round to round: in a form that
// a checkpoint holds (MethodState).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/greedy/unit_address.h"
#include "prune/scores/group_views.h"
#include "session/state/state.h"

namespace coppice {

class ScoreSums {
 public:
  // What another one `kept`, or nothing yet.
  explicit ScoreSums(const MethodState& kept);
  MethodState kept() const;

  // The members' scores (Criterion::members) of an update's evidence.
  void add(const Groups& groups, const GroupViews& views, const Criterion& criterion,
           const Evidence& evidence);
  int64_t updates() const { return updates_; }  // that were added since the last round
  int64_t removed() const { return removed_; }  // units, in all rounds

  // Of the updates since the last round, as a criterion's `together` makes them of their means;
  // `smoothing` of what the rounds before gave stays, the rest is theirs.
  Scores scores(const Graph& graph, const Groups& groups, const GroupViews& views,
                const Criterion& criterion, double smoothing);
  // A round is over: units leave, and the sums begin anew.
  void next_round(const Graph& graph, const Groups& groups, const Removal& removal);

 private:
  using Numbers = std::map<std::string, std::vector<double>>;  // by place (UnitAddress)

  // By member; empty where nothing was added for the group.
  std::vector<std::vector<double>> means(const GroupView& view, const UnitAddress& address) const;
  void smooth(const UnitAddress& address, double smoothing, std::vector<float>& scores);

  Numbers sums_, averages_;  // the latter NaN where nothing is known
  int64_t updates_ = 0, removed_ = 0;
};

}  // namespace coppice
