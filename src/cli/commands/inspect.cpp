// coppice inspect: what is in a model, what of it can be pruned, and why the rest can't.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "core/error.h"
#include "model/description.h"
#include "model/norms.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr size_t kMostRows = 200, kMostPinned = 40;
constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model;
  int64_t batch = 1;
  std::string why;  // a node
  bool norms = false;
};

std::string counted(const std::map<std::string, int64_t>& operators) {
  std::string text;
  for (const auto& [name, count] : operators) {
    text += (text.empty() ? "" : ", ") + name + " " + with_separators(count);
  }
  return text;
}

void print_layers(const Console& console, const ModelDescription& description) {
  Table table({{"layer"}, {"op"}, {"output"}, {"parameters", kRight}, {"MACs", kRight}});
  for (const LayerDescription& layer : description.layers) {
    table.add({layer.name, layer.op, layer.shape, with_separators(layer.parameters),
               with_separators(layer.macs)});
  }
  console.print(console.strong("Layers") + "\n" + table.text(kMostRows));
  if (!description.others.empty()) {
    console.print("others: " + printable(counted(description.others)) + "\n");
  }
  if (!description.unknown_operators.empty()) {
    console.print("not known to coppice: " + printable(counted(description.unknown_operators)) +
                  "; what they touch is left alone\n");
  }
}

void print_groups(const Console& console, const ModelDescription& description) {
  const Graph& graph = description.loosened;
  Table table({{"group"}, {"units", kRight}, {"tensors", kRight}, {"among them"}});
  for (const Group& group : description.groups->free) {
    std::string tensors;
    for (size_t s = 1; s < group.slices.size() && s < 4; ++s) {
      tensors += (s == 1 ? "" : ", ") + graph.value(group.slices[s].tensor).name;
    }
    table.add({group.name, with_separators(group.units()),
               with_separators(static_cast<int64_t>(group.slices.size())), tensors});
  }
  console.print("\n" + console.strong("Groups of channels that can be pruned") + "\n" +
                table.text(kMostRows));
}

std::string joined(const std::vector<std::string>& path) {
  constexpr size_t kEnds = 3;
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path.size() > 2 * kEnds && i == kEnds) {
      text += " > ...";
      i = path.size() - kEnds;
    }
    text += (text.empty() ? "" : " > ") + path[i];
  }
  return text;
}

void print_pinned(const Console& console, const ModelDescription& description) {
  const Graph& graph = description.loosened;
  if (description.groups->pinned.empty()) return;
  Table table({{"tensor"}, {"axis", kRight}, {"indices", kRight}, {"why not"}, {"path"}});
  for (const Pinned& pinned : description.groups->pinned) {
    table.add({graph.value(pinned.tensor).name, std::to_string(pinned.axis),
               with_separators(pinned.indices), pinned.reason, joined(pinned.path)});
  }
  console.print("\n" + console.strong("Pinned: can't be pruned") + "\n" + table.text(kMostPinned));
}

// "axis 0 of layer1.conv.weight"
std::string axis_of(const Graph& graph, ValueId value, int64_t axis) {
  return "axis " + std::to_string(axis) + " of " + graph.value(value).name;
}

void print_couplings(const Console& console, const NodeDescription& found) {
  console.print(console.strong(printable(found.name)) + " (" + found.op + ")\n");
  for (const Coupling& coupling : found.couplings) {
    console.print("\n" + printable(axis_of(found.graph, coupling.value, coupling.axis)) + ": " +
                  with_separators(coupling.free) + " of " + with_separators(coupling.indices) +
                  " indices can leave\n");
    if (!coupling.ties.empty()) {
      Table table({{"together with"}, {"indices", kRight}, {"by way of"}});
      for (const Tie& tie : coupling.ties) {
        table.add({axis_of(found.graph, tie.tensor, tie.axis), with_separators(tie.indices),
                   joined(tie.path)});
      }
      console.print(table.text(kMostPinned));
    }
    if (coupling.pinned) {
      console.print("pinned: " + with_separators(coupling.pinned->indices) + "; " +
                    printable(coupling.pinned->reason) + "\n");
      if (!coupling.pinned->path.empty()) {
        console.print("by way of " + printable(joined(coupling.pinned->path)) + "\n");
      }
    }
  }
  if (found.couplings.empty()) {
    console.print("no axis of it carries anything that could leave\n");
  }
}

