#include "texts/description.h"

#include <algorithm>

#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr size_t kMostRows = 200, kMostPinned = 40;
constexpr Table::Align kRight = Table::Align::right;

std::string counted(const std::map<std::string, int64_t>& operators) {
  std::string text;
  for (const auto& [name, count] : operators) {
    text += (text.empty() ? "" : ", ") + name + " " + with_separators(count);
  }
  return text;
}

bool share_channels(const LayerDescription& a, const LayerDescription& b) {
  return std::ranges::any_of(
      a.groups, [&](size_t g) { return std::ranges::find(b.groups, g) != b.groups.end(); });
}

// How many of its channels a layer can lose, and with how many others.
std::string loss_of(const ModelDescription& description, const LayerDescription& layer) {
  if (layer.groups.empty()) return "-";
  int64_t units = 0;
  for (const size_t g : layer.groups) units += description.groups->free[g].units();
  const auto others = std::ranges::count_if(description.layers, [&](const LayerDescription& other) {
    return &other != &layer && share_channels(layer, other);
  });
  return with_separators(units) + (others == 0 ? "" : " with " + with_separators(others));
}

// Normalisations stand in the row of their layer.
std::string layers_of(const ModelDescription& description, const Style& style) {
  const std::vector<LayerDescription>& layers = description.layers;
  std::vector<LayerDescription> rows = layers;
  for (const LayerDescription& layer : layers) {
    if (!layer.of) continue;
    rows[*layer.of].parameters += layer.parameters;
    rows[*layer.of].op += layer.op == "BatchNormalization" ? "+BN" : "+" + layer.op;
  }
  Table table(
      {{"layer"}, {"op"}, {"output"}, {"params", kRight}, {"MACs", kRight}, {"can lose", kRight}});
  for (size_t r = 0; r < rows.size(); ++r) {
    const LayerDescription& layer = rows[r];
    if (layer.of) continue;
    table.add({layer.name, layer.op, layer.shape,
               short_count(static_cast<double>(layer.parameters)),
               layer.unknown ? "?" : short_count(static_cast<double>(layer.macs)),
               loss_of(description, layers[r])});
  }
  std::string text = "\n" + style.strong("Layers") + "\n" + table.text(kMostRows, style.width);
  if (!description.others.empty()) {
    text += "others: " + printable(counted(description.others)) + "\n";
  }
  if (description.unknown_costs > 0) {
    text += "?: the shape depends on data, or on an operator that isn't known to coppice; of " +
            with_separators(description.unknown_costs) +
            " layers the MACs aren't known, and not in any sum\n";
  }
  if (!description.unknown_operators.empty()) {
    text += "not known to coppice: " + printable(counted(description.unknown_operators)) +
            "; what they touch is left alone\n";
  }
  return text;
}

