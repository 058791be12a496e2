// Comparisons and proofs: equal graphs are equal, wrong cuts are found, blind models are seen
// through.

#include "verify/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/op.h"
#include "groups/cut/surgery.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 3, 6, 6]
    const w1 float32 [4, 3, 1, 1] random
    const flat int64 [2] = 0 -1
    const w2 float32 [144, 2] random
    a = Conv(x, w1)
    r = Relu(a)
    f = Reshape(r, flat)
    y = MatMul(f, w2)
    output y)";

Graph net() { return parse_text_graph(kNet); }

Tensor& constant(Graph& graph, const char* name) {
  return *graph.value(*find_value(graph, name)).constant;
}

Proof prove(const Graph& original, Graph cut) {
  const Groups groups = find_groups(original);
  return prove_removal(original, groups, {0, 1, 0, 0}, cut, 1);
}

Graph cut_of(const Graph& graph) {
  const Groups groups = find_groups(graph);
  Graph cut = graph;
  remove_units(cut, groups, {0, 1, 0, 0});
  return cut;
}

TEST(Compare, a_graph_equals_itself_and_reacts) {
  const Comparison found = compare(net(), net(), {.inputs = {}, .batch = 2}, 1);
  EXPECT_EQ(found.error, 0);
  EXPECT_GT(found.reaction, 0.01);
  EXPECT_TRUE(found.equal());
}

TEST(Compare, another_weight_is_a_difference) {
  Graph other = net();
  for (float& weight : constant(other, "w2").mutate<float>()) weight *= 1.001f;
  EXPECT_FALSE(compare(net(), other, {}, 1).equal());
}

TEST(Compare, a_nan_is_a_difference) {
  Graph other = net();
  constant(other, "w2").mutate<float>()[5] = NAN;
  EXPECT_FALSE(compare(net(), other, {}, 1).equal());
  EXPECT_FALSE(compare(other, other, {}, 1).equal());
}

TEST(Compare, other_inputs_or_shapes_can_not_be_compared) {
  Graph renamed = net();
  renamed.value(renamed.outputs[0]).name = "z";
  EXPECT_THROW(compare(net(), renamed, {}, 1), Error);
  const Graph wider = parse_text_graph(R"(
      input x float32 [N, 3, 6, 6]
      y = Relu(x)
      output y)");
  try {
    compare(net(), wider, {}, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "output 'y' has shape 1x2 in one model and 1x3x6x6 in the other");
  }
}

TEST(Prove, a_right_cut_is_proved) {
  const Proof proof = prove(net(), cut_of(net()));
  EXPECT_TRUE(proof.comparison.equal());
  EXPECT_FALSE(proof.randomised_weights);
}

TEST(Prove, a_wrong_cut_is_found) {
  Graph wrong = cut_of(net());
  Tensor& w2 = constant(wrong, "w2");
  const auto weights = w2.mutate<float>();
  std::swap_ranges(weights.begin(), weights.begin() + 72, weights.begin() + 72);
  EXPECT_FALSE(prove(net(), wrong).comparison.equal());
}

TEST(Prove, a_head_of_zeros_does_not_hide_a_wrong_cut) {
  Graph blind = net();
  for (float& weight : constant(blind, "w2").mutate<float>()) weight = 0;
  const Proof proof = prove(blind, cut_of(blind));
  EXPECT_TRUE(proof.comparison.equal());
  EXPECT_TRUE(proof.randomised_weights);
  EXPECT_GT(proof.comparison.reaction, 0.01);
}

// An operator with a bug that shows at one size only.
OpDef relu_with_a_bug() {
  OpDef relu = *find_operator("", "Relu");
  relu.infer = [](InferContext& context) {
    COPPICE_CHECK(context.shape(0)[2] != 64, "a bug");
    context.set(0, context.type(0).dtype, context.shape(0));
  };
  return relu;
}

TEST(Prove, our_own_bug_is_not_taken_for_a_size_that_does_not_fit) {
  static const OpDef relu = relu_with_a_bug();
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 80, 80]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      r = Relu(a)
      p = GlobalAveragePool(r)
      y = Conv(p, w2)
      output y)");
  ASSERT_TRUE(prove(graph, cut_of(graph)).comparison.equal());
  graph.nodes[1].op = &relu;
  try {
    prove(graph, cut_of(graph));
    ADD_FAILURE() << "the bug was taken for an answer";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal) << error.what();
  }
}

// Groups are found at batch 2; a number that only holds there must not pass.
TEST(Prove, a_size_that_holds_at_the_traced_batch_only_is_found) {
  Graph literal = cut_of(net());
  const ValueId shape = literal.nodes[2].inputs[1];
  literal.value(shape).constant = Tensor::vector({2, 108});
  try {
    EXPECT_FALSE(prove(net(), literal).comparison.equal());
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("can't reshape"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
