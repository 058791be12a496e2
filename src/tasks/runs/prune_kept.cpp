// See prune_kept.h.
#include "tasks/runs/prune_kept.h"

namespace coppice {

Json prune_kept(const KeptRun& kept, PruneRequest request, Watcher& watcher,
                const std::function<void(Json& report)>& adds) {
  request.output = kept.path("model.onnx");
  request.plan = kept.path("plan.json");
  request.resume = kept.has_checkpoint();
  request.common.run_folder = kept.run_folder();
  check(request);
  kept.forget();
  kept.begin();
  Json report = to_json(prune(request, watcher));
  if (adds) adds(report);
  kept.finish(report);
  return report;
}

}  // namespace coppice
