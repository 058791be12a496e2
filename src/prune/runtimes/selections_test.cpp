// Gathers of channels as convolutions of zeros and ones.

#include "prune/runtimes/selections.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Graph net(const std::string& indices, const std::string& axis = "1") {
  return parse_text_graph("input x float32 [1, 4, 5, 5]\nconst i int64 [2] = " + indices +
                          "\nconst w float32 [3, 2, 1, 1] random\ns = Gather(x, i) {axis = " +
                          axis + "}\ny = Conv(s, w)\noutput y");
}

TEST(SelectionsToConvolutions, pick_the_same_channels_in_the_same_order) {
  Graph graph = net("3 -4");
  EXPECT_EQ(selections_to_convolutions(graph, infer(graph)), 1);
  const Node& node = graph.nodes.front();
  EXPECT_EQ(node.op_type, "Conv");
  const Tensor& weight = *graph.value(node.inputs[1]).constant;
  EXPECT_EQ(weight.shape(), (Shape{2, 4, 1, 1}));
  const auto elements = weight.as<float>();
  EXPECT_EQ(std::vector<float>(elements.begin(), elements.end()),
            (std::vector<float>{0, 0, 0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(infer(graph).shape(graph.outputs[0]), (Shape{1, 3, 5, 5}));
}

TEST(SelectionsToConvolutions, leave_alone_what_picks_no_channels_of_images) {
  Graph rows = parse_text_graph(
      "input x float32 [1, 4, 5, 5]\nconst i int64 [2] = 0 2\ny = Gather(x, i) {axis = "
      "2}\noutput y");
  EXPECT_EQ(selections_to_convolutions(rows, infer(rows)), 0);
  Graph features = parse_text_graph(
      "input x float32 [1, 4]\nconst i int64 [2] = 0 2\ny = Gather(x, i) {axis = 1}\noutput y");
  EXPECT_EQ(selections_to_convolutions(features, infer(features)), 0);
  Graph wholes = parse_text_graph(
      "input x int64 [1, 4, 5, 5]\nconst i int64 [2] = 0 2\ny = Gather(x, i) {axis = "
      "1}\noutput y");
  EXPECT_EQ(selections_to_convolutions(wholes, infer(wholes)), 0);
}

}  // namespace
}  // namespace coppice
