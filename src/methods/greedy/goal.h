// What a greedy pruning goes on to: a budget, or a number of units; and which of them may leave.
//
// Where widths are to be round, a group that has begun to lose units loses on until its width is a
// round one again, and only then the next begins: that whose next block of units matters least. In
// the end all widths are round, and a budget is missed by one block's worth at most.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/one_shot/one_shot.h"

namespace coppice {

class Goal {
 public:
  // `whole`: before anything left. `units`: how many leave, whatever widths that gives; 0: what the
  // options' budget says, a ratio being that of all units that compete, as near as round widths
  // come to it. By curves of sensitivity it is a number for each group, so that only which of its
  // units leave is found out on the way. A runtime's widths get finer where the goal can't be
  // reached otherwise. Throws Error::target where it can't be at all, or nothing may leave, and as
  // groups_to_keep and allocate do.
  Goal(const Traced& whole, const OneShotOptions& options, int64_t units,
       const std::vector<char>& unscored);

  // How many units are still to leave, as far as is known: exact but for MACs, parameters and round
  // widths. 0: the goal is reached.
  int64_t units_left(const Traced& now, int64_t removed) const;

  // The units of the least scores, `most` at most, and none after the goal is reached: none of a
  // group that is to be kept, that has no score, or that would keep less than the options say, and
  // none that would empty an axis. `removed`: units before.
  Removal least(const Traced& now, const Scores& scores, int64_t removed, int64_t most) const;

 private:
  // Of a group: its units before anything left, how many stay at least, and at multiples of how
  // many its width is round.
  struct Limits {
    int64_t whole, stay, step;
  };
  // How many units may leave it now, how many there are to the next round width, and whether some
  // of these have left already.
  struct Standing {
    int64_t may = 0, block = 0, step = 1;
    bool begun = false;

    void lose_one() {
      --may;
      begun = --block > 0;
      if (!begun) block = step;
    }
  };
  void limit(const std::vector<char>& unscored, const Rounding& rounding);
  bool can_be_reached() const;
  // What would leave at once, under the limits of the loop.
  Removal allocation(const Budget& budget, Criterion::Scope scope, const Rounding& rounding) const;
  void keep_what_stays(const Removal& removal);

  double share(const Costs& now) const;
  std::vector<Standing> standings(const Traced& now) const;
  bool may_begin(const Standing& standing, int64_t removed) const;
  bool reached(const Costs& now, const std::vector<Standing>& standings, int64_t removed) const;

  const Traced whole_;
  const OneShotOptions options_;
  int64_t units_ = 0;                     // 0: by costs
  std::map<std::string, Limits> limits_;  // by group's address
};

}  // namespace coppice
