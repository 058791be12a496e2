// What a model loses when a group loses units, predicted from a measured curve.
#pragma once

#include <vector>

#include "groups/groups.h"
#include "prune/sensitivity/sensitivity_table.h"

namespace coppice {

// Entry i: the loss, above that of the original, once i + 1 of the group's units have left. Linear
// between the points; never falling, since what leaves can only be missed; and behind the last
// point as steep as the curve ever was, since where it ends the model is mostly at chance. A loss
// that isn't finite is infinite. `units`: how many the group has now, at most those of the curve;
// what left before counts. Requires: at least one point.
std::vector<double> predicted_losses(const GroupSensitivity& curve, double loss_of_original,
                                     int64_t units);

// The same by group (Groups::free), where `needed`; empty for the others. Throws Error::input where
// the table isn't of curves or isn't done, and naming the group where it has no curve, or one of
// fewer units.
std::vector<std::vector<double>> predicted_losses(const SensitivityTable& table,
                                                  const Groups& groups,
                                                  const std::vector<char>& needed);

// What each unit costs, the first to leave first: the loss that it adds over what leaving saves,
// but never less than one before it. So whoever takes the cheapest units of all groups until a
// budget is met loses least, as far as losses add up. Why never less: a loss that saturates, at
// chance say, is no bargain.
//
// Source: none known for the allocation; the curves are those of Li et al. (tasks/sensitivity.h),
// who choose ratios by eye.
std::vector<double> prices_of(const std::vector<double>& losses, double saved_by_one);

}  // namespace coppice
