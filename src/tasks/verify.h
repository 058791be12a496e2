// Whether two models give the same outputs on random inputs; with a plan, whether the second is
// what the plan makes of the first.
#pragma once

#include <optional>
#include <string>

#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"
#include "verify/compare.h"

namespace coppice {

struct VerifyRequest {
  std::string first, second;
  std::string plan = {};  // empty for none
  CommonRequest common = {};
};

struct VerifyReport {
  struct ByPlan {
    std::string plan;
    bool same_model = true;    // as it was made for
    bool same_weights = true;  // bit for bit, under the same names
  };

  std::string first, second;
  std::optional<ByPlan> by_plan;
  Comparison found;
  std::string inputs;  // what was fed: "2x3x32x32"
};

VerifyReport verify(const VerifyRequest& request, Watcher& watcher);

Json to_json(const VerifyReport& report);

}  // namespace coppice
