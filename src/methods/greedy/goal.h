// What a greedy pruning goes on to: a budget, or a number of units; and which of them may leave.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/one_shot/one_shot.h"

namespace coppice {

class Goal {
 public:
  // `whole`: before anything left. `units`: how many leave; 0: what the options' budget says, a
  // ratio being that of all units that compete. By curves of sensitivity it is a number for each
  // group, so that only which of its units leave is found out on the way. Throws Error::target
  // where the goal can't be reached, or nothing may leave, and as groups_to_keep and allocate do.
  Goal(const Traced& whole, const OneShotOptions& options, int64_t units,
       const std::vector<char>& unscored);

  bool reached(const Costs& now, int64_t removed) const;
  // How many units are still to leave, as far as is known: exact but for MACs and parameters.
  int64_t units_left(const Traced& now, int64_t removed) const;

  // The units of the least scores, `most` at most, and none after the goal is reached: none of a
  // group that is to be kept, that has no score, or that would keep less than the options say, and
  // none that would empty an axis. `removed`: units before.
  Removal least(const Traced& now, const Scores& scores, int64_t removed, int64_t most) const;

 private:
  // What would leave at once, under the limits of the loop.
  Removal allocation(const Traced& whole, const std::vector<int64_t>& may, const Budget& budget,
                     Criterion::Scope scope) const;
  void keep_what_stays(const Traced& whole, const Removal& removal);
  std::vector<int64_t> may_leave(const Traced& now, const std::vector<char>& unscored) const;

  OneShotOptions options_;
  Costs before_;
  int64_t units_ = 0;                    // 0: by costs
  std::map<std::string, int64_t> stay_;  // by group's address: how many units at least
};

}  // namespace coppice
