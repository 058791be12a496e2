// See estimate.h.
#include "prune/runtimes/estimate.h"

#include <algorithm>

#include "graph/cost.h"
#include "graph/fitted.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

int64_t rounded_up(int64_t width, int64_t multiple) {
  return (width + multiple - 1) / multiple * multiple;
}

// Channels that a convolution reads and gives within each of its groups.
struct Convolution {
  int64_t groups, in, out, window;

  Convolution(const LinearLayer& layer, const Shape& weight)
      : groups(layer.groups), in(weight[layer.inputs]), out(weight[layer.outputs]), window(1) {
    const bool transposed = layer.kind == LinearLayer::Kind::transposed_convolution;
    (transposed ? in : out) /= groups;
    for (size_t axis = 2; axis < weight.size(); ++axis) window *= weight[axis];
  }
  bool depthwise() const { return groups > 1 && in == 1 && out == 1; }
};

class Estimator {
 public:
  Estimator(const Graph& graph, const Inferred& inferred, const Runtime& runtime)
      : graph_(graph),
        inferred_(inferred),
        runtime_(runtime),
        shapes_(shape_table(inferred)),
        fused_(graph.values.size(), 0) {}

  TimeEstimate estimate() {
    for (const Node& node : graph_.nodes) found_.ms += 1e-9 * picoseconds(node);
    return found_;
  }

 private:
  double picoseconds(const Node& node) {
    if (!known(node)) return 0;
    const auto layer = linear_layer_of(node);
    if (!layer) return beside_layers(node);
    for (const ValueId output : node.outputs) fused_[output] = 1;
    const auto macs = static_cast<double>(node_macs(node, shapes_));
    if (!layer->convolves() || !graph_.value(node.inputs[layer->weight]).constant) {
      return macs * runtime_.rates.matrix;
    }
    return macs * convolving(Convolution(*layer, inferred_.shape(node.inputs[layer->weight])));
  }

  // Whether all its shapes are.
  bool known(const Node& node) const {
    const auto has = [&](ValueId id) { return id == kNoValue || inferred_.has(id); };
    return std::ranges::all_of(node.inputs, has) && std::ranges::all_of(node.outputs, has);
  }

  // Of one multiply-accumulate, in picoseconds.
  double convolving(const Convolution& convolution) {
    const Runtime::Rates& rates = runtime_.rates;
    const auto off = [](int64_t width, int64_t multiple) { return width % multiple != 0; };
    const int64_t block = runtime_.block, lane = runtime_.lane;
    if (convolution.depthwise()) {
      const bool slow = off(convolution.groups, lane);
      found_.slow_layers += slow;
      return rates.depthwise * (slow ? runtime_.off_lane_depthwise : 1) *
             padding(convolution.groups, block);
    }
    if (convolution.groups > 1) {
      const bool slow = off(convolution.in, block) || off(convolution.out, block);
      found_.slow_layers += slow;
      const auto channels = static_cast<double>(std::min(convolution.in, convolution.out));
      return (rates.grouped + rates.lone / channels) * (slow ? runtime_.off_block_grouped : 1);
    }
    const double rate = convolution.window == 1 ? rates.pointwise : rates.dense;
    if (convolution.in >= block && off(convolution.in, lane)) {
      ++found_.slow_layers;
      return rate * runtime_.off_lane;
    }
    const double read = convolution.in < block ? 1 : padding(convolution.in, block);
    return rate * read * padding(convolution.out, block);
  }

  static double padding(int64_t width, int64_t block) {
    return static_cast<double>(rounded_up(width, block)) / static_cast<double>(width);
  }

  // What works by element or by channel right behind a layer is done with it, a sum with what else
  // it adds.
  double beside_layers(const Node& node) {
    if (!node.op || reads_only_shape(node) || node.op->moves == Moves::reshapes) return 0;
    std::vector<ValueId> read;
    for (const ValueId input : node.inputs) {
      if (input != kNoValue && !known_value(graph_, inferred_, input)) read.push_back(input);
    }
    if (read.empty()) return 0;
    const auto fused = std::ranges::find_if(read, [&](ValueId id) { return fused_[id] != 0; });
    const bool joins = read.size() == 1 ? node.op->reach != Reach::anywhere : is_sum(node);
    if (joins && fused != read.end()) {
      read.erase(fused);
      for (const ValueId output : node.outputs) {
        if (output != kNoValue) fused_[output] = 1;
      }
      return elements(read) * runtime_.rates.element;
    }
    return (elements(read) + elements(node.outputs)) * runtime_.rates.element;
  }

  double elements(const std::vector<ValueId>& values) const {
    double count = 0;
    for (const ValueId id : values) {
      if (id != kNoValue) count += static_cast<double>(element_count(inferred_.shape(id)));
    }
    return count;
  }

  const Graph& graph_;
  const Inferred& inferred_;
  const Runtime& runtime_;
  std::vector<Shape> shapes_;  // by ValueId, empty where unknown
  std::vector<char> fused_;    // by ValueId: given by a layer, or by what is done with it
  TimeEstimate found_;
};

}  // namespace

TimeEstimate estimated_time(const Graph& graph, const Inferred& inferred, const Runtime& runtime) {
  return Estimator(graph, inferred, runtime).estimate();
}

}  // namespace coppice
