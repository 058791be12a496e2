// Uneven Splits as Slices.

#include "prune/runtimes/splits.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Graph split(const std::string& sizes, const std::string& axis) {
  return parse_text_graph("input x float32 [2, 7, 3, 3]\nconst n int64 [2] = " + sizes +
                          "\na, b = Split(x, n) {axis = " + axis + "}\noutput b\noutput a");
}

TEST(UnevenSplits, become_slices_that_give_the_same) {
  for (const char* axis : {"1", "-3"}) {
    Graph graph = split("3 4", axis);
    const Graph original = graph;
    EXPECT_EQ(uneven_splits_to_slices(graph, infer(graph)), 1);
    EXPECT_EQ(std::ranges::count(graph.nodes, "Slice", &Node::op_type), 2);
    EXPECT_EQ(std::ranges::count(graph.nodes, "Split", &Node::op_type), 0);
    Tensor x = Tensor::zeros(DType::f32, {2, 7, 3, 3});
    Random(1).fill_normal(x.mutate<float>(), 1);
    EXPECT_EQ(run_reference(graph, {&x, 1}), run_reference(original, {&x, 1}));
  }
}

TEST(UnevenSplits, of_equal_parts_are_left_alone) {
  Graph graph = parse_text_graph(
      "input x float32 [2, 6]\nconst n int64 [2] = 3 3\na, b = Split(x, n) {axis = 1}\noutput "
      "a\noutput b");
  EXPECT_EQ(uneven_splits_to_slices(graph, infer(graph)), 0);
  EXPECT_EQ(graph.nodes.size(), 1u);
}

}  // namespace
}  // namespace coppice
