#include "prune/budget/prunable_share.h"

namespace coppice {

double prunable_macs_share(const CostModel& costs) {
  const auto all = static_cast<double>(costs.all().macs);
  return all > 0 ? static_cast<double>(costs.prunable_macs()) / all : 0;
}

}  // namespace coppice
