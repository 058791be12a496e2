// Both graphs are walked side by side. Values are the same that stand in the same place. Names must
// say so, too, where they are the original's: what passes add (graph/passes/select_channels.h) is
// named by when it was added, and so are copies of merged vectors, which therefore aren't compared
// by name at all.
#include "methods/one_shot/same_structure.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "graph/passes/separate_vectors.h"
#include "graph/views/linear_layer.h"
#include "training/parameters.h"

namespace coppice {
namespace {

[[noreturn]] void fail_difference(const std::string& where, const std::string& found,
                                  const std::string& expected) {
  throw Error(ErrorKind::internal, "the trained model isn't the one that was proved: " + where +
                                       ": found " + found + ", expected " + expected +
                                       "; nothing was written; please report this model");
}

std::set<std::string> names_in(const Graph& graph) {
  std::set<std::string> names;
  for (const Value& value : graph.values) names.insert(value.name);
  for (const Node& node : graph.nodes) names.insert(node.name);
  return names;
}

void require_equal(const std::string& where, const std::string& found,
                   const std::string& expected) {
  if (found != expected) fail_difference(where, "'" + found + "'", "'" + expected + "'");
}

void require_as_many(const std::string& where, size_t found, size_t expected) {
  if (found == expected) return;
  fail_difference(where, std::to_string(found), std::to_string(expected));
}

std::string type_of(const Tensor& tensor) {
  return name_of(tensor.dtype()) + " of shape " + to_string(tensor.shape());
}

std::set<ValueId> moved_by_training(const Graph& graph) {
  std::set<ValueId> moved;
  for (const Parameter& parameter : trained_parameters(graph)) moved.insert(parameter.id);
  for (const ValueId id : running_statistics(graph)) moved.insert(id);
  return moved;
}

// A Constant node is its value, which its readers are compared by.
std::vector<const Node*> computing_nodes(const Graph& graph) {
  std::vector<const Node*> nodes;
  for (const Node& node : graph.nodes) {
    if (node.op_type != "Constant") nodes.push_back(&node);
  }
  return nodes;
}

class Walk {
 public:
  Walk(const Graph& trained, const Graph& proved, const Graph& original, NewBiases biases)
      : trained_(trained),
        proved_(proved),
        biases_(biases),
        names_(names_in(original)),
        moved_(moved_by_training(trained)),
        partner_(proved.values.size(), kNoValue),
        taken_(trained.values.size(), 0) {}

  void run() {
    require_as_many("inputs", trained_.inputs.size(), proved_.inputs.size());
    for (size_t i = 0; i < proved_.inputs.size(); ++i) {
      name_alike("input " + std::to_string(i), trained_.inputs[i], proved_.inputs[i]);
    }
    const std::vector<const Node*> nodes = computing_nodes(trained_);
    const std::vector<const Node*> twins = computing_nodes(proved_);
    for (size_t n = 0; n < std::min(nodes.size(), twins.size()); ++n) visit(*nodes[n], *twins[n]);
    require_as_many("nodes", nodes.size(), twins.size());
    require_as_many("outputs", trained_.outputs.size(), proved_.outputs.size());
    for (size_t i = 0; i < proved_.outputs.size(); ++i) {
      match("output " + std::to_string(i), trained_.outputs[i], proved_.outputs[i]);
    }
  }

 private:
  void visit(const Node& node, const Node& twin) {
    const std::string at = where(proved_, twin);
    require_name(at + ", name", node.name, twin.name);
    require_equal(at + ", operator", node.domain + node.op_type, twin.domain + twin.op_type);
    if (node.attributes.entries() != twin.attributes.entries()) {
      fail_difference(at + ", attributes", "others", "the same");
    }
    match_inputs(at, node, twin);
    require_as_many(at + ", captured values", node.captures.size(), twin.captures.size());
    for (size_t i = 0; i < twin.captures.size(); ++i) {
      match(at + ", captured value", node.captures[i], twin.captures[i]);
    }
    require_as_many(at + ", outputs", node.outputs.size(), twin.outputs.size());
    for (size_t i = 0; i < twin.outputs.size(); ++i) {
      const std::string place = at + ", output " + std::to_string(i);
      if (both_left_out(place, node.outputs[i], twin.outputs[i])) continue;
      name_alike(place, node.outputs[i], twin.outputs[i]);
    }
  }

  void match_inputs(const std::string& at, const Node& node, const Node& twin) {
    for (size_t i = 0; i < std::max(node.inputs.size(), twin.inputs.size()); ++i) {
      const ValueId found = i < node.inputs.size() ? node.inputs[i] : kNoValue;
      const ValueId expected = i < twin.inputs.size() ? twin.inputs[i] : kNoValue;
      if (expected == kNoValue && is_new_bias(node, i)) continue;
      match(at + ", input " + std::to_string(i), found, expected);
    }
  }

  bool is_new_bias(const Node& node, size_t input) const {
    if (biases_ == NewBiases::none || input >= node.inputs.size()) return false;
    const auto layer = linear_layer_of(node);
    return layer && layer->bias == static_cast<int>(input) && moved_.contains(node.inputs[input]);
  }

  static bool both_left_out(const std::string& at, ValueId found, ValueId expected) {
    if (found == kNoValue && expected == kNoValue) return true;
    if (found == kNoValue || expected == kNoValue) {
      fail_difference(at, found == kNoValue ? "none" : "one",
                      expected == kNoValue ? "none" : "one");
    }
    return false;
  }

  void require_name(const std::string& at, const std::string& found,
                    const std::string& expected) const {
    if (names_.contains(found) || names_.contains(expected)) require_equal(at, found, expected);
  }

  // What a node computes or what is fed: the first place where it stands.
  void name_alike(const std::string& at, ValueId found, ValueId expected) {
    require_name(at, trained_.value(found).name, proved_.value(expected).name);
    partner_[expected] = found;
    taken_[found] = 1;
  }

  void match(const std::string& at, ValueId found, ValueId expected) {
    if (both_left_out(at, found, expected)) return;
    const bool met = partner_[expected] != kNoValue || taken_[found];
    if (!met && trained_.value(found).constant && proved_.value(expected).constant) {
      compare_constants(at, found, expected);
      partner_[expected] = found;
      taken_[found] = 1;
    }
    if (partner_[expected] == found) return;
    fail_difference(at, "'" + trained_.value(found).name + "'",
                    "'" + proved_.value(expected).name + "'");
  }

  void compare_constants(const std::string& at, ValueId found, ValueId expected) const {
    const Value &now = trained_.value(found), &then = proved_.value(expected);
    const std::string place = at + ", '" + then.name + "'";
    if (then.constant->rank() >= 2) require_name(at, now.name, then.name);
    require_equal(place, type_of(*now.constant), type_of(*then.constant));
    if (moved_.contains(found) || *now.constant == *then.constant) return;
    fail_difference(place, "other values", "the same: it isn't trained");
  }

  const Graph &trained_, &proved_;
  NewBiases biases_;
  std::set<std::string> names_;  // the original's
  std::set<ValueId> moved_;
  std::vector<ValueId> partner_;  // by value of `proved`
  std::vector<char> taken_;       // by value of `trained`: it is a partner
};

}  // namespace

void require_same_structure(Graph trained, Graph proved, const Graph& original, NewBiases biases) {
  // Equal vectors are merged in the one and may have been trained apart in the other.
  separate_vectors(trained);
  separate_vectors(proved);
  Walk(trained, proved, original, biases).run();
}

}  // namespace coppice
