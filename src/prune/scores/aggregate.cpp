// The scores of a group's members as one score a unit.
//
// Where units are ranked over all groups, a mean of m members is compared with single ones, whose
// scores spread sqrt(m) times as wide: the channels of a residual stream would all lie near the
// mean and never be the least, however redundant. So the mean gets its members' spread back,
//
//   score'_u = mean + (score_u - mean) * s / d,   s = sqrt(sum_k d_k^2 / m)
//
// d being the standard deviation of the means, d_k that of member k. The order within the group
// stays, members that agree keep their mean (s = d), one member is as it is. A score may fall below
// 0: it is a place in a rank and nothing else.
//
// Source of the reductions: G. Fang, X. Ma, M. Song, M. B. Mi, X. Wang, "DepGraph: Towards Any
// Structural Pruning", CVPR 2023, arXiv:2301.12900; `first` is Li et al.'s rule for shortcuts
// (arXiv:1608.08710, section 3.3).
// Differs: the mean's spread, as above; members are normalised before they are reduced, where the
// criterion says so, not the reduced scores after.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

using Member = std::vector<double>;

double mean_of(const Member& member) {
  return std::accumulate(member.begin(), member.end(), 0.0) / static_cast<double>(member.size());
}

double variance_of(const Member& member) {
  const double mean = mean_of(member);
  double sum = 0;
  for (const double score : member) sum += (score - mean) * (score - mean);
  return sum / static_cast<double>(member.size());
}

Member sum_of(const std::vector<Member>& members) {
  Member sums(members.front().size(), 0);
  for (const Member& member : members) {
    for (size_t u = 0; u < sums.size(); ++u) sums[u] += member[u];
  }
  return sums;
}

Member largest_of(const std::vector<Member>& members) {
  Member largest = members.front();
  for (const Member& member : members) {
    for (size_t u = 0; u < largest.size(); ++u) largest[u] = std::max(largest[u], member[u]);
  }
  return largest;
}

Member mean_with_spread(const std::vector<Member>& members) {
  const auto count = static_cast<double>(members.size());
  Member scores = sum_of(members);
  for (double& score : scores) score /= count;
  double spread = 0;
  for (const Member& member : members) spread += variance_of(member) / count;
  const double mean = mean_of(scores), own = variance_of(scores);
  // Members that cancel but for rounding have nothing to magnify.
  constexpr double kLeastOwn = 1e-12;
  if (members.size() == 1 || own <= kLeastOwn * spread) return scores;
  const double factor = std::sqrt(spread / own);
  for (double& score : scores) score = mean + (score - mean) * factor;
  return scores;
}

Member reduced(const std::vector<Member>& members, Aggregate how) {
  switch (how) {
    case Aggregate::mean: return mean_with_spread(members);
    case Aggregate::max: return largest_of(members);
    case Aggregate::sum: return sum_of(members);
    case Aggregate::first: return members.front();
  }
  return members.front();
}

}  // namespace

std::vector<std::vector<double>> normalised(std::vector<std::vector<double>> members) {
  const auto is_zero = [](const Member& member) { return mean_of(member) <= 0; };
  if (std::ranges::all_of(members, is_zero)) return {std::move(members.front())};
  std::erase_if(members, is_zero);
  for (Member& member : members) {
    const double mean = mean_of(member);
    for (double& score : member) score /= mean;
  }
  return members;
}

std::vector<float> aggregated(const std::vector<std::vector<double>>& members, Aggregate how) {
  const Member scores = reduced(members, how);
  return {scores.begin(), scores.end()};
}

}  // namespace coppice
