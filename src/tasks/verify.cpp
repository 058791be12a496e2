// See verify.h.
#include "tasks/verify.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "methods/one_shot/one_shot.h"
#include "model/load.h"
#include "model/plan_file.h"
#include "report/format.h"
#include "tasks/apply.h"

namespace coppice {
namespace {

// Whether both hold the same constants under the same names.
bool same_weights(const Graph& a, const Graph& b) {
  const auto weights = [](const Graph& graph) {
    std::map<std::string, const Tensor*> found;
    for (const Value& value : graph.values) {
      if (value.constant) found[value.name] = &*value.constant;
    }
    return found;
  };
  const auto first = weights(a), second = weights(b);
  return std::ranges::equal(first, second, [](const auto& x, const auto& y) {
    return x.first == y.first && *x.second == *y.second;
  });
}

}  // namespace

VerifyReport verify(const VerifyRequest& request, Watcher& watcher) {
  const uint64_t seed = request.common.seed;
  Graph first = load_model(request.first, request.common, watcher).graph;
  const Graph second = load_model(request.second, seed, request.common.input_shapes).graph;
  VerifyReport report{
      .first = request.first, .second = request.second, .by_plan = {}, .found = {}, .inputs = {}};
  if (!request.plan.empty()) {
    std::future<std::string> sha256 = model_sha256(request.first, seed);
    const Plan plan = read_plan(request.plan);
    first = within("plan '" + request.plan + "'", [&] {
      return apply_plan(first, plan, Verify::off, seed, repeated_recovery(plan)).graph;
    });
    const bool same_model = made_for(plan, sha256.get());
    if (!same_model) watcher.remark(remark_on(plan, request.plan, request.first));
    report.by_plan = {request.plan, same_model, same_weights(first, second)};
  }
  report.found = compare(first, second, fitting_sizes(first, {.inputs = {}, .batch = 2}), seed);
  report.inputs = describe_inputs(first, report.found.sizes);
  if (report.found.blind()) {
    watcher.warn("the outputs hardly react to the inputs (by " +
                 significant(report.found.reaction, 2) + "), so this comparison says little");
  }
  return report;
}

Json to_json(const VerifyReport& report) {
  Json json = {{"a", report.first}, {"b", report.second}};
  if (report.by_plan) {
    json["plan"] = report.by_plan->plan;
    json["same_model"] = report.by_plan->same_model;
    json["same_weights"] = report.by_plan->same_weights;
  }
  json["equal"] = report.found.equal();
  json["error"] = report.found.error;
  json["tolerance"] = report.found.allowed();
  json["reaction"] = report.found.reaction;
  json["inputs"] = report.inputs;
  return json;
}

}  // namespace coppice
