// The cuts that a table of sensitivity is made of, one after the other: shares of each group, or
// each unit alone.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "groups/traced.h"
#include "prune/scores/criterion.h"
#include "prune/sensitivity/sensitivity_table.h"
#include "tasks/parts/watcher.h"
#include "tasks/sensitivity/cut_judge.h"

namespace coppice {

struct CutSeriesOptions {
  std::vector<double> ratios = {};  // of curves
  std::optional<double> stop_drop =
      {};               // a curve ends there; empty: near chance, or at an error of 1
  int64_t classes = 0;  // of the labels
};

class CutSeries {
 public:
  // Of all groups that have scores and more than one unit, but for streams that selections read.
  // All lives as long. Throws Error::target where there is none.
  CutSeries(const Traced& traced, const Scores& scores, CutJudge& judge, CutSeriesOptions options,
            Watcher& watcher);

  // Nothing measured yet; its other fields are the caller's.
  std::vector<GroupSensitivity> groups() const;
  // Measures what the table, of those groups, has not, and calls `saves` after every group. Throws
  // Error::interrupted where the watcher asks for it: then the table has what was measured.
  void fill(SensitivityTable& table, const std::function<void()>& saves);

 private:
  std::optional<CutJudge::Judged> without(size_t group, int64_t leaving, const Scores& scores);
  bool is_over(const SensitivityTable& table, double value) const;
  void follow(size_t group, const SensitivityTable& table, GroupSensitivity& entry);
  void ablate(size_t group, GroupSensitivity& entry);
  int64_t cuts_of(const SensitivityTable& table, const GroupSensitivity& entry) const;

  const Groups& groups_;
  const Scores& scores_;
  CutJudge& judge_;
  const CutSeriesOptions options_;
  Watcher& watcher_;
  std::vector<size_t> chosen_;  // groups
  Progress progress_;
};

}  // namespace coppice
