// A table of sensitivity on disk: what an earlier run measured is gone on with, and a pruning uses
// it for the model that it was measured on and no other.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "options/settings.h"
#include "prune/sensitivity/sensitivity_table.h"
#include "tasks/parts/watcher.h"

namespace coppice {

// What `path` holds of the same measuring as `wanted` is: the same kind, model, request and
// groups. Nothing where there is no such file. Throws Error::input where it is no table, or one of
// another model or kind, Error::usage naming the option that is another.
std::optional<SensitivityTable> saved_table(const std::string& path,
                                            const SensitivityTable& wanted);
void save(const SensitivityTable& table, const std::string& path);

// Which model is to be pruned, and by what.
struct PrunedModel {
  std::string name, sha256, method;
};
// The table that kSensitivity names; null where nothing is. Remarks where another method's order
// was measured. Throws Error::input where it is no table, or one of another model.
std::shared_ptr<const SensitivityTable> sensitivity_for(const Settings& settings,
                                                        const PrunedModel& model, Watcher& watcher);

}  // namespace coppice
