// See deployed.h.
#include "tasks/pruning/deployed.h"

#include <algorithm>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "onnx/onnx.h"
#include "prune/runtimes/opset.h"
#include "prune/runtimes/runtimes.h"
#include "tasks/parts/engines/engine.h"
#include "tasks/parts/latency.h"
#include "tasks/pruning/meter.h"

namespace coppice {
namespace {

// The original is moved in and compiled before the cut one is read back: never are two copies of
// both in memory.
void measure_here(Graph original, const std::filesystem::path& cut, const PruneRequest& request,
                  uint64_t seed, Watcher& watcher, CutSummary& summary) {
  try {
    require_floats(original);
    const Target target{.threads = latency_threads(request)};
    std::vector<Executable> models;
    models.push_back(compile(std::move(original), {}, target));
    models.push_back(compile(read_onnx(cut), {}, target));
    const auto latencies = measure_latencies(models, seed, watcher);
    summary.before.latency = latencies[0];
    summary.after.latency = latencies[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::target) throw;
    watcher.warn(std::string("latency not measured: ") + error.what());
  }
}

void measure_outside(const TimingEngine& engine, const Graph& original,
                     const std::filesystem::path& cut, const PruneRequest& request, uint64_t seed,
                     Watcher& watcher, CutSummary& summary) {
  try {
    auto running = RunningEngine::start(engine);
    if (!running) return;
    const EngineModel models[] = {{request.model, original, {}}, {cut.string(), original, {}}};
    const int threads = static_cast<int>(std::max<int64_t>(1, request.threads));
    const auto found = running->measure(models, threads, seed, watcher);
    summary.engine = running->version();
    summary.before.deployed = found[0];
    summary.after.deployed = found[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    watcher.warn(std::string("latency not measured: ") + error.what());
  }
}

}  // namespace

std::optional<RuntimeFit> told_fit(const Graph& original, const Outcome& outcome,
                                   const Settings& settings, Watcher& watcher) {
  if (outcome.plan.slices.empty()) return std::nullopt;
  const Runtime& runtime = *settings[kFor];
  const auto fit = fit_of(original, outcome.graph, outcome.types, runtime);
  const std::string remark = opset_remark(outcome.graph, runtime);
  if (!remark.empty()) watcher.remark(remark);
  const auto why = fit ? why_slow(*fit) : std::nullopt;
  if (!why) return fit;
  const bool told = settings.has(kRoundTo) && settings[kRoundTo] != kRoundAuto;
  watcher.warn(*why + (told ? "; '--round-to auto' keeps to such widths" : ""));
  return fit;
}

void measure_cut(Graph original, const std::filesystem::path& cut, const PruneRequest& request,
                 const Runtime& runtime, uint64_t seed, Watcher& watcher, CutSummary& summary) {
  if (const auto why = why_not_here(runtime)) watcher.warn(*why);
  if (const TimingEngine* const engine = engine_for(runtime)) {
    measure_outside(*engine, original, cut, request, seed, watcher, summary);
  }
  measure_here(std::move(original), cut, request, seed, watcher, summary);
}

}  // namespace coppice
