// Replaying a plan on the model it was made for, or on one of the same structure.
#pragma once

#include <string>

#include "options/settings.h"
#include "prune/compensate/recover.h"
#include "prune/plan/plan.h"
#include "tasks/parts/common.h"
#include "tasks/parts/cut_summary.h"
#include "tasks/parts/watcher.h"

namespace coppice {

// --recover is what the plan says, where that needs no images, unless it is given.
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

// What made up for the cut when the plan was made, if that can be done again: by the model alone,
// not by images.
RecoverOptions repeated_recovery(const Plan& plan);

ApplyReport apply(const ApplyRequest& request, Watcher& watcher);

Json to_json(const ApplyReport& report);

}  // namespace coppice
