// See pruning_net.h. The generating layers of a weight W are the constants W/hidden, W/hidden_bias,
// W/all and W/all_bias of the net.
#include "methods/search/pruning_net.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/random.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

constexpr char kShares[] = "kept_shares", kUnits[] = "kept_units";
constexpr uint64_t kNetStream = 0x6d657461;  // "meta": no other stream of the seed is like it
constexpr std::array<const char*, 4> kParts = {"/hidden", "/hidden_bias", "/all", "/all_bias"};

// The groups of the units on the weight's axes, ascending.
std::vector<int64_t> groups_on(const Groups& groups, ValueId weight) {
  std::set<int64_t> found;
  for (const int32_t axis : groups.axes[weight]) {
    if (axis < 0) continue;
    for (const int32_t unit : groups.axis_pool[axis].units) {
      found.insert(static_cast<int64_t>(group_of(groups, unit)));
    }
  }
  return {found.begin(), found.end()};
}

bool has_units(const Groups& groups, ValueId value, int64_t axis) {
  const int32_t at = groups.axes[value][axis];
  return at >= 0 && !groups.axis_pool[at].units.empty();
}

// Whether the widths decide the weights of the node: every convolution's that cuts reach, and those
// of products whose outputs they reach. Nothing where it has none of its own.
std::optional<ValueId> generated_weight(const Traced& traced, const Node& node) {
  const auto layer = linear_layer_of(node);
  if (!layer) return std::nullopt;
  const ValueId weight = node.inputs[layer->weight];
  const auto& constant = traced.graph().value(weight).constant;
  if (!constant || constant->dtype() != DType::f32) return std::nullopt;
  const Groups& groups = traced.groups();
  const int64_t outputs = from_the_front(layer->outputs, constant->rank());
  const bool decided =
      layer->convolves() ? !groups_on(groups, weight).empty() : has_units(groups, weight, outputs);
  return decided ? std::optional(weight) : std::nullopt;
}

std::vector<ValueId> generated_weights(const Traced& traced) {
  std::vector<ValueId> weights;
  for (const Node& node : traced.graph().nodes) {
    const auto weight = generated_weight(traced, node);
    if (weight && std::ranges::count(weights, *weight) == 0) weights.push_back(*weight);
  }
  return weights;
}

class Builder {
 public:
  Builder(const Traced& traced, const PruningNetOptions& options)
      : traced_(traced),
        groups_(traced.groups()),
        options_(options),
        graph_(traced.graph()),
        names_(graph_) {}

  PruningNet build() {
    shares_ = input(kShares, {1, std::ssize(groups_.free)});
    units_ = input(kUnits, {groups_.unit_count + 1});
    for (const ValueId weight : generated_weights(traced_)) generate(weight);
    if (generated_.empty()) fail_target("no layer loses channels whose weights could be generated");
    fix_batch_norms();
    mask_the_rest();
    rewire();
    graph_.nodes.insert(graph_.nodes.begin(), added_.begin(), added_.end());
    sort_nodes(graph_);
    return {std::move(graph_), std::move(frozen_)};
  }

 private:
  ValueId input(const char* name, const Shape& shape) {
    if (names_.find(name)) fail_input(std::string("the model has a value '") + name + "' already");
    const ValueId id = add_value(graph_, names_.unused(name), DType::f32);
    Dims dims;
    for (const int64_t size : shape) dims.push_back({.size = size, .symbol = ""});
    graph_.value(id).declared = dims;
    graph_.inputs.push_back(id);
    return id;
  }

  ValueId constant(const std::string& stem, Tensor tensor) {
    return add_constant(graph_, names_.unused(stem), std::move(tensor));
  }

  ValueId node(const char* type, std::vector<ValueId> inputs, const std::string& stem,
               Attributes attributes = {}) {
    const ValueId output = add_value(graph_, names_.unused(stem), DType::f32);
    Node& made = add_node(graph_, type, std::move(inputs), {output}, std::move(attributes),
                          graph_.value(output).name);
    added_.push_back(std::move(made));
    graph_.nodes.pop_back();
    return output;
  }

  // As PyTorch draws a Linear's: uniform within 1 / sqrt(inputs).
  ValueId drawn(const std::string& name, Shape shape, int64_t inputs) {
    Tensor tensor = Tensor::zeros(DType::f32, std::move(shape));
    Random random = Random::stream(options_.seed, {kNetStream, drawn_++});
    const float bound = 1 / std::sqrt(static_cast<float>(inputs));
    random.fill_uniform(tensor.mutate<float>(), -bound, bound);
    return constant(name, std::move(tensor));
  }

