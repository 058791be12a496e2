// A trained model is its proved twin but for what training moves, or the first difference is named.
#include "methods/one_shot/same_structure.h"

#include <gtest/gtest.h>

#include "graph/renumber.h"
#include "methods/one_shot/prune_and_train.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const low float32 [] = 0
    const w1 float32 [4, 1, 3, 3] random
    const b1 float32 [4] random
    const ones float32 [4] ones
    const shift float32 [4] random
    const w2 float32 [4, 4, 1, 1] random
    const shape int64 [2] = 0 -1
    a = Conv(x, w1, b1) {group=1}
    n = BatchNormalization(a, ones, shift, shift, ones)
    r = Clip(n, low)
    c = Conv(r, w2)
    d = Add(c, r)
    y = Reshape(d, shape)
    output y)";

Graph net() { return parse_text_graph(kNet); }

Tensor& constant(Graph& graph, const std::string& name) {
  return *graph.value(*find_value(graph, name)).constant;
}

std::string difference(const std::function<void(Graph&)>& change,
                       NewBiases biases = NewBiases::none) {
  Graph graph = net();
  change(graph);
  const std::string message = fake::message_of(
      ErrorKind::internal, [&] { require_same_structure(graph, net(), net(), biases); });
  return message.substr(0, message.find("; nothing was written"));
}

constexpr char kSame[] = "(no error)";
const std::string kBegin = "the trained model isn't the one that was proved: ";

void set_all(Graph& graph, const std::string& name, float value) {
  std::ranges::fill(constant(graph, name).mutate<float>(), value);
}

TEST(SameStructure, weights_and_statistics_may_have_moved) {
  EXPECT_EQ(difference([](Graph& graph) {
              for (const char* name : {"w1", "b1", "ones", "shift", "w2"}) set_all(graph, name, 3);
            }),
            kSame);
}

TEST(SameStructure, values_may_have_other_numbers) {
  EXPECT_EQ(difference([](Graph& graph) {
              std::vector<ValueId> order;
              for (auto id = std::ssize(graph.values); id-- > 0;) {
                order.push_back(static_cast<ValueId>(id));
              }
              renumber(graph, order);
            }),
            kSame);
}

TEST(SameStructure, what_is_not_trained_must_not_have_moved) {
  EXPECT_EQ(difference([](Graph& graph) { set_all(graph, "low", 1); }),
            kBegin +
                "node 'r' (Clip), input 1, 'low': found other values, expected the same: it "
                "isn't trained");
  EXPECT_EQ(difference([](Graph& graph) { constant(graph, "shape").mutate<int64_t>()[0] = 1; }),
            kBegin +
                "node 'y' (Reshape), input 1, 'shape': found other values, expected the same: "
                "it isn't trained");
}

TEST(SameStructure, a_node_that_is_passed_by_is_found) {
  EXPECT_EQ(difference([](Graph& graph) {  // Relu bypassed, shapes fit
              graph.nodes[3].inputs[0] = graph.nodes[1].outputs[0];
            }),
            kBegin + "node 'c' (Conv), input 0: found 'n', expected 'r'");
}

TEST(SameStructure, operators_attributes_shapes_and_names_are_compared) {
  EXPECT_EQ(difference([](Graph& graph) { graph.nodes[0].attributes.set("group", int64_t{2}); }),
            kBegin + "node 'a' (Conv), attributes: found others, expected the same");
  EXPECT_EQ(difference([](Graph& graph) { graph.nodes[2].op_type = "Relu"; }),
            kBegin + "node 'r' (Clip), operator: found 'Relu', expected 'Clip'");
  EXPECT_EQ(
      difference([](Graph& graph) { constant(graph, "b1") = Tensor::zeros(DType::f32, {3}); }),
      kBegin +
          "node 'a' (Conv), input 2, 'b1': found 'float32 of shape 3', expected "
          "'float32 of shape 4'");
  EXPECT_EQ(difference([](Graph& graph) { graph.value(graph.nodes[2].outputs[0]).name = "q"; }),
            kBegin + "node 'r' (Clip), output 0: found 'q', expected 'r'");
  EXPECT_EQ(difference([](Graph& graph) { graph.value(*find_value(graph, "w2")).name = "w3"; }),
            kBegin + "node 'c' (Conv), input 1: found 'w3', expected 'w2'");
}

TEST(SameStructure, more_or_fewer_nodes_and_outputs_are_found) {
  EXPECT_EQ(difference([](Graph& graph) {
              add_node(graph, "Relu", {graph.outputs[0]}, {add_value(graph, "z")});
            }),
            kBegin + "nodes: found 7, expected 6");
  EXPECT_EQ(difference([](Graph& graph) { graph.outputs.push_back(graph.outputs[0]); }),
            kBegin + "outputs: found 2, expected 1");
  EXPECT_EQ(difference([](Graph& graph) { graph.outputs[0] = graph.nodes[4].outputs[0]; }),
            kBegin + "output 0: found 'd', expected 'y'");
}

TEST(SameStructure, weights_that_were_shared_are_shared) {
  const char* const tied = R"(
    input x float32 [N, 4]
    const w float32 [4, 4] random
    a = MatMul(x, w)
    y = MatMul(a, w)
    output y)";
  const Graph proved = parse_text_graph(tied);
  Graph apart = proved;
  apart.nodes[1].inputs[1] = add_constant(apart, "v", fake::tensor(apart, "w"));
  EXPECT_NE(
      fake::message_of(ErrorKind::internal, [&] { require_same_structure(apart, proved, proved); })
          .find("node 'y' (MatMul), input 1: found 'v', expected 'w'"),
      std::string::npos);
}

TEST(SameStructure, what_a_session_holds_without_a_proof_is_not_given_out) {
  fake::Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("training", [&] { session.train(fake::recipe(1)); });
  EXPECT_NO_THROW(outcome_of(session, "l2", {}));
  session.stage("losing a Relu", [&] {
    Graph graph = session.graph();
    graph.nodes[3].inputs[0] = graph.nodes[1].outputs[0];
    session.rewrite(graph);
  });
  EXPECT_NE(fake::message_of(ErrorKind::internal, [&] { outcome_of(session, "l2", {}); })
                .find("node 'c' (Conv), input 0: found 'n', expected 'r'"),
            std::string::npos);
}

TEST(SameStructure, recovering_may_add_a_bias_and_nothing_else_may) {
  const auto add_bias = [](Graph& graph) {
    graph.nodes[3].inputs.push_back(
        add_constant(graph, "c_bias", Tensor::of<float>({4}, {1, 2, 3, 4})));
  };
  EXPECT_EQ(difference(add_bias), kBegin + "node 'c' (Conv), input 2: found one, expected none");
  EXPECT_EQ(difference(add_bias, NewBiases::allowed), kSame);
}

}  // namespace
}  // namespace coppice
