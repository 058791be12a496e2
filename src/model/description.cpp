// See description.h.
#include "model/description.h"

#include <algorithm>

#include "core/error.h"
#include "core/words/nearest.h"
#include "graph/cost.h"
#include "graph/fitted.h"
#include "graph/passes/halves.h"
#include "graph/passes/loosen.h"
#include "graph/views/linear_layer.h"
#include "prune/budget/prunable_share.h"
#include "prune/runtimes/opset.h"

namespace coppice {
namespace {

std::string qualified(const Node& node) {
  return (node.domain.empty() ? "" : node.domain + ":") + node.op_type;
}

// Each constant counts for the first node that reads it.
int64_t take_parameters(const Graph& graph, const Node& node, std::vector<char>& flags) {
  int64_t count = 0;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue || !flags[id]) continue;
    flags[id] = 0;
    count += graph.value(id).constant->size();
  }
  return count;
}

std::string describe_values(const Graph& graph, const std::vector<ValueId>& ids,
                            const Inferred* inferred) {
  std::string text;
  for (const ValueId id : ids) {
    const bool known = inferred && inferred->has(id);
    text += (text.empty() ? "" : ", ") + graph.value(id).name + " " +
            (known ? to_string(inferred->shape(id)) : "?");
  }
  return text;
}

// The layer before a normalisation that nothing else reads.
std::optional<size_t> layer_before(const Node& node, const std::vector<int32_t>& producer,
                                   const std::vector<std::vector<int32_t>>& readers,
                                   const std::map<int32_t, size_t>& layers) {
  if (reads_as(node, 1) != Reads::scale || node.inputs[0] == kNoValue) return std::nullopt;
  const auto layer = layers.find(producer[node.inputs[0]]);
  const bool alone = readers[node.inputs[0]].size() == 1;
  if (layer == layers.end() || !alone) return std::nullopt;
  return layer->second;
}

// Layers and the groups of their filters, by the names of weights: loosening adds nodes.
void join_groups(const Graph& graph, const std::map<int32_t, size_t>& layers,
                 ModelDescription& description) {
  std::map<std::string, std::vector<size_t>> groups_of;
  const std::vector<Group>& groups = description.groups->free;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const Slice& slice : groups[g].slices) {
      if (slice.role == Role::filter) {
        groups_of[description.loosened.value(slice.tensor).name].push_back(g);
      }
    }
  }
  for (const auto& [n, layer] : layers) {
    const Node& node = graph.nodes[n];
    const auto linear = linear_layer_of(node);
    if (!linear || node.inputs[linear->weight] == kNoValue) continue;
    description.layers[layer].groups = groups_of[graph.value(node.inputs[linear->weight]).name];
  }
}

// Gives the places of nodes among the layers.
std::map<int32_t, size_t> describe_nodes(const Graph& graph, const Inferred* inferred,
                                         ModelDescription& description) {
  const std::vector<Shape> shapes =
      inferred ? shape_table(*inferred) : std::vector<Shape>(graph.values.size());
  const auto producer = producers(graph);
  const auto readers = consumers(graph);
  std::map<int32_t, size_t> layers;
  std::vector<char> parameters = parameter_flags(graph);
  for (const Node& node : graph.nodes) {
    const auto n = static_cast<int32_t>(&node - graph.nodes.data());
    if (!node.op || !node.op->relate) ++description.unknown_operators[qualified(node)];
    LayerDescription layer{.name = label_of(graph, node), .op = qualified(node), .shape = "?"};
    layer.parameters = take_parameters(graph, node, parameters);
    layer.unknown = !inferred || has_unknown_cost(graph, node, *inferred);
    if (!layer.unknown) layer.macs = node_macs(node, shapes);
    if (inferred) description.unknown_costs += layer.unknown;
    description.parameters += layer.parameters;
    description.macs += layer.macs;
    if (layer.parameters == 0 && layer.macs == 0 && !(inferred && layer.unknown)) {
      ++description.others[layer.op];
      continue;
    }
    const ValueId output = node.outputs.empty() ? kNoValue : node.outputs.front();
    if (inferred && inferred->has(output)) layer.shape = to_string(inferred->shape(output));
    layer.of = layer_before(node, producer, readers, layers);
    layers.emplace(n, description.layers.size());
    description.layers.push_back(std::move(layer));
  }
  return layers;
}

