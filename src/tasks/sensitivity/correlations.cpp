// Oracle-abs: what a unit is worth is |C(without it) - C|, C the loss (Molchanov et al., ICLR 2017,
// Sec. 2.2): the paper found it better than the signed difference.
#include "tasks/sensitivity/correlations.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "prune/scores/responses/responses.h"
#include "prune/sensitivity/rank_correlation.h"

namespace coppice {
namespace {

// What both say of the units of which both say something.
struct Pairs {
  std::vector<double> worth, scores;

  void add(const Pairs& more) {
    worth.insert(worth.end(), more.worth.begin(), more.worth.end());
    scores.insert(scores.end(), more.scores.begin(), more.scores.end());
  }
  std::optional<double> correlation() const { return rank_correlation(scores, worth); }
};

Pairs pairs_of(const Group& group, const GroupSensitivity& ablated, double loss,
               const Scores& scores) {
  Pairs pairs;
  for (int64_t u = 0; u < std::ssize(ablated.losses); ++u) {
    const double worth = std::fabs(ablated.losses[u] - loss);
    const double score = scores.units[group.first_unit + u];
    if (!std::isfinite(worth) || !std::isfinite(score)) continue;
    pairs.worth.push_back(worth);
    pairs.scores.push_back(score);
  }
  return pairs;
}

Pairs normalised(Pairs pairs) {
  double squares = 0;
  for (const double score : pairs.scores) squares += score * score;
  for (double& score : pairs.scores) score /= squares > 0 ? std::sqrt(squares) : 1;
  return pairs;
}

std::optional<double> mean_of(const std::vector<std::optional<double>>& numbers) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& number : numbers) {
    sum += number.value_or(0);
    count += number.has_value();
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace

CriterionCorrelation correlation_of(const Groups& groups, const SensitivityTable& table,
                                    const Scores& scores) {
  std::map<std::string, size_t> places;
  for (size_t g = 0; g < groups.free.size(); ++g) places.emplace(groups.free[g].name, g);
  CriterionCorrelation found;
  Pairs all, all_normalised;
  for (const GroupSensitivity& ablated : table.groups) {
    const size_t g = places.at(ablated.name);
    found.groups.emplace_back();
    if (scores.unscored[g]) continue;
    const Pairs pairs = pairs_of(groups.free[g], ablated, table.loss, scores);
    found.groups.back() = pairs.correlation();
    all.add(pairs);
    all_normalised.add(normalised(pairs));
  }
  found.by_group = mean_of(found.groups);
  found.all = all.correlation();
  found.all_normalised = all_normalised.correlation();
  return found;
}

std::vector<CriterionCorrelation> correlations_of(const Traced& traced,
                                                  const SensitivityTable& table,
                                                  const ScoreOptions& options, Watcher& watcher) {
  // As they come, unless somebody says otherwise: with and without a norm by layer is shown.
  ScoreOptions raw = options;
  if (has_option(raw.own.options(), kLayerNorm) && !raw.own.has(kLayerNorm)) {
    raw.own.set(kLayerNorm, "none");
  }
  std::vector<CriterionCorrelation> correlations;
  for (const Criterion& criterion : criteria()) {
    stop_if_requested(watcher);
    CriterionCorrelation found;
    try {
      const Scores scores = score_units(traced.graph(), traced.groups(), criterion, raw);
      found = correlation_of(traced.groups(), table, scores);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal || error.kind() == ErrorKind::interrupted) throw;
      found.why_not = error.what();
    }
    found.criterion = criterion.name;
    correlations.push_back(std::move(found));
  }
  return correlations;
}

}  // namespace coppice
