// See program.h.
#include "libtorch/program.h"

#include <algorithm>

#include "core/error.h"
#include "graph/op.h"
#include "libtorch/tensors.h"
#include "training/parameters.h"

namespace coppice::train {
namespace {

// Inference folds small values, weights behind a Transpose among them; through what is folded no
// gradient passes, and statistics behind an Identity would be copies. What a trained constant or a
// statistic goes into is therefore forgotten, and becomes steps.
void forget_trained(const Graph& graph, Inferred& inferred) {
  std::vector<char> trained(graph.values.size(), 0);
  for (const Parameter& parameter : trained_parameters(graph)) trained[parameter.id] = 1;
  for (const ValueId id : running_statistics(graph)) trained[id] = 1;
  for (const Node& node : graph.nodes) {
    const bool reached =
        !reads_only_shape(node) &&
        std::ranges::any_of(node.inputs, [&](ValueId id) { return id != kNoValue && trained[id]; });
    for (const ValueId id : node.outputs) {
      if (id == kNoValue || !reached) continue;
      trained[id] = 1;
      inferred.known[id].reset();
    }
  }
}

// By node: whether any wanted value depends on it. Nodes all of whose outputs are known don't run.
std::vector<char> nodes_to_run(const Graph& graph, const Inferred& inferred,
                               const std::vector<ValueId>& wanted) {
  std::vector<char> needed(graph.values.size(), 0), runs(graph.nodes.size(), 0);
  for (const ValueId id : wanted) needed[id] = 1;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    runs[n] = std::ranges::any_of(node.outputs, [&](ValueId id) {
      return id != kNoValue && needed[id] && !known_value(graph, inferred, id);
    });
    if (!runs[n]) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) needed[id] = 1;
    }
  }
  return runs;
}

// By value: how often the running nodes read it; wanted ones are read once more.
std::vector<int32_t> count_reads(const Graph& graph, const std::vector<char>& runs,
                                 const std::vector<ValueId>& wanted) {
  std::vector<int32_t> reads(graph.values.size(), 0);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].inputs) reads[std::max(id, 0)] += runs[n] && id >= 0;
  }
  for (const ValueId id : wanted) ++reads[id];
  return reads;
}

// What inference knows is kept for the next run.
std::vector<char> overwritable_values(const Graph& graph, const Inferred& inferred,
                                      const std::vector<int32_t>& reads,
                                      const std::vector<ValueId>& wanted) {
  std::vector<char> overwritable(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    const ValueId id = node.outputs.empty() ? kNoValue : node.outputs[0];
    if (id == kNoValue || !forgets_output(node) || known_value(graph, inferred, id)) continue;
    overwritable[id] = reads[id] == 1;
  }
  for (const ValueId id : wanted) overwritable[id] = 0;
  return overwritable;
}

}  // namespace

Program::Program(const Graph& graph, const InputSizes& sizes, std::vector<ValueId> wanted,
                 at::Device device, Floats floats, const StillChannels& still)
    : inputs_(graph.inputs),
      wanted_(std::move(wanted)),
      inferred_(infer(graph, sizes)),
      device_(device),
      floats_(floats) {
  forget_trained(graph, inferred_);
  const std::vector<char> runs = nodes_to_run(graph, inferred_, wanted_);
  std::vector<int32_t> reads = count_reads(graph, runs, wanted_);
  const std::vector<char> overwritable = overwritable_values(graph, inferred_, reads, wanted_);
  std::vector<char> kept(graph.values.size(), 0);
  LowerContext context(graph, inferred_, overwritable, still);
  const auto chains = find_norm_chains(graph, inferred_, runs, reads);
  std::vector<char> in_chain(graph.nodes.size(), 0);  // all but the last of one
  for (const auto& [last, found] : chains) {
    for (const size_t n : found.nodes) in_chain[n] = n != last;
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!runs[n]) continue;
    const Node& node = graph.nodes[n];
    require_trainable(graph, node);
    for (const ValueId id : node.outputs) {
      if (id == kNoValue || inferred_.has(id)) continue;
      fail_input(where(graph, node) + ": can't be trained: the shape of its output '" +
                 graph.value(id).name + "' isn't known; give the model fixed shapes");
    }
    if (in_chain[n]) continue;
    const auto found = chains.find(n);
    const bool alone = found == chains.end();
    context.set_node(alone ? node : graph.nodes[found->second.nodes.front()]);
    Line line{
        alone ? find_lower(node)(context) : lower_norm_chain(context, found->second.chain), {}, {}};
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && floats_ == Floats::doubled) line.outputs.push_back(id);
    }
    for (const size_t member : alone ? std::vector<size_t>{n} : found->second.nodes) {
      for (const ValueId id : graph.nodes[member].inputs) {
        if (id == kNoValue) continue;
        if (known_value(graph, inferred_, id)) {
          if (!kept[id]) keep_known(graph, id);
          kept[id] = 1;
        } else if (--reads[id] == 0) {
          line.last_reads.push_back(id);
        }
      }
    }
    lines_.push_back(std::move(line));
  }
  for (const ValueId id : wanted_) {
    if (known_value(graph, inferred_, id) && !kept[id]) keep_known(graph, id);
    kept[id] = 1;
  }
}

void Program::keep_known(const Graph& graph, ValueId id) {
  if (graph.value(id).constant) return constants_read_.push_back(id);
  const at::Tensor known = to_torch(*known_value(graph, inferred_, id), device_);
  known_.emplace_back(id, floats_ == Floats::doubled ? in_double(known) : known);
}

std::vector<at::Tensor> Program::run(const Values& constants, const std::vector<at::Tensor>& inputs,
                                     Mode mode) const {
  Values values = constants;
  for (size_t i = 0; i < inputs.size(); ++i) values[inputs_[i]] = inputs[i];
  for (const auto& [id, tensor] : known_) values[id] = tensor;
  for (const Line& line : lines_) {
    line.step(values, mode);
    for (const ValueId id : line.outputs) values[id] = in_double(values[id]);
    for (const ValueId id : line.last_reads) values[id].reset();
  }
  std::vector<at::Tensor> results;
  for (const ValueId id : wanted_) results.push_back(values[id]);
  return results;
}

}  // namespace coppice::train
