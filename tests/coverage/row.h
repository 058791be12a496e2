// What coverage_test finds out about a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deployed/deployments.h"

namespace coppice {

// Sums run in another order once terms are gone: some 1e-6 of the largest output.
inline constexpr double kTolerance = 1e-4;

struct Row {
  std::string name, operators;
  int64_t nodes = 0, groups = 0, units = 0;
  double share = 0, left = 1, error = 0, judged = -1, trace_ms = 0;
  double halved = 1, unit = 0;  // MACs left by --keep-macs 0.5, and those of the largest unit
  double allowed = kTolerance;  // more where the model magnifies rounding
  std::vector<Deployment> deployed;
  std::string remark;
};

}  // namespace coppice