std::string name_of(PinKind kind) {
  switch (kind) {
    case PinKind::meaning: return "meaning";
    case PinKind::statistics: return "statistics";
    case PinKind::unknown: return "unknown";
  }
  return "unknown";
}

Json groups_json(const ModelDescription& description) {
  const Graph& graph = description.loosened;
  Json list = Json::array();
  if (!description.groups) return list;
  for (const Group& group : description.groups->free) {
    Json slices = Json::array();
    for (const Slice& slice : group.slices) {
      slices.push_back({{"tensor", graph.value(slice.tensor).name}, {"axis", slice.axis}});
    }
    list.push_back({{"name", group.name}, {"units", group.units()}, {"slices", slices}});
  }
  return list;
}

Json pinned_entry(const Pinned& pinned, const Graph& graph) {
  return {{"tensor", graph.value(pinned.tensor).name},
          {"axis", pinned.axis},
          {"reason", pinned.reason},
          {"kind", name_of(pinned.kind)},
          {"indices", pinned.indices},
          {"path", pinned.path}};
}

Json pinned_json(const ModelDescription& description) {
  Json list = Json::array();
  if (!description.groups) return list;
  for (const Pinned& pinned : description.groups->pinned) {
    list.push_back(pinned_entry(pinned, description.loosened));
  }
  return list;
}

}  // namespace

ModelDescription describe(const Graph& graph, int64_t batch) {
  ModelDescription description;
  description.batch = batch;
  description.weights = count_weights(graph);
  std::optional<Inferred> inferred;
  try {
    inferred = infer(graph, fitting_sizes(graph, {.inputs = {}, .batch = batch}));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    description.shapes_error = error.what();
  }
  const Inferred* shapes = inferred ? &*inferred : nullptr;
  description.inputs = describe_values(graph, graph.inputs, shapes);
  description.outputs = describe_values(graph, graph.outputs, shapes);
  const std::map<int32_t, size_t> layers = describe_nodes(graph, shapes, description);
  description.opset = graph.opset;
  description.opset_remark = opset_remark(graph, usual_runtime());
  description.stored = name_of_halves(graph);
  try {
    GroupOptions options;
    options.explain = Explain::pins;
    description.loosened = graph;
    loosen(description.loosened);
    description.groups = find_groups(description.loosened, options);
    join_groups(graph, layers, description);
    description.prunable_macs_share = prunable_macs_share(
        CostModel(description.loosened, *description.groups, description.groups->inferred));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    description.groups_error = error.what();
  }
  return description;
}

Json to_json(const ModelDescription& description, const Model& model) {
  Json layers = Json::array();
  for (const LayerDescription& layer : description.layers) {
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"shape", layer.shape},
                      {"parameters", layer.parameters},
                      {"macs", layer.unknown ? Json() : Json(layer.macs)}});
  }
  Json json = {{"model", model.name},
               {"bytes", model.bytes},
               {"inputs", description.inputs},
               {"outputs", description.outputs},
               {"parameters", description.parameters},
               {"macs", description.macs},
               {"layers_of_unknown_cost", description.unknown_costs},
               {"weights", description.weights.all},
               {"nonzeros", description.weights.nonzero},
               {"batch", description.batch},
               {"nodes", model.graph.nodes.size()},
               {"layers", layers},
               {"groups", groups_json(description)},
               {"pinned", pinned_json(description)},
               {"unknown_operators", description.unknown_operators},
               {"prunable_macs_share", description.prunable_macs_share}};
  json["opset"] = description.opset;
  if (!description.opset_remark.empty()) json["opset_remark"] = description.opset_remark;
  if (!description.stored.empty()) json["stored_as"] = description.stored;
  if (!description.shapes_error.empty()) {
    json["macs"] = nullptr;
    json["shapes_error"] = description.shapes_error;
  }
  if (!description.groups_error.empty()) json["groups_error"] = description.groups_error;
  return json;
}

