// Which nodes are computed in one with a BatchNormalization.
#include <gtest/gtest.h>

#include "libtorch/lower/lower.h"
#include "support/graphs/text_graph.h"

namespace coppice::train {
namespace {

using Names = std::vector<std::vector<std::string>>;  // of the nodes' outputs, by chain

const std::string kInputs =
    "input x float32 [2, 3, 4, 4]\ninput z float32 [2, 3, 4, 4]\ninput one float32 [1, 3, 1, 1]\n"
    "const s float32 [3] random\nconst b float32 [3] random\nconst m float32 [3] random\n"
    "const v float32 [3] ones\nn = BatchNormalization(x, s, b, m, v)\n";

// The graph's outputs are what the caller reads.
Names chains_of(const std::string& rest) {
  const Graph graph = parse_text_graph(kInputs + rest);
  std::vector<int32_t> reads(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) ++reads[id];
  }
  for (const ValueId id : graph.outputs) ++reads[id];
  Names names;
  const std::vector<char> runs(graph.nodes.size(), 1);
  for (const auto& [last, found] : find_norm_chains(graph, infer(graph), runs, reads)) {
    EXPECT_EQ(last, found.nodes.back());
    EXPECT_EQ(found.chain.output, graph.nodes[last].outputs[0]);
    names.emplace_back();
    for (const size_t n : found.nodes) {
      names.back().push_back(graph.value(graph.nodes[n].outputs[0]).name);
    }
  }
  return names;
}

TEST(NormChain, takes_a_rectifier_and_a_residual_sum_before_it) {
  EXPECT_EQ(chains_of("y = Relu(n)\noutput y"), (Names{{"n", "y"}}));
  EXPECT_EQ(chains_of("a = Add(n, z)\ny = Relu(a)\noutput y"), (Names{{"n", "a", "y"}}));
  EXPECT_EQ(chains_of("a = Add(z, n)\ny = Relu(a)\noutput y"), (Names{{"n", "a", "y"}}));
}

TEST(NormChain, leaves_values_that_somebody_else_reads) {
  EXPECT_EQ(chains_of("y = Relu(n)\noutput y\noutput n"), Names{});
  EXPECT_EQ(chains_of("y = Relu(n)\nw = Neg(n)\noutput y\noutput w"), Names{});
  EXPECT_EQ(chains_of("a = Add(n, z)\ny = Relu(a)\noutput y\noutput a"), Names{});
  EXPECT_EQ(chains_of("a = Add(n, n)\ny = Relu(a)\noutput y"), Names{});
}

TEST(NormChain, leaves_sums_of_another_shape_and_sums_alone) {
  EXPECT_EQ(chains_of("a = Add(n, one)\ny = Relu(a)\noutput y"), Names{});
  EXPECT_EQ(chains_of("y = Add(n, z)\noutput y"), Names{});
}

TEST(NormChain, gives_a_sum_of_two_to_one_of_them) {
  EXPECT_EQ(
      chains_of("k = BatchNormalization(z, s, b, m, v)\na = Add(n, k)\ny = Relu(a)\noutput y"),
      (Names{{"n", "a", "y"}}));
}

}  // namespace
}  // namespace coppice::train
