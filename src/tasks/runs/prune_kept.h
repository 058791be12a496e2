// A pruning in a run's own folder (kept_run.h): model.onnx, plan.json and its checkpoint there.
#pragma once

#include <functional>

#include "tasks/prune.h"
#include "tasks/runs/kept_run.h"

namespace coppice {

// Goes on where it stopped, and keeps the report that it returns; `adds` puts in what else it is to
// say, once the model is written. Throws what `check`, `prune` and `adds` throw.
Json prune_kept(const KeptRun& kept, PruneRequest request, Watcher& watcher,
                const std::function<void(Json& report)>& adds = {});

}  // namespace coppice
