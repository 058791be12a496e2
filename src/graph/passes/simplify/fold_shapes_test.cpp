// Shape arithmetic that is the same at all sizes, and what isn't.
#include "graph/passes/simplify/fold_shapes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Graph folded(const char* text) {
  Graph graph = parse_text_graph(text);
  fold_shapes(graph, at_two_sizes(graph));
  return graph;
}

int64_t count(const Graph& graph, const char* type) {
  return std::ranges::count(graph.nodes, type, &Node::op_type);
}

std::vector<int64_t> sizes_of_reshape(const Graph& graph) {
  const auto node = std::ranges::find(graph.nodes, "Reshape", &Node::op_type);
  const auto& sizes = graph.value(node->inputs[1]).constant;
  if (!sizes) return {};
  return {sizes->as<int64_t>().begin(), sizes->as<int64_t>().end()};
}

// A half of the channels, as exporters of 2023 write it.
TEST(FoldShapes, numbers_of_channels_that_are_asked_for_become_constants) {
  const Graph graph = folded(R"(
      input x float32 [N, 6, H, W]
      const one int64 [1] = 1
      const two int64 [1] = 2
      const zero int64 [1] = 0
      s = Shape(x)
      c = Gather(s, one) {axis=0}
      h = Div(c, two)
      y = Slice(x, zero, h, one)
      output y)");
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.value(graph.nodes[0].inputs[2]).constant->as<int64_t>()[0], 3);
}

TEST(FoldShapes, what_open_sizes_decide_stays) {
  const Graph graph = folded(R"(
      input x float32 [N, 6, H, W]
      const two int64 [1] = 2
      const three int64 [1] = 3
      const zero int64 [1] = 0
      s = Shape(x)
      c = Gather(s, two) {axis=0}
      h = Div(c, two)
      y = Slice(x, zero, h, two)
      output y)");
  EXPECT_EQ(graph.nodes.size(), 4u);
}

// At both of the sizes that are looked at there is more than one image; at others there isn't.
TEST(FoldShapes, a_comparison_with_an_open_size_stays_even_where_it_comes_out_equal) {
  const Graph graph = folded(R"(
      input x float32 [N, 6]
      const one int64 [1] = 1
      const zero int64 [1] = 0
      const two int64 [1] = 2
      s = Shape(x)
      n = Gather(s, zero) {axis=0}
      m = Greater(n, one)
      k = Where(m, two, one)
      y = Slice(x, zero, k, one)
      output y)");
  EXPECT_EQ(count(graph, "Greater"), 1);
  EXPECT_EQ(count(graph, "Where"), 1);
}

TEST(FoldShapes,
     sizes_of_a_reshape_that_vary_with_the_batch_are_said_by_numbers_that_stand_for_it) {
  const char* const kBegin = R"(
      input x float32 [N, 6, 4, 4]
      const zero int64 [] = 0
      const first int64 [1] = 0
      const two int64 [1] = 2
      const three int64 [1] = 3
      const rest int64 [1] = -1
      s = Shape(x)
      n = Gather(s, zero) {axis=0}
      u = Unsqueeze(n, first)
      )";
  const Graph plain = folded((std::string(kBegin) + R"(
      t = Concat(u, two, three, rest) {axis=0}
      y = Reshape(x, t)
      output y)")
                                 .c_str());
  EXPECT_EQ(plain.nodes.size(), 1u);
  EXPECT_EQ(sizes_of_reshape(plain), (std::vector<int64_t>{0, 2, 3, -1}));
  const Graph merged = folded((std::string(kBegin) + R"(
      m = Mul(u, two)
      t = Concat(m, three, two, two, two, two) {axis=0}
      y = Reshape(x, t)
      output y)")
                                  .c_str());
  EXPECT_EQ(sizes_of_reshape(merged), (std::vector<int64_t>{-1, 3, 2, 2, 2, 2}));
  const Graph open = folded((std::string(kBegin) + R"(
      m = Mul(u, two)
      t = Concat(m, three, rest) {axis=0}
      y = Reshape(x, t)
      output y)")
                                .c_str());
  EXPECT_EQ(sizes_of_reshape(open), std::vector<int64_t>()) << "two sizes can't both be found out";
}

}  // namespace
}  // namespace coppice
