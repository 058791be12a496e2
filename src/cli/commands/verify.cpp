// coppice verify: do two models give the same outputs on random inputs? With a plan: is the second
// what the plan makes of the first?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "cli/commands/commands.h"
#include "cli/model.h"
#include "cli/plan_file.h"
#include "core/error.h"
#include "methods/one_shot.h"
#include "report/format.h"

namespace coppice {
namespace {

// Outputs that move less than this share when the input is drawn anew can't show a difference.
constexpr double kBlind = 1e-3;

struct Options {
  std::string first, second, plan;
};

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

Result verify(const Options& options, const Invocation& run) {
  const uint64_t seed = run.options.seed;
  Graph first = load_model(options.first, seed).graph;
  const Graph second = load_model(options.second, seed).graph;
  Json json = {{"a", options.first}, {"b", options.second}};
  if (!options.plan.empty()) {
    std::future<std::string> sha256 = model_sha256(options.first, seed);
    const Plan plan = read_plan(options.plan);
    first = within("plan '" + options.plan + "'",
                   [&] { return apply_plan(first, plan, Verify::off, seed).graph; });
    json["plan"] = options.plan;
    json["same_model"] = made_for(plan, sha256.get());
    if (!json["same_model"].get<bool>()) {
      run.console.remark(remark_on(plan, options.plan, options.first));
    }
    json["same_weights"] = same_weights(first, second);
  }
  const Comparison found =
      compare(first, second, fitting_sizes(first, {.inputs = {}, .batch = 2}), seed);
  const std::string inputs = describe_inputs(first, found.sizes);
  json["equal"] = found.equal();
  json["error"] = found.error;
  json["tolerance"] = found.allowed();
  json["reaction"] = found.reaction;
  json["inputs"] = inputs;
  const std::string difference = "largest difference " + significant(found.error, 2) +
                                 " of the largest output, on random inputs of " + inputs;
  const std::string target =
      options.plan.empty() ? "'" + options.first + "'" : "'" + options.first + "' cut by the plan";
  if (found.reaction < kBlind) {
    run.console.warn("the outputs hardly react to the inputs (by " +
                     significant(found.reaction, 2) + "), so this comparison says little");
  }
  if (!found.equal()) {
    return {json, "'" + options.second + "' differs from " + target + ": " + difference +
                      ", expected at most " + significant(found.allowed(), 2)};
  }
  run.console.print("equal: '" + printable(options.second) + "' computes the same as " +
                    printable(target) + "; " + difference + "\n");
  if (json.contains("same_weights")) {
    run.console.print(json["same_weights"].get<bool>() ? "weights: the same, bit for bit\n"
                                                       : "weights: not the same bits\n");
  }
  return {json};
}

}  // namespace

Action define_verify(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("A", options->first, "a .onnx file, or zoo:NAME")->required();
  app.add_option("B", options->second, "the one to compare it with")->required();
  app.add_option("--plan", options->plan, "compare B with A cut by this plan")->type_name("FILE");
  add_common_options(app, common);
  return [options](Invocation& run) { return verify(*options, run); };
}

}  // namespace coppice
