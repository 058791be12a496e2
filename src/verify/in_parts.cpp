// See in_parts.h. Parts are runs of the graph's nodes in its order.
#include "verify/in_parts.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/machine/spare_memory.h"
#include "graph/op.h"
#include "graph/prefix.h"
#include "runtime/executable.h"

namespace coppice {
namespace {

class Parts {
 public:
  Parts(const Graph& graph, const Inferred& inferred, int64_t floats_of_part)
      : graph_(graph),
        inferred_(inferred),
        fixed_(graph.values.size(), 0),
        maker_(graph.values.size(), -1),
        last_read_(graph.values.size(), -1) {
    find_fixed();
    divide(floats_of_part);
    find_last_reads();
  }

  size_t count() const { return parts_.size(); }

  // What part p reads of those before, and of the graph's inputs, is fed to it; it gives what later
  // ones read of it, and the graph's outputs.
  Graph part(size_t p) const {
    Graph part = graph_;
    part.nodes.clear();
    part.inputs.clear();
    part.outputs.clear();
    part.folded.clear();
    part.calls.clear();
    std::vector<char> wanted(graph_.values.size(), 0), here(graph_.values.size(), 0);
    std::vector<char> taken(graph_.nodes.size(), 0);
    for (const int32_t n : parts_[p]) take(n, taken);
    for (size_t n = 0; n < taken.size(); ++n) {
      if (!taken[n]) continue;
      part.nodes.push_back(graph_.nodes[n]);
      for_each_given(graph_.nodes[n], [&](ValueId id) { here[id] = 1; });
    }
    for (const Node& node : part.nodes) {
      for_each_read(node, [&](ValueId id) {
        if (part.value(id).constant || here[id] || wanted[id]) return;
        wanted[id] = 1;
        if (inferred_.known[id]) {
          part.value(id).constant = *inferred_.known[id];
        } else {
          feed(part, id, *inferred_.types[id]);
        }
      });
    }
    for (const int32_t n : parts_[p]) {
      for_each_given(graph_.nodes[n], [&](ValueId id) {
        if (last_read_[id] > static_cast<int64_t>(p)) part.outputs.push_back(id);
      });
    }
    return part;
  }

  // Whether nothing behind part p reads the value.
  bool done(ValueId id, size_t p) const { return last_read_[id] <= static_cast<int64_t>(p); }

 private:
  template <typename Visit>
  static void for_each_read(const Node& node, Visit visit) {
    for (const auto* ids : {&node.inputs, &node.captures}) {
      for (const ValueId id : *ids) {
        if (id != kNoValue) visit(id);
      }
    }
  }
  template <typename Visit>
  static void for_each_given(const Node& node, Visit visit) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) visit(id);
    }
  }

  // Constants, and what is computed from them alone.
  void find_fixed() {
    std::vector<char> is_output(graph_.values.size(), 0);
    for (const ValueId id : graph_.outputs) is_output[id] = 1;
    for (size_t i = 0; i < fixed_.size(); ++i) fixed_[i] = graph_.values[i].constant.has_value();
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      bool all = !node.inputs.empty() && node.captures.empty();
      for_each_read(node, [&](ValueId id) { all = all && fixed_[id]; });
      for_each_given(node, [&](ValueId id) {
        maker_[id] = static_cast<int32_t>(n);
        all = all && !is_output[id];
      });
      if (all) for_each_given(node, [&](ValueId id) { fixed_[id] = 1; });
    }
  }

  bool is_fixed(const Node& node) const {
    return std::ranges::all_of(node.outputs,
                               [&](ValueId id) { return id == kNoValue || fixed_[id] != 0; });
  }

  int64_t floats_of(const Node& node) const {
    int64_t floats = 0;
    for_each_read(node, [&](ValueId id) {
      if (fixed_[id] && inferred_.has(id)) floats += element_count(inferred_.shape(id));
    });
    return floats;
  }

  void divide(int64_t floats_of_part) {
    parts_.emplace_back();
    int64_t floats = 0;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (is_fixed(node)) continue;
      if (floats >= floats_of_part && node.op && node.op->macs) {
        parts_.emplace_back();
        floats = 0;
      }
      parts_.back().push_back(static_cast<int32_t>(n));
      floats += floats_of(node);
    }
  }

  void find_last_reads() {
    for (size_t p = 0; p < parts_.size(); ++p) {
      for (const int32_t n : parts_[p]) {
        for_each_read(graph_.nodes[n],
                      [&](ValueId id) { last_read_[id] = static_cast<int64_t>(p); });
      }
    }
    for (const ValueId id : graph_.outputs) last_read_[id] = std::ssize(parts_);
  }

  // Node n, and what computes its weights.
  void take(int32_t n, std::vector<char>& taken) const {
    if (taken[n]) return;
    taken[n] = 1;
    for_each_read(graph_.nodes[n], [&](ValueId id) {
      if (fixed_[id] && maker_[id] >= 0) take(maker_[id], taken);
    });
  }

  const Graph& graph_;
  const Inferred& inferred_;
  std::vector<char> fixed_;                  // by ValueId
  std::vector<int32_t> maker_;               // by ValueId: the node that gives it; -1 for none
  std::vector<int64_t> last_read_;           // by ValueId: a part; the number of them for outputs
  std::vector<std::vector<int32_t>> parts_;  // nodes that aren't fixed
};

using Values = std::unordered_map<ValueId, Tensor>;

const Tensor& value_of(const Graph& graph, const Values& values, ValueId id) {
  const auto found = values.find(id);
  if (found != values.end()) return found->second;
  COPPICE_CHECK(graph.value(id).constant, "a value that no part gave");
  return *graph.value(id).constant;
}

void run_part(const Graph& part, const Inferred& inferred, std::vector<Values>& sets) {
  Executable executable = compile_inferred(part, inferred);
  for (Values& values : sets) {
    std::vector<Tensor> inputs;
    for (const ValueId id : part.inputs) inputs.push_back(value_of(part, values, id));
    std::vector<Tensor> outputs = executable.run(inputs);
    for (size_t o = 0; o < outputs.size(); ++o) {
      values.insert_or_assign(part.outputs[o], std::move(outputs[o]));
    }
  }
}

}  // namespace

std::vector<std::vector<Tensor>> run_in_parts(const Graph& graph, const Inferred& inferred,
                                              const std::vector<std::vector<Tensor>>& sets,
                                              int64_t floats_of_part) {
  std::vector<Values> values(sets.size());
  for (size_t s = 0; s < sets.size(); ++s) {
    COPPICE_CHECK(sets[s].size() == graph.inputs.size(), "another number of inputs");
    for (size_t i = 0; i < sets[s].size(); ++i) values[s].emplace(graph.inputs[i], sets[s][i]);
  }
  const Parts parts(graph, inferred, floats_of_part);
  for (size_t p = 0; p < parts.count(); ++p) {
    if (parts.count() > 1) give_back_spare_memory();
    const Graph part = parts.part(p);
    if (!part.outputs.empty()) run_part(part, inferred, values);
    for (Values& set : values) {
      std::erase_if(set, [&](const auto& value) { return parts.done(value.first, p); });
    }
  }
  std::vector<std::vector<Tensor>> outputs(sets.size());
  for (size_t s = 0; s < sets.size(); ++s) {
    for (const ValueId id : graph.outputs) {
      outputs[s].push_back(value_of(graph, values[s], id));
    }
  }
  return outputs;
}

}  // namespace coppice