std::string whole_percent(double share) { return significant(100 * share, 2) + " %"; }

std::string verdict(const NormsDescription& found) {
  const std::string of = " of " + std::to_string(found.sets) + " sets of filters";
  return "Norms spread by less than " + whole_percent(NormStatistics::kLeastSpread) +
         " of their mean in " + std::to_string(found.narrow) + of + ", and the smallest is above " +
         whole_percent(NormStatistics::kMostLeast) + " of it in " +
         std::to_string(found.far_from_zero) + ": small norms " +
         (found.trusted() ? "tell filters apart in" : "say little about") + " this model (at " +
         whole_percent(NormsDescription::kRemoved) + " removed, norm and fpgm agree on " +
         whole_percent(found.overlap) + " of the filters).\n";
}

Result inspect_norms(const Model& model, const Invocation& run) {
  const NormsDescription found = describe_norms(model.graph);
  Table table({{"weight"},
               {"filters", kRight},
               {"mean norm", kRight},
               {"deviation", kRight},
               {"smallest", kRight},
               {"largest", kRight},
               {"norm = fpgm", kRight}});
  for (const NormStatistics& layer : found.layers) {
    const auto of_mean = [&](double value) {
      return percentage(layer.mean > 0 ? value / layer.mean : 0);
    };
    table.add({found.graph.value(layer.weight).name, with_separators(layer.units),
               significant(layer.mean, 4), of_mean(layer.deviation), of_mean(layer.least),
               of_mean(layer.most), percentage(layer.overlap)});
  }
  run.console.print(table.text(kMostRows) + "\n" + verdict(found));
  return {.json = to_json(found)};
}

Result inspect_node(const Options& options, const Model& model, const Invocation& run) {
  const NodeDescription found = describe_node(model.graph, options.why);
  print_couplings(run.console, found);
  return {.json = to_json(found)};
}

Result inspect(const Options& options, const Invocation& run) {
  const Model model = load_model(options.model, run.options.seed);
  if (!options.why.empty() && options.norms) fail_usage("--why and --norms are two questions");
  if (!options.why.empty()) return inspect_node(options, model, run);
  if (options.norms) return inspect_norms(model, run);
  const ModelDescription found = describe(model.graph, options.batch);
  const Console& console = run.console;
  print_layers(console, found);
  if (found.groups) {
    print_groups(console, found);
    print_pinned(console, found);
  }
  std::string summary = "\n" + console.strong(printable(model.name)) + ": " +
                        with_separators(static_cast<int64_t>(model.graph.nodes.size())) +
                        " nodes, " + short_count(static_cast<double>(found.parameters)) +
                        " parameters, ";
  summary += found.shapes_error.empty() ? short_count(static_cast<double>(found.macs)) +
                                              " MACs at batch " + std::to_string(found.batch)
                                        : std::string("MACs unknown");
  summary += ", " + short_bytes(static_cast<double>(model.bytes)) + "\n" +
             printable("inputs: " + found.inputs + "; outputs: " + found.outputs) + "\n";
  if (!found.shapes_error.empty()) {
    summary += printable("shapes can't be inferred: " + found.shapes_error) + "\n";
  }
  if (found.weights.nonzero < found.weights.all) {
    summary += with_separators(found.weights.all - found.weights.nonzero) + " of " +
               with_separators(found.weights.all) + " weights are zero\n";
  }
  summary += found.groups ? percentage(found.prunable_macs_share) +
                                " of the MACs are in layers that can be pruned\n"
                          : printable("nothing can be pruned: " + found.groups_error) + "\n";
  console.print(summary);
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
