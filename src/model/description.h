// What `inspect` knows about a model, gathered without printing: layers and their costs, groups,
// pinned axes, and what Coppice doesn't know. Every part stands without the others: where shapes
// can't be inferred, the reason stands in their place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "groups/groups.h"
#include "groups/tracing/explain.h"
#include "model/load.h"
#include "prune/masks/masks.h"
#include "report/json.h"

namespace coppice {

struct LayerDescription {
  std::string name, op;
  std::string shape;  // of its first output; "?" where it isn't known
  int64_t parameters = 0, macs = 0;
  bool unknown = false;  // what it multiplies isn't known: not in `macs`
  // Indices in ModelDescription::groups of the channels that it gives, where those can leave: a
  // stream that is padded with more channels has several.
  std::vector<size_t> groups = {};
  // A normalisation: the layer whose outputs it normalises, by its index in `layers`.
  std::optional<size_t> of = {};
};

struct ModelDescription {
  int64_t parameters = 0, macs = 0, batch = 1;
  int64_t unknown_costs = 0;  // layers whose multiply-accumulates aren't known: not in `macs`
  int64_t opset = 0;
  std::string opset_remark = {};  // what is to be known of it where models are deployed
  std::string stored;             // "float16": what weights are stored as, where that isn't float32
  WeightCount weights;            // that could be masked
  std::string inputs, outputs;    // "input 1x3x32x32"
  std::vector<LayerDescription> layers;   // nodes with parameters or multiply-accumulates
  std::map<std::string, int64_t> others;  // all other nodes, by operator
  std::map<std::string, int64_t> unknown_operators;
  Graph loosened;  // what groups are found on: slices name its values
  std::optional<Groups> groups;
  double prunable_macs_share = 0;
  std::string shapes_error, groups_error;  // why `macs` or `groups` are missing
};

// The model at this batch. Groups are found at two and more images, as tracing wants it.
ModelDescription describe(const Graph& graph, int64_t batch);

Json to_json(const ModelDescription& description, const Model& model);

// What one node's axes are coupled to (`inspect --why`).
struct NodeDescription {
  std::string name, op;
  Graph graph;  // loosened; couplings name its values
  std::vector<Coupling> couplings;
};

// `name` is a node's, one of its outputs' or of a weight that it reads, or a part between
// separators that one node alone has in such a name. Throws Error::usage, with the nearest names,
// where that is no node or several.
NodeDescription describe_node(const Graph& graph, const std::string& name);

Json to_json(const NodeDescription& description);

}  // namespace coppice
