// See predicted_loss.h.
#include "prune/sensitivity/predicted_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"

namespace coppice {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The curve through its points from (0, 0) on, at whole numbers of units: [0 .. all of them].
std::vector<double> curve_at_all(const GroupSensitivity& curve, double loss_of_original) {
  std::vector<double> losses = {0};
  double steepest = 0;
  for (const CurvePoint& point : curve.points) {
    const auto begin = static_cast<int64_t>(losses.size()) - 1;
    const double from = losses.back(), above = point.loss - loss_of_original;
    const double to = std::isfinite(above) ? std::max(from, above) : kInfinite;
    const double slope = (to - from) / static_cast<double>(point.leaving - begin);
    steepest = std::max(steepest, slope);
    for (int64_t i = begin + 1; i <= point.leaving; ++i) {
      losses.push_back(std::isfinite(slope) ? from + slope * static_cast<double>(i - begin)
                                            : kInfinite);
    }
    losses.back() = to;
  }
  while (std::ssize(losses) <= curve.units) losses.push_back(losses.back() + steepest);
  return losses;
}

[[noreturn]] void fail_group(const std::string& group, const std::string& why) {
  fail_input("the table of sensitivity has " + why + " of group '" + group +
                 "'; measure the model as it is now, by the same method",
             {task_hint("sensitivity", "does"), option_hint("keep", "", "leaves a group alone")});
}

}  // namespace

std::vector<double> predicted_losses(const GroupSensitivity& curve, double loss_of_original,
                                     int64_t units) {
  COPPICE_CHECK(!curve.points.empty() && units <= curve.units, "no curve of such a group");
  const std::vector<double> all = curve_at_all(curve, loss_of_original);
  const int64_t gone = curve.units - units;
  std::vector<double> losses;
  for (int64_t i = gone + 1; i <= curve.units; ++i) losses.push_back(all[i]);
  return losses;
}

std::vector<std::vector<double>> predicted_losses(const SensitivityTable& table,
                                                  const Groups& groups,
                                                  const std::vector<char>& needed) {
  if (table.kind != SensitivityTable::Kind::curves) {
    fail_input("the table of sensitivity is of single units, expected curves, by ratio");
  }
  if (!table.done()) {
    fail_input("the table of sensitivity isn't finished",
               {task_hint("sensitivity", "with the same arguments goes on with it")});
  }
  std::map<std::string, const GroupSensitivity*> curves;
  for (const GroupSensitivity& curve : table.groups) curves.emplace(curve.name, &curve);
  std::vector<std::vector<double>> losses(groups.free.size());
  for (size_t g = 0; g < losses.size(); ++g) {
    if (!needed[g]) continue;
    const Group& group = groups.free[g];
    const auto found = curves.find(group.name);
    if (found == curves.end() || found->second->points.empty()) fail_group(group.name, "nothing");
    if (found->second->units < group.units()) {
      fail_group(group.name, std::to_string(found->second->units) + " of the " +
                                 std::to_string(group.units()) + " units");
    }
    losses[g] = predicted_losses(*found->second, table.loss, group.units());
  }
  return losses;
}

std::vector<double> prices_of(const std::vector<double>& losses, double saved_by_one) {
  std::vector<double> prices;
  double before = 0, dearest = 0;
  for (const double loss : losses) {
    const double added = std::isfinite(loss) ? loss - before : kInfinite;
    const double price = added == 0 ? 0 : saved_by_one > 0 ? added / saved_by_one : kInfinite;
    dearest = std::max(dearest, price);
    prices.push_back(dearest);
    before = loss;
  }
  return prices;
}

}  // namespace coppice
