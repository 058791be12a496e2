// For tests: small graphs in a few words, and the property that most tests here assert, that the
// compiled graph computes what the reference computes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "graph/graph.h"
#include "graph/infer.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "runtime/reference.h"

namespace coppice {

class TestNet {
 public:
  explicit TestNet(uint64_t seed, int64_t opset = 13) : random_(seed) { graph.opset = opset; }

  ValueId input(const Shape& shape, DType dtype = DType::f32) {
    const ValueId id = add_value(graph, name("input"), dtype);
    Dims dims;
    for (const int64_t size : shape) dims.push_back({size, ""});
    graph.value(id).declared = dims;
    graph.inputs.push_back(id);
    return id;
  }
  ValueId weight(const Shape& shape, float deviation = 1) {
    Tensor tensor = Tensor::zeros(DType::f32, shape);
    random_.fill_normal(tensor.mutate<float>(), deviation);
    return add_constant(graph, name("weight"), std::move(tensor));
  }
  ValueId positive(const Shape& shape) {
    Tensor tensor = Tensor::zeros(DType::f32, shape);
    random_.fill_uniform(tensor.mutate<float>(), 0.5f, 2);
    return add_constant(graph, name("positive"), std::move(tensor));
  }
  ValueId ints(const std::vector<int64_t>& values) {
    return add_constant(graph, name("ints"), Tensor::vector(values));
  }
  ValueId number(float value) { return add_constant(graph, name("number"), Tensor::scalar(value)); }
  ValueId add(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId id = add_value(graph, name("y"), DType::f32);
    add_node(graph, op, std::move(inputs), {id}, std::move(attributes), name(op));
    return id;
  }
  ValueId conv(ValueId x, int64_t filters, int64_t kernel, Attributes attributes = {}) {
    const Shape from = shape(x);
    const int64_t group = attributes.integer("group", 1);
    Shape weights{filters, from[1] / group};
    for (size_t axis = 2; axis < from.size(); ++axis) weights.push_back(kernel);
    // Variances near 1 all the way down a chain.
    const int64_t fan_in = element_count(weights) / filters;
    return add("Conv", {x, weight(weights, 1 / std::sqrt(static_cast<float>(fan_in)))},
               std::move(attributes));
  }
  ValueId same_conv(ValueId x, int64_t filters, int64_t kernel = 3) {
    return conv(x, filters, kernel, {{"auto_pad", std::string("SAME_UPPER")}});
  }
  ValueId batch_norm(ValueId x) {
    const Shape channels{shape(x)[1]};
    return add("BatchNormalization",
               {x, weight(channels), weight(channels), weight(channels), positive(channels)});
  }
  void output(ValueId id) { graph.outputs.push_back(id); }
  Shape shape(ValueId id) const { return infer(graph).shape(id); }

  Graph graph;

 private:
  std::string name(const std::string& stem) { return stem + std::to_string(count_++); }

  Random random_;
  int count_ = 0;
};

// Sums of up to a few thousand float32 products in another order differ by about the root of their
// number times 2^-24; measured on all tests here at most 3e-6 of the largest output.
inline constexpr double kOrderTolerance = 1e-5;

// The largest difference, as a share of the largest expected magnitude.
inline double relative_error(const Tensor& actual, const Tensor& expected) {
  double largest = 0, difference = 0;
  const auto a = actual.as<float>(), e = expected.as<float>();
  for (size_t i = 0; i < e.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(e[i])) return HUGE_VAL;
    largest = std::max<double>(largest, std::fabs(e[i]));
    difference = std::max<double>(difference, std::fabs(static_cast<double>(a[i]) - e[i]));
  }
  return difference == 0 ? 0 : difference / std::max(largest, 1e-30);
}

inline void expect_close(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected,
                         double tolerance = kOrderTolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t o = 0; o < expected.size(); ++o) {
    ASSERT_EQ(actual[o].shape(), expected[o].shape());
    if (expected[o].dtype() == DType::f32) {
      EXPECT_LE(relative_error(actual[o], expected[o]), tolerance) << "output " << o;
    } else {
      EXPECT_EQ(actual[o], expected[o]) << "output " << o;
    }
  }
}

enum class Fallbacks { none, allowed };

// Runs twice with different inputs, so that what one run leaves behind would show in the next. On
// one thread unless asked: OpenMP's threads wait for each other spinning, which takes a hundred
// times as long while other tests share the cores.
inline std::vector<LayerTime> expect_fast_equals_reference(const Graph& graph,
                                                           Fallbacks fallbacks = Fallbacks::none,
                                                           int threads = 1) {
  Target target;
  target.profile = Target::Profile::on;
  target.threads = threads;
  target.arena = Target::Arena::poisoned;
  Executable executable = compile(graph, {}, target);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  for (const uint64_t seed : {1, 2}) {
    const std::vector<Tensor> inputs = random_inputs(executable, seed);
    executable.run(inputs, outputs);
    expect_close(outputs, run_reference(graph, inputs));
  }
  for (const LayerTime& layer : executable.layer_times()) {
    if (fallbacks == Fallbacks::none) {
      EXPECT_EQ(layer.kind.find("(reference)"), std::string::npos) << layer.kind;
    }
  }
  return executable.layer_times();
}

// Without reorders: which layouts the kernels want, and so where layouts change, is up to the CPU.
inline std::vector<std::string> kinds_of(const std::vector<LayerTime>& layers) {
  std::vector<std::string> kinds;
  for (const LayerTime& layer : layers) {
    if (layer.kind != "Reorder") kinds.push_back(layer.kind);
  }
  return kinds;
}

}  // namespace coppice
