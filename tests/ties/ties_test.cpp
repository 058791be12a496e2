// Which channels layers tie together: small graphs, the groups they must give (as
// support/graphs/cut.h writes them), and cut = mask for each.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

TEST(Ties, a_filter_takes_its_bias_its_batch_norm_and_the_next_layers_input) {
  expect_groups(R"(
      input x float32 [N, 3, 6, 6]
      const w1 float32 [4, 3, 3, 3] random
      const b1 float32 [4] random
      const scale float32 [4] random
      const shift float32 [4] random
      const mean float32 [4] random
      const variance float32 [4] positive
      const w2 float32 [5, 4, 1, 1] random
      c1 = Conv(x, w1, b1)
      n1 = BatchNormalization(c1, scale, shift, mean, variance)
      r1 = Relu(n1)
      y = Conv(r1, w2)
      output y)",
                "4: w1.0 b1.0 scale.0 shift.0 mean.0 variance.0 w2.1\n");
}

TEST(Ties, two_layers_give_two_groups) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [4, 3, 1, 1] random
      const w3 float32 [2, 4, 1, 1] random
      c1 = Conv(x, w1)
      r1 = Relu(c1)
      c2 = Conv(r1, w2)
      y = Conv(c2, w3)
      output y)",
                "3: w1.0 w2.1\n4: w2.0 w3.1\n");
}

TEST(Ties, a_residual_add_ties_both_branches) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const stem float32 [4, 3, 1, 1] random
      const inner float32 [5, 4, 3, 3] random
      const outer float32 [4, 5, 1, 1] random
      const head float32 [2, 4, 1, 1] random
      s = Conv(x, stem)
      a = Conv(s, inner) {pads=[1, 1, 1, 1]}
      b = Relu(a)
      c = Conv(b, outer)
      sum = Add(s, c)
      r = Relu(sum)
      y = Conv(r, head)
      output y)",
                "4: stem.0 outer.0 inner.1 head.1\n5: inner.0 outer.1\n");
}

TEST(Ties, a_depthwise_filter_leaves_with_its_channel) {
  expect_groups(R"(
      input x float32 [N, 3, 5, 5]
      const w1 float32 [4, 3, 1, 1] random
      const dw float32 [4, 1, 3, 3] random
      const db float32 [4] random
      const w2 float32 [2, 4, 1, 1] random
      c1 = Conv(x, w1)
      d = Conv(c1, dw, db) {group=4, pads=[1, 1, 1, 1]}
      y = Conv(d, w2)
      output y)",
                "4: w1.0 dw.0 db.0 w2.1\n");
}

TEST(Ties, a_depth_multiplier_gives_units_of_channels_and_units_of_multiples) {
  expect_groups(R"(
      input x float32 [N, 3, 5, 5]
      const w1 float32 [4, 3, 1, 1] random
      const dw float32 [8, 1, 3, 3] random
      const w2 float32 [2, 8, 1, 1] random
      c1 = Conv(x, w1)
      d = Conv(c1, dw) {group=4}
      y = Conv(d, w2)
      output y)",
                "4: w1.0 dw.0=0,1|2,3|4,5|6,7 w2.1=0,1|2,3|4,5|6,7\n"
                "2: dw.0=0,2,4,6|1,3,5,7 w2.1=0,2,4,6|1,3,5,7\n");
}

TEST(Ties, a_grouped_convolution_loses_whole_groups_or_the_same_filters_of_each) {
  expect_groups(R"(
      input x float32 [N, 3, 5, 5]
      const w1 float32 [6, 3, 1, 1] random
      const wg float32 [4, 3, 3, 3] random
      const w2 float32 [2, 4, 1, 1] random
      c1 = Conv(x, w1)
      g = Conv(c1, wg) {group=2}
      y = Conv(g, w2)
      output y)",
                "3: w1.0=0,3|1,4|2,5 wg.1\n"
                "2: w1.0=0,1,2|3,4,5 wg.0=0,1|2,3 w2.1=0,1|2,3\n"
                "2: wg.0=0,2|1,3 w2.1=0,2|1,3\n");
}

TEST(Ties, one_output_channel_is_not_depthwise) {
  expect_groups(R"(
      input x float32 [N, 3, 5, 5]
      const w1 float32 [4, 3, 1, 1] random
      const one float32 [1, 4, 3, 3] random
      c1 = Conv(x, w1)
      y = Conv(c1, one)
      output y)",
                "4: w1.0 one.1\n");
}

TEST(Ties, a_convolution_of_one_channel_to_one_ties_nothing) {
  expect_groups(R"(
      input x float32 [N, 1, 5, 5]
      const lone float32 [1, 1, 3, 3] random
      const w1 float32 [4, 1, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      c = Conv(x, lone) {group=1}
      c1 = Conv(c, w1)
      y = Conv(c1, w2)
      output y)",
                "4: w1.0 w2.1\n");
}

