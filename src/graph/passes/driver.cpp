// What is counted is shared by all threads of a process; a pass takes far longer than its lock.
#include "graph/passes/driver.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>

#include "core/error.h"

namespace coppice {

extern const Pass kAddSelections, kFoldConstants, kFoldShapes, kFoldWeights, kFuseBatchNorms,
    kMergeCopies, kRemoveNoOps, kSeparateVectors, kSettleSelections, kShufflesToGathers;

namespace {

constexpr const Pass* kPasses[] = {
    &kFoldWeights,      &kShufflesToGathers, &kSeparateVectors, &kAddSelections, &kMergeCopies,
    &kSettleSelections, &kFoldShapes,        &kFoldConstants,   &kRemoveNoOps,   &kFuseBatchNorms};

std::mutex mutex;
std::map<const Pass*, PassTiming> timings;
std::set<const Pass*> skipped;

bool are_verified() {
#ifdef COPPICE_DEBUG
  return true;
#else
  static const bool asked = std::getenv("COPPICE_VERIFY_PASSES") != nullptr;
  return asked;
#endif
}

bool is_skipped(const Pass& pass) {
  const std::scoped_lock lock(mutex);
  return skipped.contains(&pass);
}

void require_whole(const Pass& pass, const Graph& graph) {
  try {
    verify(graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::internal,
                std::string("pass '") + pass.name + "' broke the graph: " + error.what());
  }
}

}  // namespace

std::span<const Pass* const> passes() { return kPasses; }

void run_pass(const Pass& pass, Graph& graph, const std::function<void()>& body) {
  if (is_skipped(pass)) return;
  const auto start = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (are_verified()) require_whole(pass, graph);
  const std::scoped_lock lock(mutex);
  PassTiming& timing = timings[&pass];
  timing.name = pass.name;
  ++timing.runs;
  timing.seconds += took.count();
}

void skip_passes(const std::set<std::string>& names) {
  std::set<const Pass*> found;
  for (const std::string& name : names) {
    std::string known;
    for (const Pass* pass : kPasses) {
      if (pass->needed == Pass::Needed::yes) continue;
      known += (known.empty() ? "" : ", ") + std::string(pass->name);
      if (pass->name == name) found.insert(pass);
    }
    const bool is_known =
        std::ranges::any_of(found, [&](const Pass* pass) { return pass->name == name; });
    if (!is_known) fail_usage("no pass '" + name + "' to skip, expected some of " + known);
  }
  const std::scoped_lock lock(mutex);
  skipped = std::move(found);
}

std::vector<PassTiming> pass_timings() {
  const std::scoped_lock lock(mutex);
  std::vector<PassTiming> found;
  for (const Pass* pass : kPasses) {
    if (timings.contains(pass)) found.push_back(timings.at(pass));
  }
  return found;
}

}  // namespace coppice