  ValueId linear(ValueId x, const std::string& name, int64_t inputs, int64_t outputs) {
    const ValueId weight = drawn(name, {outputs, inputs}, inputs);
    const ValueId bias = drawn(name + "_bias", {outputs}, inputs);
    Attributes transposed;
    transposed.set("transB", int64_t{1});
    return node("Gemm", {x, weight, bias}, name + "_given", transposed);
  }

  void generate(ValueId weight) {
    const std::string name = graph_.value(weight).name;
    const Shape shape = graph_.value(weight).constant->shape();
    const std::vector<int64_t> groups = groups_on(groups_, weight);
    Attributes by_column;
    by_column.set("axis", int64_t{1});
    const ValueId encoding =
        node("Gather", {shares_, constant(name + "/groups", Tensor::vector(groups))},
             name + "/encoding", by_column);
    const ValueId hidden =
        node("Relu", {linear(encoding, name + kParts[0], std::ssize(groups), options_.hidden)},
             name + "/hidden_active");
    const ValueId all = linear(hidden, name + kParts[2], options_.hidden, element_count(shape));
    const ValueId shaped =
        node("Reshape", {all, constant(name + "/shape", Tensor::vector(shape))}, name + "/shaped");
    generated_[weight] = masked(shaped, weight, shape);
  }

  // Times 0 where an index of one of its axes leaves.
  ValueId masked(ValueId value, ValueId of, const Shape& shape) {
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (!has_units(groups_, of, static_cast<int64_t>(axis))) continue;
      for (const ValueId mask : masks_of(groups_.axes[of][axis], axis, shape.size())) {
        value = node("Mul", {value, mask}, graph_.value(of).name + "/masked");
      }
    }
    return value;
  }

  // One for each unit that an index may have: an index leaves when any of its units does.
  const std::vector<ValueId>& masks_of(int32_t pooled, size_t axis, size_t rank) {
    const auto [found, is_new] =
        masks_.try_emplace(std::array<size_t, 3>{static_cast<size_t>(pooled), axis, rank});
    if (!is_new) return found->second;
    const AxisUnits& units = groups_.axis_pool[pooled];
    const auto indices = std::ssize(units.offsets) - 1;
    int32_t most = 0;
    for (int64_t i = 0; i < indices; ++i) {
      most = std::max(most, units.offsets[i + 1] - units.offsets[i]);
    }
    Shape shape(rank, 1);
    shape[axis] = indices;
    for (int32_t k = 0; k < most; ++k) {
      std::vector<int64_t> which;
      for (int64_t i = 0; i < indices; ++i) {
        const int32_t at = units.offsets[i] + k;
        which.push_back(at < units.offsets[i + 1] ? units.units[at] : groups_.unit_count);
      }
      const std::string stem = "mask_" + std::to_string(pooled);
      const ValueId picked =
          node("Gather", {units_, constant(stem + "/units", Tensor::vector(which))}, stem);
      found->second.push_back(
          node("Reshape", {picked, constant(stem + "/shape", Tensor::vector(shape))}, stem));
    }
    return found->second;
  }

  void fix_batch_norms() {
    for (const Node& norm : traced_.graph().nodes) {
      if (!is_batch_norm_at_inference(norm) || norm.inputs.size() < 5) continue;
      for (size_t i = 1; i < norm.inputs.size(); ++i) {
        of_norms_.insert(norm.inputs[i]);
        Value& value = graph_.value(norm.inputs[i]);
        if (!value.constant || value.constant->dtype() != DType::f32) continue;
        const bool one = i == 1 || i == 4;
        Tensor tensor = Tensor::zeros(DType::f32, value.constant->shape());
        std::ranges::fill(tensor.mutate<float>(), one ? 1.0f : 0.0f);
        value.constant = std::move(tensor);
        if (i < 3) frozen_.insert(value.name);
      }
    }
  }

  // Biases, and weights of layers that keep their own.
  void mask_the_rest() {
    for (const Group& group : groups_.free) {
      for (const Slice& slice : group.slices) {
        const Value& value = graph_.value(slice.tensor);
        const bool is_own = value.constant && value.constant->dtype() == DType::f32 &&
                            !of_norms_.contains(slice.tensor);
        if (!is_own || generated_.contains(slice.tensor)) continue;
        const Shape shape = value.constant->shape();
        generated_[slice.tensor] = masked(slice.tensor, slice.tensor, shape);
      }
    }
  }

  void rewire() {
    for (Node& reader : graph_.nodes) {
      for (ValueId& input : reader.inputs) {
        const auto found = generated_.find(input);
        if (found != generated_.end()) input = found->second;
      }
    }
    for (const auto& [tensor, given] : generated_) {
      const bool read = std::ranges::any_of(
          added_, [&](const Node& node) { return std::ranges::count(node.inputs, tensor) > 0; });
      if (!read) graph_.value(tensor).constant.reset();
    }
  }

  const Traced& traced_;
  const Groups& groups_;
  PruningNetOptions options_;
  Graph graph_;
  ValueNames names_;
  ValueId shares_ = kNoValue, units_ = kNoValue;
  std::vector<Node> added_;
  std::map<ValueId, ValueId> generated_;                         // what stands for a constant
  std::map<std::array<size_t, 3>, std::vector<ValueId>> masks_;  // by axis pool, axis, rank
  std::set<ValueId> of_norms_;
  std::set<std::string> frozen_;
  uint64_t drawn_ = 0;
};

