// What a pruning brings where its result runs: told from widths, and measured.
#pragma once

#include <filesystem>
#include <optional>

#include "methods/outcome.h"
#include "tasks/parts/cut_summary.h"
#include "tasks/parts/runtime_fit.h"
#include "tasks/prune.h"

namespace coppice {

// Told from the widths of a cut: nothing where none was made. Warns where that is no gain, and says
// what is to be known of the opset. `settings`: with the runtime that it is for.
std::optional<RuntimeFit> told_fit(const Graph& original, const Outcome& outcome,
                                   const Settings& settings, Watcher& watcher);

// In our runtime, and in the one that it is for where that is installed; warns where that can't be,
// and where this CPU isn't the one that it is for. `cut`: the file that was written.
void measure_cut(Graph original, const std::filesystem::path& cut, const PruneRequest& request,
                 const Runtime& runtime, uint64_t seed, Watcher& watcher, CutSummary& summary);

}  // namespace coppice
