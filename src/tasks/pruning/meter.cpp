// See meter.h.
#include "tasks/pruning/meter.h"

#include <algorithm>

#include "core/machine/cache_folder.h"
#include "core/machine/cpu_name.h"
#include "methods/options/blocks.h"

namespace coppice {

int latency_threads(const PruneRequest& request) {
  return static_cast<int>(std::max<int64_t>(1, request.threads));
}

std::shared_ptr<LatencyMeter> meter_for(const Settings& settings, const Method& method,
                                        const PruneRequest& request, Watcher& watcher) {
  if (!settings.has(kKeepLatency) && !(method.searches && request.latency)) return nullptr;
  LatencyMeter::Options options{.table_file = settings.given(kLatencyTable).value_or(""),
                                .cpu = cpu_name(),
                                .threads = latency_threads(request),
                                .seed = request.common.seed};
  options.cache_folder = cache_folder("latency");
  options.progress = [&watcher](const std::string& doing, int done, int total) {
    stop_if_requested(watcher);
    watcher.progress({.doing = doing, .unit = "runs", .done = done, .total = total});
  };
  return std::make_shared<LatencyMeter>(std::move(options));
}

}  // namespace coppice
