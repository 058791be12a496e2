// Neurons without connections on one side lose them on the other, as far as that goes on.

#include "prune/masks/dead_units.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

struct Net {
  Graph graph;
  Masks masks;

  // 2 -> 3 -> 3 -> 2, all connected.
  Net()
      : graph(parse_text_graph(R"(
          input x float32 [N, 2]
          const a float32 [3, 2] random
          const shift float32 [3] random
          const b float32 [3, 3] random
          const c float32 [3, 2] random
          h = Gemm(x, a, shift) {transB=1}
          i = Relu(h)
          j = Gemm(i, b) {transB=1}
          k = Relu(j)
          y = MatMul(k, c)
          output y)")) {
    for (const char* name : {"a", "b", "c"}) {
      const Tensor& weight = *graph.value(*find_value(graph, name)).constant;
      masks[name] = Tensor::zeros(DType::f32, weight.shape());
      std::ranges::fill(masks[name].mutate<float>(), 1.0f);
    }
  }
  void cut(const std::string& name, std::initializer_list<size_t> elements) {
    for (const size_t i : elements) masks[name].mutate<float>()[i] = 0;
  }
  std::vector<float> left(const std::string& name) const {
    const auto values = found.at(name).as<float>();
    return {values.begin(), values.end()};
  }
  void bury() { found = without_dead_units(graph, find_groups(graph), masks); }
  Masks found;
};

using Mask = std::vector<float>;

TEST(DeadUnits, a_neuron_without_inputs_loses_its_outputs) {
  Net net;
  net.cut("a", {2, 3});  // row 1: all that the second hidden neuron reads
  net.bury();
  EXPECT_EQ(net.left("a"), (Mask{1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(net.left("b"), (Mask{1, 0, 1, 1, 0, 1, 1, 0, 1}));
  EXPECT_EQ(net.left("c"), (Mask{1, 1, 1, 1, 1, 1}));
}

TEST(DeadUnits, a_neuron_without_outputs_loses_its_inputs) {
  Net net;
  net.cut("c", {0, 1});  // row 0: all that reads the first neuron of the second layer
  net.bury();
  EXPECT_EQ(net.left("b"), (Mask{0, 0, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(DeadUnits, death_goes_on_through_the_layers) {
  Net net;
  net.cut("a", {2, 3});
  net.cut("b", {0, 2});  // so the first of the second layer hung on the dead one alone
  net.bury();
  EXPECT_EQ(net.left("b"), (Mask{0, 0, 0, 1, 0, 1, 1, 0, 1}));
  EXPECT_EQ(net.left("c"), (Mask{0, 0, 1, 1, 1, 1}));
}

TEST(DeadUnits, whoever_has_one_connection_on_both_sides_lives) {
  Net net;
  net.cut("a", {1, 2, 5});
  net.cut("c", {1, 2, 5});
  net.bury();
  EXPECT_EQ(net.found, net.masks);
}

TEST(DeadUnits, a_layer_without_a_mask_counts_as_connected) {
  Net net;
  net.cut("c", {0, 1});
  net.masks.erase("c");
  net.bury();
  EXPECT_EQ(net.found, net.masks);
}

TEST(DeadUnits, a_summed_channel_dies_with_all_its_filters_only) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const stem float32 [2, 3, 1, 1] random
      const branch float32 [2, 2, 3, 3] random
      const head float32 [5, 2, 1, 1] random
      s = Conv(x, stem)
      b = Conv(s, branch) {pads=[1, 1, 1, 1]}
      sum = Add(s, b)
      y = Conv(sum, head)
      output y)");
  Masks masks;
  for (const char* name : {"stem", "branch", "head"}) {
    masks[name] =
        Tensor::zeros(DType::f32, graph.value(*find_value(graph, name)).constant->shape());
    std::ranges::fill(masks[name].mutate<float>(), 1.0f);
  }
  for (int64_t i = 0; i < 18; ++i) masks["branch"].mutate<float>()[i] = 0;  // its first filter
  EXPECT_EQ(without_dead_units(graph, find_groups(graph), masks), masks);
  for (int64_t i = 0; i < 3; ++i) masks["stem"].mutate<float>()[i] = 0;
  const Masks found = without_dead_units(graph, find_groups(graph), masks);
  for (int64_t o = 0; o < 5; ++o) {
    EXPECT_EQ(found.at("head").as<float>()[2 * o], 0);
    EXPECT_EQ(found.at("head").as<float>()[2 * o + 1], 1);
  }
}

}  // namespace
}  // namespace coppice
