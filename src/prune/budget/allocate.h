// Which units leave, given their scores and a budget. Chosen by rank, ties by unit number; never by
// comparing to a threshold.
//
// A budget is never exceeded and missed by one unit's worth at most, before rounding: units are put
// in one order (group scope: by their relative rank within the group, so that every group loses the
// same fraction; global scope: by score; by measured curves: by the loss foretold over what is
// saved, prune/sensitivity/predicted_loss.h) and the shortest prefix that meets the budget leaves.
// At least one unit and 10 % of every group stay (`most_of_group`), and no axis of any value runs
// empty.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/cost.h"
#include "groups/cost_model.h"
#include "groups/groups.h"
#include "prune/budget/rounding.h"
#include "prune/scores/criterion.h"
#include "prune/sensitivity/sensitivity_table.h"

namespace coppice {

class LatencyModel;

struct Budget {
  enum class Of { parameters, macs, ratio, latency };
  Of of = Of::macs;
  // The share that is kept: of parameters, of MACs, of the time that a run takes; ratio: of its
  // units by every group, in global scope of their units by all groups together.
  double kept = 0.5;
};
const char* name_of(Budget::Of of);  // "MACs", "parameters", "channels", "latency"

struct AllocationOptions {
  Budget budget;
  Criterion::Scope scope = Criterion::Scope::group;
  // Which widths are kept (a width of 41 is slower than one of 40 and of 48). Widths go down,
  // and the widths that most tensors share go up again first: under a budget while there is room,
  // of a ratio while all groups together come nearer to it. A runtime's gets finer where the budget
  // can't be met otherwise.
  Rounding rounding = Rounding();
  double most_of_group = 0.9;  // the share of a group's units that may leave, below 1
  std::vector<char> kept_groups =
      {};  // by group: 1 leaves it alone; empty for none (as unscored ones)
  // Where there is one, it says in place of the scope how much of each group leaves; which units
  // do, the scores still say.
  std::shared_ptr<const SensitivityTable> sensitivity = {};
  // Of a budget of latency: what foretells it (prune/latency/latency_model.h).
  std::shared_ptr<const LatencyModel> latency = {};
};

struct Allocation {
  Removal removal;
  Costs before, after;         // at batch 1
  int64_t rounding_moved = 0;  // units that the rounding took or gave, against the plain order
};

// `costs`: at batch 1. Throws Error::target when the budget can't be reached, with what can be, or
// when nothing may go.
Allocation allocate(const Groups& groups, const CostModel& costs, const Scores& scores,
                    const AllocationOptions& options);

// Groups that a residual Add of two computed values runs through.
std::vector<char> spine_groups(const Graph& graph, const Groups& groups);
// Groups of the streams that selections (graph/passes/select_channels.h) with units of their own
// read.
std::vector<char> selected_streams(const Graph& graph, const Groups& groups);
// Groups with a tensor, or the node that reads it, whose name contains a match of the regular
// expression. Throws Error::usage naming `option` where it isn't one, or if nothing matches.
std::vector<char> matching_groups(const Graph& graph, const Groups& groups,
                                  const std::string& pattern, const std::string& option);

}  // namespace coppice
