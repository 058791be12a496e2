// BatchNormalization, Relu; and BatchNormalization, Add, Relu: a residual block's end.
#include <optional>

#include "graph/is_onnx.h"
#include "graph/views/batch_norm.h"
#include "libtorch/lower/lower.h"

namespace coppice::train {
namespace {

class Finder {
 public:
  Finder(const Graph& graph, const Inferred& inferred, const std::vector<char>& runs,
         const std::vector<int32_t>& reads)
      : graph_(graph), inferred_(inferred), reads_(reads), reader_(graph.values.size()) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      if (!runs[n]) continue;
      for (const ValueId id : graph.nodes[n].inputs) {
        if (id != kNoValue) reader_[id] = n;
      }
    }
  }

  // None where no more than the BatchNormalization itself would be.
  std::optional<NodesOfChain> from(size_t norm) const {
    NodesOfChain found{{norm}, {.output = graph_.nodes[norm].outputs[0]}};
    std::optional<size_t> next = only_reader(found.chain.output, "Relu");
    if (!next) {
      const auto add = only_reader(found.chain.output, "Add");
      if (!add || !adds_alike(graph_.nodes[*add])) return std::nullopt;
      const Node& sum = graph_.nodes[*add];
      found.chain.other = sum.inputs[sum.inputs[0] == found.chain.output ? 1 : 0];
      found.nodes.push_back(*add);
      next = only_reader(sum.outputs[0], "Relu");
    }
    if (!next) return std::nullopt;
    found.nodes.push_back(*next);
    found.chain.rectifies = true;
    found.chain.output = graph_.nodes[*next].outputs[0];
    return found;
  }

 private:
  std::optional<size_t> only_reader(ValueId value, const char* type) const {
    if (reads_[value] != 1 || !reader_[value]) return std::nullopt;
    const Node& node = graph_.nodes[*reader_[value]];
    return is_onnx(node) && node.op_type == type ? reader_[value] : std::nullopt;
  }
  bool adds_alike(const Node& add) const {
    const auto shape = [&](ValueId id) { return inferred_.shape(id); };
    return inferred_.has(add.outputs[0]) && inferred_.has(add.inputs[0]) &&
           inferred_.has(add.inputs[1]) && shape(add.inputs[0]) == shape(add.outputs[0]) &&
           shape(add.inputs[1]) == shape(add.outputs[0]);
  }

  const Graph& graph_;
  const Inferred& inferred_;
  const std::vector<int32_t>& reads_;
  std::vector<std::optional<size_t>> reader_;  // by value, of those that run
};

}  // namespace

std::map<size_t, NodesOfChain> find_norm_chains(const Graph& graph, const Inferred& inferred,
                                                const std::vector<char>& runs,
                                                const std::vector<int32_t>& reads) {
  const Finder finder(graph, inferred, runs, reads);
  std::map<size_t, NodesOfChain> chains;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!runs[n] || !is_batch_norm_at_inference(graph.nodes[n])) continue;
    // Of two that are added, the first takes the sum.
    if (auto chain = finder.from(n)) chains.emplace(chain->nodes.back(), std::move(*chain));
  }
  return chains;
}

}  // namespace coppice::train