namespace {

// What a node may be called by: its name, those of its outputs and of the weights that it reads.
std::vector<std::string> names_of(const Graph& graph, const Node& node) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty()) names.push_back(name);
  };
  add(node.name);
  for (const ValueId id : node.outputs) {
    if (id != kNoValue) add(graph.value(id).name);
  }
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && graph.value(id).constant) add(graph.value(id).name);
  }
  return names;
}

// Whether the name is one, or part of one between separators ("layer1.0.conv2" of
// "/layer1/layer1.0/conv2/Conv", where folders repeat what they lie in).
bool is_part_of(const std::string& name, const std::string& part) {
  const auto separates = [](char letter) {
    return letter == '/' || letter == '.' || letter == '_';
  };
  for (size_t at = name.find(part); at != std::string::npos; at = name.find(part, at + 1)) {
    const size_t end = at + part.size();
    if ((at == 0 || separates(name[at - 1])) && (end == name.size() || separates(name[end]))) {
      return true;
    }
  }
  return false;
}

// The first that has the name; else the only one with a part of such a name. Throws Error::usage
// with the nearest names.
size_t node_named(const Graph& graph, const std::string& name) {
  std::vector<std::string> all;
  std::vector<size_t> parts;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const std::vector<std::string> names = names_of(graph, graph.nodes[n]);
    if (std::ranges::find(names, name) != names.end()) return n;
    const bool part = !name.empty() && std::ranges::any_of(names, [&](const std::string& own) {
      return is_part_of(own, name);
    });
    if (part) parts.push_back(n);
    all.insert(all.end(), names.begin(), names.end());
  }
  if (parts.size() == 1) return parts.front();
  std::vector<std::string> like;
  for (const size_t n : parts) like.push_back(label_of(graph, graph.nodes[n]));
  if (like.empty()) like = nearest(name, all, 3);
  if (like.size() > 3) like.resize(3);
  std::string text = parts.empty() ? "the model has no such node or weight"
                                   : std::to_string(parts.size()) + " nodes have that in a name";
  for (size_t i = 0; i < like.size(); ++i)
    text += (i == 0 ? "; near it: '" : ", '") + like[i] + "'";
  fail_usage("'" + name + "': " + text,
             {subject_hint("why"), task_hint("inspect", "lists the layers")});
}

}  // namespace

NodeDescription describe_node(const Graph& graph, const std::string& name) {
  NodeDescription description{.name = name, .op = "", .graph = graph, .couplings = {}};
  loosen(description.graph);
  const size_t n = node_named(description.graph, name);
  const Node& node = description.graph.nodes[n];
  description.name = label_of(description.graph, node);
  description.op = qualified(node);
  description.couplings = explain_node(description.graph, static_cast<int32_t>(n));
  return description;
}

Json to_json(const NodeDescription& description) {
  const auto name_of_value = [&](ValueId id) { return description.graph.value(id).name; };
  Json axes = Json::array();
  for (const Coupling& coupling : description.couplings) {
    Json entry = {{"value", name_of_value(coupling.value)},
                  {"axis", coupling.axis},
                  {"indices", coupling.indices},
                  {"free", coupling.free},
                  {"ties", Json::array()}};
    for (const Tie& tie : coupling.ties) {
      entry["ties"].push_back({{"tensor", name_of_value(tie.tensor)},
                               {"axis", tie.axis},
                               {"indices", tie.indices},
                               {"path", tie.path}});
    }
    if (coupling.pinned) entry["pinned"] = pinned_entry(*coupling.pinned, description.graph);
    axes.push_back(std::move(entry));
  }
  return {{"node", description.name}, {"op", description.op}, {"axes", axes}};
}

}  // namespace coppice
