// coppice prune: scores, cuts, proves, writes, and measures what it brought. No method is named
// here: what there is to say of one is in its entry (methods/method.h).
#include "tasks/prune.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "core/error.h"
#include "methods/options/option_owners.h"
#include "session/options/training_options.h"
#include "tasks/runs/controls.h"
#include "texts/cut_summary.h"
#include "texts/run_table.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output, plan, method = kUsualMethod;
  bool latency = true, resume = false;
  GivenOptions given;     // of all methods
  GivenOptions controls;  // of control_options
};

// What --help says of one method.
std::string described(const Method& method) {
  std::string text = method.name + ": " + method.about + "\nneeds: " + method.needs +
                     "\nsource: " + method.paper + "\n";
  return method.differs.empty() ? text : text + "differs: " + method.differs + "\n";
}

void require_own(const Options& options, const Method& method) {
  const auto others = options.given.others(options_of(method));
  if (others.empty()) return;
  fail_usage(others.front()->flag() + " is for " + methods_with(*others.front()) +
             ", found --method " + method.name + "; 'coppice prune --method " + method.name +
             " --help' lists its options");
}

void add_prune_options(CLI::App& app, Options& options) {
  add_model(app, options.model);
  add_output(app, options.output);
  app.add_option("--method", options.method,
                 std::string("how channels or weights are ranked (default ") + kUsualMethod +
                     ");\n'coppice methods' lists them, --method NAME --help explains one")
      ->type_name("NAME")
      ->each([&app, &options](const std::string& name) {
        const Method& method = find_method(name);
        app.description(described(method));
        options.given.show_only(options_of(method));
      });
  options.given.add(app, options_of_all_methods());
  options.controls.add(app, control_options());
  app.add_option("--plan", options.plan,
                 "where the plan goes (default: plan.json beside OUT, or\n"
                 "OUT.plan.json where that is another's)")
      ->type_name("FILE");
  add_switch(
      app, "--latency", options.latency,
      "measure latency before and after, at batch 1, of\none thread unless --threads says more");
  add_resume(app, options.resume);
}

Settings settings_of(const Options& options) {
  const Method& method = find_method(options.method);
  require_own(options, method);
  return options.given.settings(options_of(method));
}

PruneRequest request_of(const Options& options) {
  return {.model = options.model,
          .output = options.output,
          .plan = options.plan,
          .method = options.method,
          .settings = settings_of(options),
          .controls = options.controls.settings(control_options()),
          .resume = options.resume,
          .latency = options.latency};
}

Result prune(const Options& options, Invocation& run) {
  PruneRequest request = request_of(options);
  request.threads = run.options.threads;
  request.common = run.common();
  const PruneReport report = prune(request, static_cast<Watcher&>(run));
  const Json json = to_json(report);
  run.console.print(text_of(report.summary, run.console.style()));
  if (!report.rows.empty()) {
    run.console.print("\n" +
                      run_table(figures_of_original(json), report.rows, report.summary.judged_by));
  }
  return {.json = json};
}

}  // namespace

Action define_prune(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_prune_options(app, *options);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    check(request_of(*options));  // what is wrong is said before a run begins
    if (options->given.has(kEpochs)) keep_run_beside(options->output, common);
  });
  return [options](Invocation& run) { return prune(*options, run); };
}

}  // namespace coppice
