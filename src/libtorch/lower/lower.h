// How one operator is computed by LibTorch, so that gradients flow through it.
//
// A lowering reads a node's attributes and sizes once and gives the step that computes it: a
// function from the values that are there to the node's outputs. Shapes are bound (the program is
// compiled for one batch size), and whatever inference knows (shape arithmetic) never becomes a
// step. Anything an operator can be asked that its lowering doesn't do is an Error::input that
// names the node.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/infer.h"

namespace coppice::train {

enum class Mode { training, evaluation };

// Channels of BatchNormalization, by the name of its scale, that its running statistics normalise
// while it trains, too, and that leave those as they are (TrainingSetup::still).
using StillChannels = std::map<std::string, std::vector<int64_t>>;

// By ValueId; undefined where nothing is there (yet, or any more).
using Values = std::vector<at::Tensor>;
using Step = std::function<void(Values& values, Mode mode)>;

class LowerContext {
 public:
  // `overwritable`: by ValueId, whether a step may write over the value: nobody else reads it, and
  // no gradient needs it.
  LowerContext(const Graph& graph, const Inferred& inferred, const std::vector<char>& overwritable,
               const StillChannels& still)
      : graph_(graph), inferred_(inferred), overwritable_(overwritable), still_(still) {}

  void set_node(const Node& node) { node_ = &node; }
  const Graph& graph() const { return graph_; }
  const Node& node() const { return *node_; }
  const Attributes& attributes() const { return node_->attributes; }

  int inputs() const { return static_cast<int>(node_->inputs.size()); }
  bool has(int input) const;
  ValueId in(int input) const { return node_->inputs[input]; }
  ValueId out(int output = 0) const { return node_->outputs[output]; }
  const Shape& shape(int input) const { return inferred_.shape(in(input)); }
  const Shape& output_shape(int output = 0) const { return inferred_.shape(out(output)); }
  DType dtype(int input) const { return inferred_.types[in(input)]->dtype; }
  int64_t rank(int input) const { return static_cast<int64_t>(shape(input).size()); }
  // The value of an input that decides how the node computes (axes, pads, bounds); null where the
  // node has no such input. Throws Error::input where it is there but not known.
  const Tensor* known(int input) const;
  std::vector<int64_t> still_channels(int scale) const;
  bool may_overwrite(int input) const { return overwritable_[in(input)] != 0; }

  // Throws Error::input: "node 'x' (Conv): can't be trained: message".
  [[noreturn]] void fail(const std::string& message) const;

 private:
  const Graph& graph_;
  const Inferred& inferred_;
  const std::vector<char>& overwritable_;
  const StillChannels& still_;
  const Node* node_ = nullptr;
};

using Lower = Step (*)(const LowerContext& context);

// Null for an operator that can't be trained.
Lower find_lower(const Node& node);
// Whether its output is fresh memory that its own gradient doesn't look at again.
bool forgets_output(const Node& node);
// Throws Error::input that names the node and says what to do, unless it has a lowering and all of
// its attributes are honoured.
void require_trainable(const Graph& graph, const Node& node);

// A BatchNormalization and what follows it where nobody else reads what is in between: computed in
// one (fused/norm.h).
struct NormChain {
  ValueId other = kNoValue;  // what is added, of the same shape
  bool rectifies = false;    // a Relu ends it
  ValueId output;            // of the last node
};
// `context`: at the BatchNormalization.
Step lower_norm_chain(const LowerContext& context, const NormChain& chain);

// By its last node, what is computed in one with it: the nodes, the BatchNormalization first.
struct NodesOfChain {
  std::vector<size_t> nodes;
  NormChain chain;
};
// `runs`: by node; `reads`: by value, how often nodes that run and the caller read it.
std::map<size_t, NodesOfChain> find_norm_chains(const Graph& graph, const Inferred& inferred,
                                                const std::vector<char>& runs,
                                                const std::vector<int32_t>& reads);

}  // namespace coppice::train
