// Which normalisations get a selection, and what is left of selections that keep everything. What
// cuts do with them is in tests/selections_test.cpp.

#include "graph/passes/select_channels.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kConstants[] = R"(
    input x float32 [N, 4, 8, 8]
    const w float32 [4, 4, 1, 1] random
    const u float32 [4, 4, 1, 1] random
    const g float32 [4] random
    const b float32 [4] random
    const m float32 [4] random
    const v float32 [4] positive
    const k float32 [4, 1, 1] random
)";

// The first inputs of the normalisations that got a selection.
std::vector<std::string> selections(const std::string& nodes) {
  Graph graph = parse_text_graph(kConstants + nodes);
  add_selections(graph);
  verify(graph);
  std::vector<std::string> streams;
  for (const Node& node : graph.nodes) {
    if (is_selection(node)) streams.push_back(graph.value(node.inputs[0]).name);
  }
  return streams;
}

using Names = std::vector<std::string>;

TEST(SelectChannels, what_a_layer_gives_to_its_normalisation_alone_needs_no_selection) {
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    y = BatchNormalization(a, g, b, m, v)
    output y)"),
            Names{});
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    r = Relu(a)
    s = Mul(k, r)
    p = MaxPool(s) {kernel_shape=[2, 2]}
    y = BatchNormalization(p, g, b, m, v)
    z = BatchNormalization(y, g, b, m, v)
    output z)"),
            Names{})
      << "elementwise operators, pools and another normalisation between";
  EXPECT_EQ(selections(R"(
    t = Transpose(w) {perm=[1, 0, 2, 3]}
    a = Conv(x, t)
    y = BatchNormalization(a, g, b, m, v)
    output y)"),
            Names{})
      << "weights that are computed";
}

TEST(SelectChannels, what_others_read_is_a_stream) {
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    n = BatchNormalization(a, g, b, m, v)
    y = Add(a, n)
    output y)"),
            Names{"a"});
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    r = Relu(a)
    n = BatchNormalization(r, g, b, m, v)
    y = Add(a, n)
    output y)"),
            Names{"r"});
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    y = BatchNormalization(a, g, b, m, v)
    output y a)"),
            Names{"a"})
      << "the model's output";
}

TEST(SelectChannels, a_sum_of_two_layers_is_a_stream) {
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    c = Conv(x, u)
    s = Add(a, c)
    y = BatchNormalization(s, g, b, m, v)
    output y)"),
            Names{"s"});
}

TEST(SelectChannels, a_concatenation_is_a_stream_if_a_piece_of_it_is) {
  const std::string pieces = R"(
    const g8 float32 [8] random
    const b8 float32 [8] random
    const m8 float32 [8] random
    const v8 float32 [8] positive
    a = Conv(x, w)
    c = Conv(x, u)
    s = Concat(a, c) {axis=1}
    y = BatchNormalization(s, g8, b8, m8, v8)
)";
  EXPECT_EQ(selections(pieces + "output y"), Names{});
  EXPECT_EQ(selections(pieces + "z = Relu(a)\noutput y z"), Names{"s"});
}

TEST(SelectChannels, a_shape_takes_no_channels) {
  EXPECT_EQ(selections(R"(
    a = Conv(x, w)
    y = BatchNormalization(a, g, b, m, v)
    z = Shape(a)
    output y
    output z int64 [4] z)"),
            Names{});
}

TEST(SelectChannels, the_graphs_input_is_normalised_as_it_is) {
  EXPECT_EQ(selections(R"(
    n = BatchNormalization(x, g, b, m, v)
    a = Conv(x, w)
    y = Add(a, n)
    output y)"),
            Names{});
}

TEST(SelectChannels, settling_takes_away_what_selects_everything) {
  const Graph original = parse_text_graph(std::string(kConstants) + R"(
    a = Conv(x, w)
    n = BatchNormalization(a, g, b, m, v)
    y = Add(a, n)
    output y)");
  Graph graph = original;
  add_selections(graph);
  ASSERT_EQ(graph.nodes.size(), original.nodes.size() + 1);
  settle_selections(graph);
  ASSERT_EQ(graph.nodes.size(), original.nodes.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    EXPECT_EQ(graph.nodes[n].inputs, original.nodes[n].inputs);
  }
}

TEST(SelectChannels, a_gather_that_others_read_is_left_alone) {
  Graph graph = parse_text_graph(std::string(kConstants) + R"(
    const order int64 [4] = 3 2 1 0
    a = Conv(x, w)
    s = Gather(a, order) {axis=1}
    n = BatchNormalization(s, g, b, m, v)
    y = Add(s, n)
    output y)");
  const size_t nodes = graph.nodes.size();
  add_selections(graph);
  settle_selections(graph);
  EXPECT_EQ(graph.nodes.size(), nodes);
  EXPECT_EQ(graph.value(graph.nodes[2].inputs[0]).name, "s");
}

}  // namespace
}  // namespace coppice
