// coppice inspect: what is in a model, what of it can be pruned, and why the rest can't.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/description.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr size_t kMostRows = 200, kMostPinned = 40;
constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model;
  int64_t batch = 1;
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

void print_groups(const Console& console, const ModelDescription& description, const Graph& graph) {
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

void print_pinned(const Console& console, const ModelDescription& description, const Graph& graph) {
  if (description.groups->pinned.empty()) return;
  Table table({{"tensor"}, {"axis", kRight}, {"indices", kRight}, {"why not"}, {"path"}});
  for (const Pinned& pinned : description.groups->pinned) {
    table.add({graph.value(pinned.tensor).name, std::to_string(pinned.axis),
               with_separators(pinned.indices), pinned.reason, joined(pinned.path)});
  }
  console.print("\n" + console.strong("Pinned: can't be pruned") + "\n" + table.text(kMostPinned));
}

Result inspect(const Options& options, const Invocation& run) {
  const Model model = load_model(options.model, run.options.seed);
  const ModelDescription found = describe(model.graph, options.batch);
  const Console& console = run.console;
  print_layers(console, found);
  if (found.groups) {
    print_groups(console, found, model.graph);
    print_pinned(console, found, model.graph);
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
            "sizes and MACs for so many pictures (default 1)");
  add_common_options(app, common);
  return [options](Invocation& run) { return inspect(*options, run); };
}

}  // namespace coppice