TEST(Ties, squeeze_and_excite_ties_the_gate_to_the_channels_and_frees_its_bottleneck) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const down float32 [2, 4, 1, 1] random
      const up float32 [4, 2, 1, 1] random
      const bias float32 [4] random
      const w2 float32 [2, 4, 1, 1] random
      c1 = Conv(x, w1)
      p = GlobalAveragePool(c1)
      d = Conv(p, down)
      r = Relu(d)
      u = Conv(r, up, bias)
      g = Sigmoid(u)
      m = Mul(c1, g)
      y = Conv(m, w2)
      output y)",
                "4: w1.0 up.0 down.1 bias.0 w2.1\n2: down.0 up.1\n");
}

TEST(Ties, a_gate_of_one_channel_broadcasts_without_a_tie) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const gate float32 [1, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      c1 = Conv(x, w1)
      g = Conv(x, gate)
      m = Mul(c1, g)
      y = Conv(m, w2)
      output y)",
                "4: w1.0 w2.1\n");
}

TEST(Ties, a_weight_with_two_readers_ties_input_to_output) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const stem float32 [4, 3, 1, 1] random
      const shared float32 [4, 4, 1, 1] random
      const head float32 [2, 4, 1, 1] random
      s = Conv(x, stem)
      a = Conv(s, shared)
      b = Relu(a)
      c = Conv(b, shared)
      y = Conv(c, head)
      output y)",
                "4: stem.0 shared.0 shared.1 head.1\n");
}

TEST(Ties, a_vector_with_two_readers_ties_their_layers) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 4, 1, 1] random
      const bias float32 [4] random
      const head float32 [2, 4, 1, 1] random
      a = Conv(x, w1, bias)
      r = Relu(a)
      b = Conv(r, w2, bias)
      y = Conv(b, head)
      output y)",
                "4: w1.0 w2.0 w2.1 bias.0 head.1\n");
}

TEST(Ties, a_weight_behind_transpose_reshape_and_identity_is_cut_where_it_lies) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const k float32 [3, 3, 3, 4] random
      const w2 float32 [8, 1] random
      const shape int64 [4] = 2 4 1 1
      t = Transpose(k) {perm=[3, 2, 0, 1]}
      i = Identity(t)
      s = Reshape(w2, shape)
      c1 = Conv(x, i)
      y = Conv(c1, s)
      output y)",
                "4: k.3 w2.0=0,4|1,5|2,6|3,7\n");
}

TEST(Ties, gemm_takes_its_weight_either_way_round) {
  expect_groups(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const b1 float32 [4] random
      const w2 float32 [5, 4] random
      const b2 float32 [1, 5] random
      const w3 float32 [5, 2] random
      a = Gemm(x, w1, b1)
      b = Gemm(a, w2, b2) {transB=1, alpha=0.5, beta=2.0}
      y = Gemm(b, w3)
      output y)",
                "4: w1.1 b1.0 w2.1\n5: w2.0 b2.1 w3.0\n");
}

TEST(Ties, matmul_with_the_weight_on_the_left_mixes_rows) {
  expect_groups(R"(
      input x float32 [N, 4, 3]
      const up float32 [5, 4] random
      const down float32 [4, 5] random
      a = MatMul(up, x)
      r = Relu(a)
      y = MatMul(down, r)
      output y)",
                "5: up.0 down.1\n");
}

TEST(Ties, a_matmul_of_two_activations_frees_what_both_lose_together) {
  expect_groups(R"(
      input x float32 [N, 4, 3]
      const wq float32 [3, 5] random
      const wk float32 [3, 5] random
      const wv float32 [3, 6] random
      const wo float32 [6, 3] random
      q = MatMul(x, wq)
      k = MatMul(x, wk)
      v = MatMul(x, wv)
      t = Transpose(k) {perm=[0, 2, 1]}
      s = MatMul(q, t)
      p = Softmax(s) {axis=-1}
      m = MatMul(p, v)
      y = MatMul(m, wo)
      output y)",
                "5: wq.1 wk.1\n6: wv.1 wo.0\n");
}

TEST(Ties, prelu_slopes_leave_with_their_channels) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const slope float32 [4, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      c = Conv(x, w1)
      r = PRelu(c, slope)
      y = Conv(r, w2)
      output y)",
                "4: w1.0 slope.0 w2.1\n");
}

TEST(Ties, where_ties_both_of_its_choices) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 3, 1, 1] random
      const zero float32 [1] = 0
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Conv(x, w2)
      c = Greater(a, zero)
      d = Where(c, a, b)
      y = Conv(d, w3)
      output y)",
                "4: w1.0 w2.0 w3.1\n");
}

TEST(Ties, a_divisor_is_masked_by_one) {
  const std::string text = R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const by float32 [4, 1, 1] positive
      const w2 float32 [2, 4, 1, 1] random
      c = Conv(x, w1)
      d = Div(c, by)
      y = Conv(d, w2)
      output y)";
  expect_groups(text, "4: w1.0 by.0 w2.1\n");
  Graph graph = parse_text_graph(text);
  const Groups groups = find_groups(graph);
  mask_units(graph, groups, {1, 0, 0, 0});
  EXPECT_EQ(graph.value(*find_value(graph, "by")).constant->as<float>()[0], 1);
}

}  // namespace
}  // namespace coppice
