// See cut_series.h.
#include "tasks/sensitivity/cut_series.h"

#include <algorithm>
#include <cmath>

#include "core/attempt.h"
#include "prune/budget/allocate.h"
#include "prune/budget/widths.h"
#include "training/judging/diagnosis.h"

namespace coppice {
namespace {

using By = SensitivityTable::By;
using Kind = SensitivityTable::Kind;

struct Step {
  double ratio;
  int64_t leaving;
};

// In narrow groups several ratios come to the same count, and the first stands for all.
std::vector<Step> steps_of(int64_t units, const std::vector<double>& ratios) {
  constexpr double kEpsilon = 1e-9;  // 0.3 of 10 is 3
  std::vector<Step> steps;
  for (const double ratio : ratios) {
    const auto leaving =
        static_cast<int64_t>(std::floor(static_cast<double>(units) * ratio + kEpsilon));
    if (leaving < 1 || leaving >= units) continue;
    if (steps.empty() || leaving > steps.back().leaving) steps.push_back({ratio, leaving});
  }
  return steps;
}

}  // namespace

CutSeries::CutSeries(const Traced& traced, const Scores& scores, CutJudge& judge,
                     CutSeriesOptions options, Watcher& watcher)
    : groups_(traced.groups()),
      scores_(scores),
      judge_(judge),
      options_(std::move(options)),
      watcher_(watcher) {
  const std::vector<char> streams = selected_streams(traced.graph(), groups_);
  for (size_t g = 0; g < groups_.free.size(); ++g) {
    if (!scores_.unscored[g] && !streams[g] && groups_.free[g].units() > 1) chosen_.push_back(g);
  }
  if (!chosen_.empty()) return;
  fail_target("no group of the model can lose units", {task_hint("inspect", "says why")});
}

std::vector<GroupSensitivity> CutSeries::groups() const {
  std::vector<GroupSensitivity> groups;
  for (const size_t g : chosen_) {
    groups.push_back({.name = groups_.free[g].name, .units = groups_.free[g].units()});
  }
  return groups;
}

int64_t CutSeries::cuts_of(const SensitivityTable& table, const GroupSensitivity& entry) const {
  return table.kind == Kind::ablations ? entry.units
                                       : std::ssize(steps_of(entry.units, options_.ratios));
}

void CutSeries::fill(SensitivityTable& table, const std::function<void()>& saves) {
  progress_ = {.doing = "measuring", .unit = "cuts"};
  for (const GroupSensitivity& entry : table.groups) {
    progress_.total += cuts_of(table, entry);
    progress_.done += std::ssize(entry.points) + std::ssize(entry.losses);
  }
  watcher_.progress(progress_);
  for (size_t i = 0; i < chosen_.size(); ++i) {
    GroupSensitivity& entry = table.groups[i];
    if (entry.done) continue;
    progress_.note = entry.name;
    judge_.look_at(chosen_[i]);
    table.kind == Kind::curves ? follow(chosen_[i], table, entry) : ablate(chosen_[i], entry);
    entry.done = true;
    saves();
  }
  progress_.done = progress_.total;
  watcher_.progress(progress_);
}

// Without the units of the group that the scores say leave; nothing where so many can't.
std::optional<CutJudge::Judged> CutSeries::without(size_t group, int64_t leaving,
                                                   const Scores& scores) {
  Widths widths = widths_after(groups_, Removal(groups_.unit_count, 0));
  widths[group] -= leaving;
  const auto removal =
      attempt(ErrorKind::target, [&] { return removal_for(groups_, scores, widths); });
  auto found = removal ? judge_.judge(*removal) : std::nullopt;
  progress_.done = std::min(progress_.done + 1, progress_.total - 1);
  watcher_.progress(progress_);
  return found;
}

bool CutSeries::is_over(const SensitivityTable& table, double value) const {
  if (table.by == By::output_error) return !(value < options_.stop_drop.value_or(1));
  if (options_.stop_drop) return table.value - value >= *options_.stop_drop;
  return knows_little(value, options_.classes) && !knows_little(table.value, options_.classes);
}

void CutSeries::follow(size_t group, const SensitivityTable& table, GroupSensitivity& entry) {
  const std::vector<Step> steps = steps_of(entry.units, options_.ratios);
  for (size_t i = entry.points.size(); i < steps.size(); ++i) {
    if (!entry.points.empty() && is_over(table, entry.points.back().value)) return;
    const auto found = without(group, steps[i].leaving, scores_);
    if (!found) return;
    entry.points.push_back({steps[i].ratio, steps[i].leaving, found->value, found->loss});
    watcher_.metric({{"group", entry.name},
                     {"ratio", steps[i].ratio},
                     {"leaving", steps[i].leaving},
                     {"value", found->value},
                     {"loss", found->loss}});
  }
}

void CutSeries::ablate(size_t group, GroupSensitivity& entry) {
  Scores scores{std::vector<float>(groups_.unit_count, 0), {}};
  for (int64_t u = std::ssize(entry.losses); u < entry.units; ++u) {
    float& score = scores.units[groups_.free[group].first_unit + u];
    score = -1;  // the least of all, so it is this unit that leaves
    const auto found = without(group, 1, scores);
    score = 0;
    entry.losses.push_back(found ? found->loss : std::nan(""));
  }
}

}  // namespace coppice
