// See trained_share.h.
#include "training/trained_share.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/op.h"
#include "graph/views/constants_behind.h"
#include "graph/views/only_reshapes.h"
#include "training/parameters.h"

namespace coppice {
namespace {

// By value: whether no image goes into it.
std::vector<char> made_of_constants(const Graph& graph) {
  std::vector<char> made(graph.values.size(), 0);
  for (size_t id = 0; id < made.size(); ++id) made[id] = graph.values[id].constant.has_value();
  for (const Node& node : graph.nodes) {
    const bool all =
        node.captures.empty() && !node.inputs.empty() &&
        std::ranges::all_of(node.inputs, [&](ValueId id) { return id == kNoValue || made[id]; });
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) made[id] = made[id] || all;
    }
  }
  return made;
}

class Counter {
 public:
  explicit Counter(const Graph& graph)
      : graph_(graph),
        inferred_(infer(graph)),
        producer_(producers(graph)),
        source_(constants_behind(graph)),
        made_(made_of_constants(graph)) {
    for (const Parameter& parameter : trained_parameters(graph)) {
      trained_.insert(parameter.id);
      share_.trained += graph.value(parameter.id).constant->size();
    }
    share_.all = share_.trained;
  }

  TrainedShare run() && {
    for (const Node& node : graph_.nodes) {
      for (int i = 0; i < std::ssize(node.inputs); ++i) visit(node, i);
    }
    return std::move(share_);
  }

 private:
  void visit(const Node& node, int input) {
    const auto kind = own_of_layer(node, input);
    const ValueId id = node.inputs[input];
    if (!kind || id == kNoValue || !made_[id]) return;
    if (reads_as(node, input) == Reads::table) return;
    const ValueId source = source_[id] == kNoValue ? id : source_[id];
    if (!seen_.insert(source).second) return;
    const bool trained = trained_.contains(source);
    const int64_t size = size_of(source);
    // A product with a plain vector is no layer (parameters.h).
    const bool matrix = *kind == Parameter::Kind::weight && rank_of(id) >= 2;
    if (!trained && (matrix || *kind != Parameter::Kind::weight)) share_.all += size;
    if (!matrix) return;
    share_.all_weights += size;
    if (trained) {
      share_.trained_weights += size;
    } else if (share_.first_untrained.empty()) {
      share_.first_untrained = where(graph_, node) + ": " + reason(source);
    }
  }

  int64_t rank_of(ValueId id) const {
    return inferred_.has(id) ? std::ssize(inferred_.shape(id)) : 0;
  }
  int64_t size_of(ValueId id) const {
    return inferred_.has(id) ? element_count(inferred_.shape(id)) : 0;
  }

  std::string reason(ValueId id) const {
    const auto& constant = graph_.value(id).constant;
    if (constant) {
      return "its weights are " + name_of(constant->dtype()) +
             ", only float32 is trained; export the model in float32";
    }
    int32_t n = producer_[id];
    while (n >= 0 && only_moves(graph_.nodes[n])) {
      n = producer_[graph_.nodes[n].inputs[0]];
    }
    if (n < 0) return "its weights are no constant of their own";
    const Node& node = graph_.nodes[n];
    return "its weights come out of " + where(graph_, node) +
           (reads_as(node, 0) == Reads::code
                ? "; train the model in float32, and quantise the result"
                : "; export the model with its weights computed");
  }

  const Graph& graph_;
  Inferred inferred_;
  std::vector<int32_t> producer_;
  std::vector<ValueId> source_;
  std::vector<char> made_;
  std::set<ValueId> trained_, seen_;
  TrainedShare share_;
};

}  // namespace

TrainedShare trained_share(const Graph& graph) { return Counter(graph).run(); }

void require_trained_weights(const TrainedShare& share) {
  if (2 * share.trained_weights >= share.all_weights) return;
  fail_input("only " + std::to_string(share.trained_weights) + " of " +
             std::to_string(share.all_weights) +
             " weights of the model's layers can be trained, expected half or more; " +
             share.first_untrained);
}

}  // namespace coppice