// Those that no row above says all of.
std::string groups_of(const ModelDescription& description, const Style& style) {
  Table table({{"units", kRight}, {"group"}, {"layers"}});
  const std::vector<Group>& groups = description.groups->free;
  for (size_t g = 0; g < groups.size(); ++g) {
    std::string names;
    int64_t count = 0;
    for (const LayerDescription& layer : description.layers) {
      if (std::ranges::find(layer.groups, g) == layer.groups.end()) continue;
      names += (++count == 1 ? "" : ", ") + layer.name;
    }
    if (count != 1) table.add({with_separators(groups[g].units()), groups[g].name, names});
  }
  if (table.rows() == 0) return "";
  return "\n" + style.strong("Groups: layers that lose channels together") + "\n" +
         table.text(kMostRows, style.width);
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

std::string pinned_of(const ModelDescription& description, const Style& style) {
  const Graph& graph = description.loosened;
  if (description.groups->pinned.empty()) return "";
  Table table({{"tensor"}, {"axis", kRight}, {"indices", kRight}, {"why not"}, {"path"}});
  for (const Pinned& pinned : description.groups->pinned) {
    table.add({graph.value(pinned.tensor).name, std::to_string(pinned.axis),
               with_separators(pinned.indices), pinned.reason, joined(pinned.path)});
  }
  return "\n" + style.strong("Pinned: can't be pruned") + "\n" +
         table.text(kMostPinned, style.width);
}

// "axis 0 of layer1.conv.weight"
std::string axis_of(const Graph& graph, ValueId value, int64_t axis) {
  return "axis " + std::to_string(axis) + " of " + graph.value(value).name;
}

std::string coupling_of(const Graph& graph, const Coupling& coupling, const Style& style) {
  std::string text = "\n" + printable(axis_of(graph, coupling.value, coupling.axis)) + ": " +
                     with_separators(coupling.free) + " of " + with_separators(coupling.indices) +
                     " indices can leave\n";
  if (!coupling.ties.empty()) {
    Table table({{"together with"}, {"indices", kRight}, {"by way of"}});
    for (const Tie& tie : coupling.ties) {
      table.add(
          {axis_of(graph, tie.tensor, tie.axis), with_separators(tie.indices), joined(tie.path)});
    }
    text += table.text(kMostPinned, style.width);
  }
  if (!coupling.pinned) return text;
  text += "pinned: " + with_separators(coupling.pinned->indices) + "; " +
          printable(coupling.pinned->reason) + "\n";
  if (coupling.pinned->path.empty()) return text;
  return text + "by way of " + printable(joined(coupling.pinned->path)) + "\n";
}

std::string summary_of(const ModelDescription& found, const Model& model, const Style& style) {
  std::string text = style.strong(printable(model.name)) + ": " +
                     with_separators(static_cast<int64_t>(model.graph.nodes.size())) + " nodes, " +
                     short_count(static_cast<double>(found.parameters)) + " parameters, ";
  text += found.shapes_error.empty() ? short_count(static_cast<double>(found.macs)) +
                                           " MACs at batch " + std::to_string(found.batch)
                                     : std::string("MACs unknown");
  text += ", " + short_bytes(static_cast<double>(model.bytes)) + "\n" +
          printable("inputs: " + found.inputs + "; outputs: " + found.outputs) + "\n";
  if (!found.shapes_error.empty()) {
    text += printable("shapes can't be inferred: " + found.shapes_error) + "\n";
  }
  if (!model.newer.empty()) text += printable(model.newer) + "\n";
  if (!found.opset_remark.empty()) text += found.opset_remark + "\n";
  if (!model.assumed.empty()) {
    text += printable(model.assumed) + "; --input-shape says otherwise\n";
  }
  if (!found.stored.empty()) {
    text +=
        "in " + found.stored + ": computed in float32, and written back in " + found.stored + "\n";
  }
  if (found.weights.nonzero < found.weights.all) {
    text += with_separators(found.weights.all - found.weights.nonzero) + " of " +
            with_separators(found.weights.all) + " weights are zero\n";
  }
  return text + (found.groups
                     ? percentage(found.prunable_macs_share) +
                           (found.unknown_costs > 0 ? " of the known MACs" : " of the MACs") +
                           " are in layers that can be pruned\n"
                     : printable("nothing can be pruned: " + found.groups_error) + "\n");
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

}  // namespace

std::string text_of(const ModelDescription& found, const Model& model, const Style& style) {
  const std::string groups =
      found.groups ? groups_of(found, style) + pinned_of(found, style) : std::string();
  return summary_of(found, model, style) + layers_of(found, style) + groups;
}

std::string text_of(const NodeDescription& found, const Style& style) {
  std::string text = style.strong(printable(found.name)) + " (" + found.op + ")\n";
  for (const Coupling& coupling : found.couplings)
    text += coupling_of(found.graph, coupling, style);
  return found.couplings.empty() ? text + "no axis of it carries anything that could leave\n"
                                 : text;
}

std::string text_of(const NormsDescription& found) {
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
  return table.text(kMostRows) + "\n" + verdict(found);
}

}  // namespace coppice
