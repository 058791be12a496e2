// What a pruning was told, before anything is read: its settings, checked, and the command that
// says it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tasks/prune.h"

namespace coppice {

// How many training images the method looks at to decide.
int64_t images_to_decide_by(const Method& method, const Settings& settings);
// Throws as check(PruneRequest) does.
Settings settled(const PruneRequest& request, const Method& method);
// What came of the budget that was set; nothing where none was, or ratios by layer are exact.
std::optional<BudgetMet> budget_met(const Settings& settings, const CutSummary& summary);
// The shell command with every option that isn't at its default, wherever it came from.
std::string command_again(const PruneRequest& request, const Settings& settings);

}  // namespace coppice
