#include "prune/runtimes/unsaid.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

TEST(Unsaid, kernel_shapes_are_what_the_weights_have) {
  Graph graph = parse_text_graph(
      R"(
      input x float32 [1, 3, 8, 8]
      const w float32 [4, 3, 3, 5] random
      const v float32 [4, 2, 2, 2] random
      const u float32 [3, 2, 1, 1] random
      a = Conv(x, w)
      b = ConvTranspose(a, v)
      c = Conv(b, u) {kernel_shape=[1, 1]}
      output c)");
  say_unsaid(graph);
  EXPECT_EQ(graph.nodes[0].attributes.integers("kernel_shape"), (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(graph.nodes[1].attributes.integers("kernel_shape"), (std::vector<int64_t>{2, 2}));
}

TEST(Unsaid, shapes_of_outputs_are_left_open_where_they_are) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 8, H]
      const w float32 [4, 3, 3, 3] random
      y = Conv(x, w)
      z = Relu(y)
      output y
      output z float32 [N, 4, 6, W])");
  const auto before = graph.value(graph.outputs[1]).declared;
  say_unsaid(graph);
  const auto& said = graph.value(graph.outputs[0]).declared;
  ASSERT_TRUE(said);
  ASSERT_EQ(said->size(), 4u);
  EXPECT_FALSE((*said)[0].fixed());
  EXPECT_EQ((*said)[1].size, 4);
  EXPECT_EQ((*said)[2].size, 6);
  EXPECT_FALSE((*said)[3].fixed());
  EXPECT_EQ(graph.value(graph.outputs[1]).declared->size(), before->size());
  EXPECT_EQ((*graph.value(graph.outputs[1]).declared)[3].symbol, "W");
}

}  // namespace
}  // namespace coppice
