// coppice prune: scores, cuts, proves, writes, and measures what it brought; and coppice search,
// the same for methods that search. No method is named here: what there is to say of one is in its
// entry (methods/method.h).
#include "tasks/prune.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "core/error.h"
#include "methods/options/blocks.h"
#include "methods/options/option_owners.h"
#include "prune/scores/criterion.h"
#include "session/options/training_options.h"
#include "tasks/max_drop/max_drop.h"
#include "tasks/runs/controls.h"
#include "texts/cut_summary.h"
#include "texts/latency.h"
#include "texts/max_drop.h"
#include "texts/run_table.h"

namespace coppice {
namespace {

struct Options {
  const char* command = "prune";
  bool searches = false;  // only methods that do
  std::string method = {}, model = {}, output = {}, plan = {};
  bool latency = true, resume = false;
  std::optional<double> max_drop = {};
  GivenOptions given = {};     // of all methods
  GivenOptions controls = {};  // of control_options
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
             ", found --method " + method.name + "; 'coppice " + options.command + " --method " +
             method.name + " --help' lists its options");
}

// Of a search: a short name stands for the long one, "random" for "random-search".
std::string full_name(const std::string& name) {
  const std::string full = name + "-search";
  return std::ranges::find(methods(), full, &Method::name) == methods().end() ? name : full;
}

void add_method(CLI::App& app, Options& options, const std::string& what) {
  app.add_option("--method", options.method,
                 what + " (default " + options.method +
                     ");\n'coppice methods' lists them, --method NAME --help explains one")
      ->type_name("NAME")
      ->each([&app, &options](const std::string& name) {
        const Method& method = find_method(options.searches ? full_name(name) : name);
        if (options.searches && !method.searches) {
          fail_usage("'coppice search' tries many cuts, found --method " + method.name +
                     ", which makes one; 'coppice prune' does that");
        }
        app.description(described(method));
        options.given.show_only(options_of(method));
      });
}

bool searching(const Method& method) { return method.searches; }

void add_prune_options(CLI::App& app, Options& options) {
  add_model(app, options.model);
  add_output(app, options.output);
  add_method(app, options,
             options.searches ? "how it searches: evolution, random, amc or metapruning"
                              : "how channels or weights are ranked");
  options.given.add(app,
                    options.searches ? options_of_methods(searching) : options_of_all_methods());
  options.controls.add(app, control_options());
  app.add_option("--max-drop", options.max_drop,
                 "in place of a budget: the strongest that loses at most\nso many points of top-1 "
                 "on training images held out;\ntries 7 budgets, so takes 8 times as long")
      ->type_name("POINTS")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--plan", options.plan,
                 "where the plan goes (default: small.plan.json beside\nsmall.onnx)")
      ->type_name("FILE");
  add_switch(
      app, "--latency", options.latency,
      "measure latency before and after, at batch 1, of\none thread unless --threads says more");
  add_resume(app, options.resume);
}

const Method& method_of(const Options& options) {
  return find_method(options.searches ? full_name(options.method) : options.method);
}

// A cut that nothing trains is made up for: that costs seconds, and without it a net that was 93 %
// right may be at 30. Papers cut alone, and say so by --recover none. Library callers ask for it.
bool recovers_unasked(const Options& options, const Method& method, const Settings& settings) {
  const bool ranks =
      std::ranges::find(criteria(), method.name, &Criterion::name) != criteria().end();
  return ranks && has_option(settings.options(), kRecover) && !settings.has(kRecover) &&
         !settings.has(kEpochs) && !options.max_drop && !method.decides_in_training(settings);
}

PruneRequest request_of(const Options& options) {
  const Method& method = method_of(options);
  require_own(options, method);
  Settings settings = options.given.settings(options_of(method));
  const bool unasked = recovers_unasked(options, method, settings);
  if (unasked) settings.set(kRecover, "all");
  return {.model = options.model,
          .output = options.output,
          .plan = options.plan,
          .method = method.name,
          .settings = std::move(settings),
          .controls = options.controls.settings(control_options()),
          .recovers_unasked = unasked,
          .resume = options.resume,
          .latency = options.latency};
}

void require_possible(const Options& options) {
  if (options.max_drop) return check({request_of(options), *options.max_drop});
  check(request_of(options));
}

Result prune_within(double points, PruneRequest request, Invocation& run) {
  const MaxDropReport report =
      prune_within_drop({std::move(request), points}, static_cast<Watcher&>(run));
  run.console.print(text_of(report) + "\n" + text_of(report.pruned.summary, run.console.style()));
  return {.json = to_json(report)};
}

Result prune(const Options& options, Invocation& run) {
  PruneRequest request = request_of(options);
  request.threads = run.options.threads;
  request.common = run.common();
  if (options.max_drop) return prune_within(*options.max_drop, std::move(request), run);
  const PruneReport report = prune(request, static_cast<Watcher&>(run));
  const Json json = to_json(report);
  run.console.print(text_of(report.summary, run.console.style()));
  if (report.latency) run.console.print(latency_budget_line(*report.latency));
  if (report.summary.recovered && !options.given.has(kRecover)) {
    run.remark("recovered as nothing trains it; --recover none cuts alone, as papers do");
  }
  if (!report.rows.empty()) {
    run.console.print("\n" +
                      run_table(figures_of_original(json), report.rows, report.summary.judged_by));
  }
  return {.json = json};
}

Action define(CLI::App& app, CommonOptions& common, const Options& usual) {
  const auto options = std::make_shared<Options>();
  options->command = usual.command;
  options->method = usual.method;
  options->searches = usual.searches;
  add_prune_options(app, *options);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    require_possible(*options);  // what is wrong is said before a run begins
    const bool in_session = method_of(*options).epochs == Method::Epochs::may_be_none;
    const bool keeps = options->given.has(kEpochs) || in_session || options->max_drop;
    if (keeps) keep_run_beside(options->output, common);
  });
  return [options](Invocation& run) { return prune(*options, run); };
}

}  // namespace

Action define_prune(CLI::App& app, CommonOptions& common) {
  return define(app, common, {.command = "prune", .method = kUsualMethod});
}

Action define_search(CLI::App& app, CommonOptions& common) {
  return define(app, common, {.command = "search", .searches = true, .method = "evolution"});
}

}  // namespace coppice
