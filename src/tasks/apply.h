// Replaying a plan on the model it was made for, or on one of the same structure.
#pragma once

#include <string>

#include "options/settings.h"
#include "tasks/parts/common.h"
#include "tasks/parts/cut_summary.h"
#include "tasks/parts/watcher.h"

namespace coppice {

OptionList options_of_apply();

struct ApplyRequest {
  std::string plan, model, output;
  Settings settings = Settings(options_of_apply());
  CommonRequest common = {};
};

struct ApplyReport {
  CutSummary summary;
  std::string plan;
  bool same_model = true;  // as the plan was made for
};

ApplyReport apply(const ApplyRequest& request, Watcher& watcher);

Json to_json(const ApplyReport& report);

}  // namespace coppice
