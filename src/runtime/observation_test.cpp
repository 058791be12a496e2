// Observed values are what the reference computes, whatever stands around them, and what isn't
// observed runs as before.

#include "runtime/observation.h"

#include <map>

#include "core/error.h"
#include "support/graphs/random_layers.h"
#include "support/test_net.h"

namespace coppice {
namespace {

constexpr double kTolerance = 1e-4;  // see differential_test.cpp

// Row-major, and that channels which fill up a block are zero.
Tensor unblocked(const ObservedValue& value) {
  Tensor tensor = Tensor::zeros(DType::f32, value.shape);
  const auto elements = tensor.mutate<float>();
  if (value.block == 1) {
    std::copy_n(value.data, elements.size(), elements.begin());
    return tensor;
  }
  const int64_t channels = value.shape[1], block = value.block;
  const int64_t blocks = (channels + block - 1) / block;
  const int64_t pixels = element_count({value.shape.begin() + 2, value.shape.end()});
  const float* from = value.data;
  for (int64_t n = 0; n < value.shape[0]; ++n) {
    for (int64_t c = 0; c < blocks * block; c += block) {
      for (int64_t p = 0; p < pixels; ++p) {
        for (int64_t i = c; i < c + block; ++i, ++from) {
          if (i < channels) {
            elements[(n * channels + i) * pixels + p] = *from;
          } else {
            EXPECT_EQ(*from, 0);
          }
        }
      }
    }
  }
  return tensor;
}

// All that a run shows, by place.
std::map<size_t, Tensor> observe(const Graph& graph, const std::vector<ValueId>& values,
                                 Target target, const std::vector<Tensor>* inputs = nullptr) {
  std::map<size_t, Tensor> seen;
  target.threads = 1;
  const Observation observation{values, [&](size_t which, const ObservedValue& value) {
                                  EXPECT_FALSE(seen.contains(which));
                                  seen[which] = unblocked(value);
                                }};
  Executable executable = compile(graph, {}, target, observation);
  executable.run(inputs ? *inputs : random_inputs(executable, 1));
  return seen;
}

std::vector<ValueId> float_values(const Graph& graph) {
  std::vector<ValueId> values = graph.inputs;
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) values.push_back(id);
    }
  }
  const Inferred inferred = infer(graph);
  std::erase_if(values, [&](ValueId id) { return inferred.types[id]->dtype != DType::f32; });
  return values;
}

TEST(DifferentialObservation, any_values_of_random_nets_equal_the_reference) {
  for (uint64_t seed = 0; seed < 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Graph graph = random_layers([&](uint64_t bound) { return random.below(bound); });
    std::vector<ValueId> values = float_values(graph);
    // All at first, which fuses nothing; then a few, between layers that stay fused.
    if (seed % 2) std::erase_if(values, [&](ValueId) { return random.below(3) > 0; });
    Target target;
    target.arena = Target::Arena::poisoned;
    Executable plain = compile(graph, {}, target);
    const std::vector<Tensor> inputs = random_inputs(plain, 1);
    const auto seen = observe(graph, values, target, &inputs);
    const std::vector<Tensor> expected = run_reference(graph, inputs, values);
    ASSERT_EQ(seen.size(), values.size());
    for (const auto& [which, tensor] : seen) {
      SCOPED_TRACE(graph.value(values[which]).name);
      expect_close({tensor}, {expected[graph.outputs.size() + which]}, kTolerance);
    }
  }
}

// conv - bn - relu - conv - bn - relu
struct TwoLayers : TestNet {
  ValueId x = input({2, 3, 8, 8});
  ValueId first = same_conv(x, 16), normalised = batch_norm(first),
          active = add("Relu", {normalised});
  ValueId second = same_conv(active, 16), last = add("Relu", {batch_norm(second)});
  TwoLayers() : TestNet(1) { output(last); }

  std::vector<std::string> kinds(const std::vector<ValueId>& values) const {
    Target target{.threads = 1, .profile = Target::Profile::on};
    Executable executable =
        compile(graph, {}, target, {values, [](size_t, const ObservedValue&) {}});
    executable.run(random_inputs(executable, 1));
    return kinds_of(executable.layer_times());
  }
};

using Kinds = std::vector<std::string>;

TEST(Observation, a_value_that_a_layer_writes_costs_no_fusion) {
  const TwoLayers net;
  EXPECT_EQ(net.kinds({net.active}),
            (Kinds{"Conv+BatchNormalization+Relu", "Observed", "Conv+BatchNormalization+Relu"}));
}

TEST(Observation, inside_a_layer_only_that_layer_comes_apart) {
  const TwoLayers net;
  EXPECT_EQ(net.kinds({net.second}),
            (Kinds{"Conv+BatchNormalization+Relu", "Conv", "Observed", "BatchNormalization+Relu"}));
}

TEST(Observation, inputs_outputs_and_what_no_output_needs_are_seen) {
  TestNet net(1);
  const ValueId x = net.input({2, 3, 4, 4});
  const ValueId unread = net.add("Relu", {x}), idle = net.add("Identity", {x});
  const ValueId constant = net.add("Relu", {net.weight({3})});
  const ValueId y = net.add("Tanh", {idle});
  net.output(y);
  const std::vector<ValueId> values{x, unread, idle, constant, y};
  for (const Target::Kernels kernels : {Target::Kernels::fast, Target::Kernels::reference}) {
    const auto seen = observe(net.graph, values, {.kernels = kernels});
    ASSERT_EQ(seen.size(), values.size());
    EXPECT_EQ(seen.at(0), seen.at(2));
    EXPECT_EQ(seen.at(3).shape(), Shape{3});
    for (size_t i = 0; i < 96; ++i) {
      EXPECT_EQ(seen.at(1).as<float>()[i], std::max(seen.at(0).as<float>()[i], 0.0f));
    }
  }
}

TEST(Observation, a_value_that_is_no_float_is_refused_by_name) {
  TestNet net(1);
  const ValueId x = net.input({2, 3});
  const ValueId shape = add_value(net.graph, "sizes");
  add_node(net.graph, "Shape", {x}, {shape});
  net.output(net.add("Relu", {x}));
  try {
    compile(net.graph, {}, {}, {{shape}, [](size_t, const ObservedValue&) {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("value 'sizes' is int64"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
