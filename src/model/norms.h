// Whether ranking filters by their norms says anything about a model.
#pragma once

#include <cstdint>
#include <vector>

#include "prune/scores/weights/norm_statistics.h"
#include "report/json.h"

namespace coppice {

struct NormsDescription {
  // The paper's ratio; the choices of norm and fpgm are compared at it.
  static constexpr double kRemoved = 0.4;

  Graph graph;  // loosened; statistics name its values
  std::vector<NormStatistics> layers = {};
  // A set: the filters of one layer that compete for one budget. `narrow` and `far_from_zero` fail
  // a precondition.
  int64_t sets = 0, narrow = 0, far_from_zero = 0;
  double overlap = 0;  // mean over the sets

  bool trusted() const { return 2 * narrow < sets && 2 * far_from_zero < sets; }
};

// Throws Error::target where there are no filters that could leave.
NormsDescription describe_norms(Graph graph);

Json to_json(const NormsDescription& description);

}  // namespace coppice