std::vector<float> shares_of(const Groups& groups, const Widths& widths) {
  std::vector<float> shares;
  for (size_t g = 0; g < widths.size(); ++g) {
    shares.push_back(static_cast<float>(widths[g]) / static_cast<float>(groups.free[g].units()));
  }
  return shares;
}

// W x + b.
std::vector<float> applied(const Tensor& weight, const Tensor& bias, std::span<const float> x) {
  const std::span<const float> w = weight.as<float>(), b = bias.as<float>();
  std::vector<float> y(b.begin(), b.end());
  for (size_t row = 0; row < y.size(); ++row) {
    for (size_t i = 0; i < x.size(); ++i) y[row] += w[row * x.size() + i] * x[i];
  }
  return y;
}

}  // namespace

PruningNet pruning_net_of(const Traced& traced, const PruningNetOptions& options) {
  return Builder(traced, options).build();
}

NamedTensors feeds_for(const Groups& groups, const Widths& widths) {
  Tensor shares = Tensor::of<float>({1, std::ssize(widths)}, shares_of(groups, widths));
  std::vector<float> units(groups.unit_count + 1, 1);
  for (size_t g = 0; g < widths.size(); ++g) {
    const Group& group = groups.free[g];
    std::fill(units.begin() + group.first_unit + widths[g],
              units.begin() + group.first_unit + group.units(), 0.0f);
  }
  return {{kShares, std::move(shares)}, {kUnits, Tensor::of<float>({std::ssize(units)}, units)}};
}

Traced generated(const Traced& traced, const Graph& net, const Widths& widths) {
  const Groups& groups = traced.groups();
  const ValueNames of_net(net);
  Graph graph = traced.graph();
  const auto trained = [&](const std::string& name) -> const Tensor& {
    const auto id = of_net.find(name);
    COPPICE_CHECK(id && net.value(*id).constant, "no PruningNet: it lacks '" + name + "'");
    return *net.value(*id).constant;
  };
  const std::vector<ValueId> weights = generated_weights(traced);
  for (Value& value : graph.values) {
    if (!value.constant || value.constant->dtype() != DType::f32) continue;
    const auto id = of_net.find(value.name);
    if (id && net.value(*id).constant) value.constant = net.value(*id).constant;
  }
  const std::vector<float> shares = shares_of(groups, widths);
  for (const ValueId weight : weights) {
    Value& value = graph.value(weight);
    std::vector<float> encoding;
    for (const int64_t g : groups_on(groups, weight)) encoding.push_back(shares[g]);
    std::vector<float> hidden =
        applied(trained(value.name + kParts[0]), trained(value.name + kParts[1]), encoding);
    for (float& x : hidden) x = std::max(x, 0.0f);
    const std::vector<float> all =
        applied(trained(value.name + kParts[2]), trained(value.name + kParts[3]), hidden);
    value.constant = Tensor::of<float>(traced.graph().value(weight).constant->shape(), all);
  }
  return Traced(std::move(graph), traced.found());
}

Scores in_order(const Groups& groups) {
  Scores scores{std::vector<float>(groups.unit_count, 0), std::vector<char>(groups.free.size(), 0)};
  for (const Group& group : groups.free) {
    for (int64_t i = 0; i < group.units(); ++i) {
      scores.units[group.first_unit + i] = static_cast<float>(group.units() - i);
    }
  }
  return scores;
}

}  // namespace coppice
