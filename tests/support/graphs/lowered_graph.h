// For tests of lowerings, which link train: a text graph is lowered node by node and run in order,
// and every value is kept. expect_lowered.h judges what comes out.
//
// Differentiated are the graph's float inputs and the constants whose names begin with 'w'.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/random.h"
#include "libtorch/lower/lower.h"
#include "libtorch/tensors.h"
#include "libtorch/torch.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice::train {

enum class Layout { plain, channels_last };

class LoweredGraph {
 public:
  LoweredGraph(const std::string& text, int64_t batch = 2) : graph(parse_text_graph(text)) {
    Random random(7);
    for (const ValueId id : graph.inputs) inputs.push_back(random_input(id, batch, random));
    inferred = infer(graph, sizes_of(graph, inputs));
  }

  // Values that one node reads may be overwritten by it if their producer is one of `producers`.
  void overwrite_after(const std::vector<std::string>& producers) {
    const auto readers = consumers(graph);
    const auto by = coppice::producers(graph);
    for (size_t id = 0; id < graph.values.size(); ++id) {
      overwritable[id] = readers[id].size() == 1 && by[id] >= 0 &&
                         std::ranges::count(producers, graph.nodes[by[id]].op_type) > 0;
    }
  }

  // Inputs and constants; floats as `type`.
  Values leaves(at::ScalarType type, Layout layout = Layout::plain) const {
    Values values(graph.values.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      at::Tensor& value = values[graph.inputs[i]] = converted(inputs[i], type);
      if (layout == Layout::channels_last && value.dim() == 4) {
        value = value.contiguous(at::MemoryFormat::ChannelsLast);
      }
    }
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.inputs) {
        const Tensor* known = known_value(graph, inferred, id);
        if (known) values[id] = converted(*known, type);
      }
    }
    return values;
  }

  // All values; what inference knows and no weight takes part in is no step.
  Values run(Values values, Mode mode) const {
    const StillChannels none;
    LowerContext context(graph, inferred, overwritable, none);
    std::vector<char> trained(graph.values.size(), 0);
    for (const ValueId id : differentiated()) trained[id] = graph.value(id).constant.has_value();
    for (const Node& node : graph.nodes) {
      bool step = false;
      for (const ValueId id : node.inputs) step = step || (id != kNoValue && trained[id]);
      step = step && node.op_type != "Shape";
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        trained[id] = step;
        step = step || !known_value(graph, inferred, id);
      }
      if (!step) continue;
      require_trainable(graph, node);
      context.set_node(node);
      find_lower(node)(context)(values, mode);
    }
    return values;
  }

  std::vector<ValueId> differentiated() const {
    const auto readers = consumers(graph);
    std::vector<ValueId> ids;
    for (size_t id = 0; id < graph.values.size(); ++id) {
      const Value& value = graph.values[id];
      const bool input = std::ranges::count(graph.inputs, static_cast<ValueId>(id)) > 0;
      const bool weight = value.constant && value.name[0] == 'w' && !readers[id].empty();
      const bool floating = is_floating(input ? value.dtype : inferred_dtype(id));
      if ((input || weight) && floating) ids.push_back(static_cast<ValueId>(id));
    }
    return ids;
  }

  ValueId id(const std::string& name) const { return *find_value(graph, name); }

  Graph graph;
  std::vector<Tensor> inputs;
  Inferred inferred;
  std::vector<char> overwritable = std::vector<char>(graph.values.size(), 0);

 private:
  DType inferred_dtype(size_t id) const {
    return inferred.types[id] ? inferred.types[id]->dtype : DType::undefined;
  }

  static at::Tensor converted(const Tensor& tensor, at::ScalarType type) {
    const at::Tensor value = to_torch(tensor);
    return value.is_floating_point() ? value.to(type) : value;
  }

  // Integers are indices of either sign.
  Tensor random_input(ValueId id, int64_t batch, Random& random) const {
    Tensor tensor = Tensor::zeros(graph.value(id).dtype,
                                  input_shape(graph, id, {.inputs = {}, .batch = batch}));
    if (tensor.dtype() == DType::f32) random.fill_normal(tensor.mutate<float>(), 1);
    if (tensor.dtype() == DType::i64) {
      for (int64_t& element : tensor.mutate<int64_t>()) {
        element = static_cast<int64_t>(random.below(4)) - 2;
      }
    }
    return tensor;
  }
};

}  // namespace coppice::train
