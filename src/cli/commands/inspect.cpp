// coppice inspect: what is in a model, what of it can be pruned, and why the rest can't.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "core/error.h"
#include "texts/description.h"

namespace coppice {
namespace {

struct Options {
  std::string model;
  int64_t batch = 1;
  std::string why;  // a node
  bool norms = false;
};

Result inspect(const Options& options, const Invocation& run) {
  const Model model = load_model(options.model, run.options.seed, run.options.input_shapes);
  const Style style = run.console.style();
  if (!options.why.empty() && options.norms) fail_usage("--why and --norms are two questions");
  if (!options.why.empty()) {
    const NodeDescription found = describe_node(model.graph, options.why);
    run.console.print(text_of(found, style));
    return {.json = to_json(found)};
  }
  if (options.norms) {
    const NormsDescription found = describe_norms(model.graph);
    run.console.print(text_of(found));
    return {.json = to_json(found)};
  }
  const ModelDescription found = describe(model.graph, options.batch);
  run.console.print(text_of(found, model, style));
  return {.json = to_json(found, model)};
}

}  // namespace

Action define_inspect(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_count(app, "--batch", options->batch, kMostBatch,
            "sizes and MACs for so many images (default 1)");
  app.add_option("--why", options->why,
                 "what this node is coupled to, and why: its name, or that of its output");
  app.add_flag("--norms", options->norms,
               "how filter norms are spread in each layer, and whether they can be trusted");
  add_common_options(app, common);
  return [options](Invocation& run) { return inspect(*options, run); };
}

}  // namespace coppice
