// Ratios of Dropout follow the weights that are left, and come back.
#include "methods/unstructured/rescale_dropout.h"

#include <gtest/gtest.h>

#include "graph/renumber.h"
#include "methods/one_shot/same_structure.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::vector<ValueId> backwards(const Graph& graph) {
  std::vector<ValueId> order(graph.values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<ValueId>(order.size() - 1 - i);
  return order;
}

TEST(RescaleDropout, follows_the_connections_of_the_layer_before) {
  for (const bool attribute : {true, false}) {
    const Graph original = parse_text_graph(attribute ? R"(
      opset 10
      input x float32 [N, 4]
      const w float32 [4, 4] random
      h = MatMul(x, w)
      r = Relu(h)
      d = Dropout(r) {ratio=0.5}
      output d)"
                                                      : R"(
      input x float32 [N, 4]
      const w float32 [4, 4] random
      const ratio float32 [] = 0.5
      h = MatMul(x, w)
      r = Relu(h)
      d = Dropout(r, ratio)
      output d)");
    Graph graph = original;
    renumber(graph, backwards(graph));  // numbers of values say nothing of the original's
    const ValueId weight = *find_value(graph, "w");
    for (size_t i = 0; i < 12; ++i) graph.value(weight).constant->mutate<float>()[i] = 0;
    const size_t values = graph.values.size();
    rescale_dropout(graph, original);
    const Node& node = graph.nodes.back();
    const float ratio = attribute ? node.attributes.real("ratio", -1)
                                  : graph.value(node.inputs[1]).constant->as<float>()[0];
    EXPECT_FLOAT_EQ(ratio, 0.25f);  // a quarter of the connections: half the ratio
    rescale_dropout(graph, original);
    EXPECT_EQ(graph.values.size(), values + (attribute ? 0 : 1)) << "a round has no more than one";
    restore_dropout(graph, original);
    EXPECT_NO_THROW(require_same_structure(graph, original, original));
  }
}

TEST(RescaleDropout, brings_back_a_ratio_that_a_saved_model_lost) {
  const Graph original = parse_text_graph(R"(
      input x float32 [N, 4]
      const w float32 [4, 4] random
      const ratio float32 [] = 0.5
      h = MatMul(x, w)
      d = Dropout(h, ratio)
      output d)");
  Graph graph = original;
  rescale_dropout(graph, original);
  graph.value(*find_value(graph, "ratio")).constant.reset();
  restore_dropout(graph, original);
  EXPECT_TRUE(fake::bytes_of(graph) == fake::bytes_of(original));
}

}  // namespace
}  // namespace coppice
