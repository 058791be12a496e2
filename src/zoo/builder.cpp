// The layers of the zoo as ONNX nodes, attributes written out as exporters do, so that what reads
// them needs no defaults. Shapes come from shape inference over all that is built so far: the zoo's
// deepest net has some 200 nodes, so asking anew for each layer takes milliseconds in all.

#include "zoo/builder.h"

#include <algorithm>
#include <utility>

#include "graph/infer.h"

namespace coppice {
namespace {

using Ints = std::vector<int64_t>;

Dims with_open_batch(const Shape& rest) {
  Dims dims{{.size = -1, .symbol = "N"}};
  for (const int64_t size : rest) dims.push_back({.size = size, .symbol = ""});
  return dims;
}

Attributes window(int64_t kernel, int64_t stride, int64_t padding) {
  return {
      {"kernel_shape", Ints(2, kernel)}, {"pads", Ints(4, padding)}, {"strides", Ints(2, stride)}};
}

}  // namespace

Builder::Builder(std::string name, uint64_t seed, Initialisation initialisation)
    : seed_(seed), initialisation_(initialisation) {
  graph_.name = std::move(name);
}

ValueId Builder::input(const Shape& shape) {
  const ValueId id = add_value(graph_, "input", DType::f32);
  graph_.value(id).declared = with_open_batch(shape);
  graph_.inputs.push_back(id);
  return id;
}

ValueId Builder::conv(const std::string& name, ValueId x, int64_t filters,
                      const ConvOptions& options) {
  const Shape shape{filters, channels(x) / options.groups, options.kernel, options.kernel};
  std::vector<ValueId> inputs{x, weight(name + ".weight", shape, initialisation_.conv)};
  if (options.bias == Bias::zero) inputs.push_back(filled(name + ".bias", filters, 0));
  Attributes attributes = window(options.kernel, options.stride, options.padding);
  attributes.set("dilations", Ints{1, 1});
  attributes.set("group", options.groups);
  return node("Conv", name, std::move(inputs), std::move(attributes));
}

ValueId Builder::batch_norm(const std::string& name, ValueId x) {
  const int64_t count = channels(x);
  const ValueId scale = filled(name + ".weight", count, initialisation_.norm_scale);
  const ValueId shift = filled(name + ".bias", count, 0);
  const ValueId mean = filled(name + ".running_mean", count, 0);
  const ValueId variance = filled(name + ".running_var", count, 1);
  return node("BatchNormalization", name, {x, scale, shift, mean, variance},
              {{"epsilon", 1e-5f}, {"momentum", 0.9f}});
}

ValueId Builder::linear(const std::string& name, ValueId x, int64_t features) {
  const ValueId w = weight(name + ".weight", {features, channels(x)}, initialisation_.linear);
  const ValueId bias = filled(name + ".bias", features, 0);
  return node("Gemm", name, {x, w, bias},
              {{"alpha", 1.0f}, {"beta", 1.0f}, {"transB", int64_t{1}}});
}

ValueId Builder::relu(const std::string& name, ValueId x) { return node("Relu", name, {x}); }

ValueId Builder::relu6(const std::string& name, ValueId x) {
  if (six_[0] == kNoValue) {
    six_[0] = constant("relu6.min", Tensor::scalar(0));
    six_[1] = constant("relu6.max", Tensor::scalar(6));
  }
  return node("Clip", name, {x, six_[0], six_[1]});
}

ValueId Builder::max_pool(const std::string& name, ValueId x, int64_t kernel) {
  return node("MaxPool", name, {x}, window(kernel, kernel, 0));
}

ValueId Builder::average_pool(const std::string& name, ValueId x, int64_t kernel) {
  return node("AveragePool", name, {x}, window(kernel, kernel, 0));
}

ValueId Builder::global_average_pool(const std::string& name, ValueId x) {
  return node("GlobalAveragePool", name, {x});
}

ValueId Builder::flatten(const std::string& name, ValueId x) {
  return node("Flatten", name, {x}, {{"axis", int64_t{1}}});
}

ValueId Builder::add(const std::string& name, ValueId a, ValueId b) {
  return node("Add", name, {a, b});
}

ValueId Builder::node(const std::string& op_type, const std::string& name,
                      std::vector<ValueId> inputs, Attributes attributes) {
  const ValueId output = add_value(graph_, name, DType::f32);
  add_node(graph_, op_type, std::move(inputs), {output}, std::move(attributes), name);
  return output;
}

ValueId Builder::constant(const std::string& name, Tensor value) {
  return add_constant(graph_, name, std::move(value));
}

Shape Builder::shape(ValueId x) const { return infer(graph_, {}).shape(x); }

Graph Builder::finish(ValueId x) {
  const Shape logits = shape(x);
  Value& output = graph_.value(x);
  output.name = "output";
  output.declared = with_open_batch({logits.begin() + 1, logits.end()});
  graph_.outputs = {x};
  set_initialisation(graph_, initialisation_);
  return std::move(graph_);
}

ValueId Builder::weight(const std::string& name, const Shape& shape, Initialise initialise) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  Random random = Random::stream(seed_, {parameters_++});
  initialise(random, fans_of(shape), tensor.mutate<float>());
  return constant(name, std::move(tensor));
}

ValueId Builder::filled(const std::string& name, int64_t count, float value) {
  ++parameters_;
  Tensor tensor = Tensor::zeros(DType::f32, {count});
  std::ranges::fill(tensor.mutate<float>(), value);
  return constant(name, std::move(tensor));
}

}  // namespace coppice
