// See share_kept.h.
#include "prune/budget/share_kept.h"

namespace coppice {

double share_kept(const CostModel& costs, Budget::Of of, const Costs& after) {
  const Costs& all = costs.all();
  const bool unknown = all.unknown > 0 && costs.prunable_macs() == 0;
  return of == Budget::Of::macs && !unknown
             ? static_cast<double>(after.macs) / static_cast<double>(all.macs)
             : static_cast<double>(after.parameters) / static_cast<double>(all.parameters);
}

}  // namespace coppice
