// Which channels normalisations, resizing, transposed convolutions and recurrent layers tie; and
// cut = mask for each.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

TEST(TiesOfLayers, a_transposed_convolution_has_its_filters_on_axis_1) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [3, 4, 2, 2] random
      const b2 float32 [4] random
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = ConvTranspose(a, w2, b2) {strides=[2, 2]}
      y = Conv(b, w3)
      output y)",
                "3: w1.0 w2.0\n4: w2.1 b2.0 w3.1\n");
}

TEST(TiesOfLayers, a_grouped_transposed_convolution_loses_groups_or_filters_of_each) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [4, 2, 1, 1] random
      const w2 float32 [4, 3, 2, 2] random
      const w3 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      b = ConvTranspose(a, w2) {group=2}
      y = Conv(b, w3)
      output y)",
                "2: w1.0=0,1|2,3 w2.0=0,1|2,3 w3.1=0,1,2|3,4,5\n"
                "2: w1.0=0,2|1,3 w2.0=0,2|1,3\n"
                "3: w2.1 w3.1=0,3|1,4|2,5\n");
}

TEST(TiesOfLayers, resizing_passes_channels_and_its_sizes_are_repaired) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const none float32 [0] zeros
      const tail int64 [2] = 7 9
      const zero int64 [1] = 0
      const two int64 [1] = 2
      a = Conv(x, w1)
      s = Shape(a)
      n = Slice(s, zero, two)
      sizes = Concat(n, tail) {axis=0}
      b = Resize(a, none, none, sizes) {mode="linear"}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(TiesOfLayers, sizes_of_a_resize_that_are_literal_are_written_anew) {
  expect_groups(R"(
      input x float32 [2, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const none float32 [0] zeros
      const sizes int64 [4] = 2 3 8 8
      a = Conv(x, w1)
      b = Resize(a, none, none, sizes) {mode="nearest"}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(TiesOfLayers, an_upsample_by_attribute_and_by_input) {
  expect_groups(R"(
      opset 9
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const scales float32 [4] = 1 1 2 2
      a = Conv(x, w1)
      b = Upsample(a, scales) {mode="nearest"}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(TiesOfLayers, instance_normalisation_ties_its_vectors) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const s float32 [3] random
      const t float32 [3] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = InstanceNormalization(a, s, t)
      y = Conv(b, w2)
      output y)",
                "3: w1.0 s.0 t.0 w2.1\n");
}

TEST(TiesOfLayers, group_normalisation_by_reshape_loses_whole_groups) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [6, 2, 1, 1] random
      const ones float32 [3] ones
      const zeros float32 [3] zeros
      const s float32 [6, 1, 1] random
      const apart int64 [3] = 0 3 -1
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      r = Reshape(a, apart)
      n = InstanceNormalization(r, ones, zeros)
      shape = Shape(a)
      b = Reshape(n, shape)
      c = Mul(b, s)
      y = Conv(c, w2)
      output y)",
                "3: w1.0=0,1|2,3|4,5 ones.0 zeros.0 s.0=0,1|2,3|4,5 w2.1=0,1|2,3|4,5\n");
}

TEST(TiesOfLayers, group_normalisation_itself_counts_its_groups_anew) {
  expect_groups(R"(
      opset 21
      input x float32 [N, 2, 4, 4]
      const w1 float32 [6, 2, 1, 1] random
      const s float32 [6] random
      const t float32 [6] random
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      b = GroupNormalization(a, s, t) {num_groups=3}
      y = Conv(b, w2)
      output y)",
                "3: w1.0=0,1|2,3|4,5 s.0=0,1|2,3|4,5 t.0=0,1|2,3|4,5 w2.1=0,1|2,3|4,5\n");
}

TEST(TiesOfLayers, layer_normalisation_pins_its_width_and_nothing_behind_it) {
  const std::string text = R"(
      opset 17
      input x float32 [N, 3, 4]
      const w1 float32 [4, 5] random
      const s float32 [5] random
      const t float32 [5] random
      const w2 float32 [5, 6] random
      const w3 float32 [6, 2] random
      a = MatMul(x, w1)
      b = LayerNormalization(a, s, t)
      c = MatMul(b, w2)
      d = Relu(c)
      y = MatMul(d, w3)
      output y)";
  expect_groups(text, "6: w2.1 w3.0\n");
  EXPECT_NE(pins_of(parse_text_graph(text)).find("w1.1: LayerNormalization over it"),
            std::string::npos);
}

TEST(TiesOfLayers, an_lp_norm_over_channels_stays_when_zeros_leave) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = LpNormalization(a) {axis=1, p=2}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(TiesOfLayers, depth_to_space_moves_blocks_of_channels) {
  for (const std::string mode : {"DCR", "CRD"}) {
    SCOPED_TRACE(mode);
    const std::string blocks = mode == "DCR" ? "0,2,4,6|1,3,5,7" : "0,1,2,3|4,5,6,7";
    expect_groups(R"(
      input x float32 [N, 2, 3, 4]
      const w1 float32 [8, 2, 1, 1] random
      const w2 float32 [3, 2, 1, 1] random
      a = Conv(x, w1)
      b = DepthToSpace(a) {blocksize=2, mode=")" +
                      mode + R"("}
      y = Conv(b, w2)
      output y)",
                  "2: w1.0=" + blocks + " w2.1\n");
  }
}

TEST(TiesOfLayers, space_to_depth_repeats_channels) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 12, 1, 1] random
      a = Conv(x, w1)
      b = SpaceToDepth(a) {blocksize=2}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1=0,3,6,9|1,4,7,10|2,5,8,11\n");
}

TEST(TiesOfLayers, einsum_ties_letters) {
  expect_groups(R"(
      input x float32 [N, 3, 4]
      const w1 float32 [4, 5] random
      const w2 float32 [5, 2] random
      a = Einsum(x, w1) {equation="bti,io->bto"}
      b = Relu(a)
      y = Einsum(b, w2) {equation="bth,ho->bto"}
      output y)",
                "5: w1.1 w2.0\n");
}

TEST(TiesOfLayers, expand_passes_what_it_does_not_repeat) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const one int64 [1] = 1
      a = Conv(x, w1)
      g = GlobalAveragePool(a)
      s = Shape(a)
      e = Expand(g, s)
      y = Conv(e, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(TiesOfLayers, a_recurrent_unit_leaves_every_gate) {
  expect_groups(R"(
      input x float32 [3, N, 2]
      const w float32 [1, 6, 2] random
      const r float32 [1, 6, 2] random
      const b float32 [1, 12] random
      const v float32 [2, 3] random
      const one int64 [1] = 1
      h = GRU(x, w, r, b) {hidden_size=2, linear_before_reset=1}
      s = Squeeze(h, one)
      y = MatMul(s, v)
      output y)",
                "2: w.1=0,2,4|1,3,5 r.1=0,2,4|1,3,5 r.2 b.1=0,2,4,6,8,10|1,3,5,7,9,11 v.0\n");
}

TEST(TiesOfLayers, an_lstm_in_both_directions_loses_the_same_units_in_both) {
  expect_groups(R"(
      input x float32 [3, N, 2]
      const w float32 [2, 8, 2] random
      const r float32 [2, 8, 2] random
      const flat int64 [3] = 0 0 -1
      const v float32 [4, 3] random
      h = LSTM(x, w, r) {hidden_size=2, direction="bidirectional"}
      t = Transpose(h) {perm=[0, 2, 1, 3]}
      s = Reshape(t, flat)
      y = MatMul(s, v)
      output y)",
                "2: w.1=0,2,4,6|1,3,5,7 r.1=0,2,4,6|1,3,5,7 r.2 v.0=0,2|1,3\n");
}

TEST(TiesOfLayers, a_table_of_indices_loses_rows_and_columns) {
  // A table of positions by head, picked into a square, as attention with relative positions does.
  expect_groups(R"(
      input x float32 [N, 4, 6]
      const table float32 [7, 2] random
      const places int64 [4, 4] = 3 2 1 0 4 3 2 1 5 4 3 2 6 5 4 3
      const wq float32 [6, 6] random
      const wk float32 [6, 6] random
      const heads int64 [4] = 0 4 2 3
      const flat int64 [3] = 0 4 -1
      const wo float32 [8, 2] random
      q = MatMul(x, wq)
      q4 = Reshape(q, heads)
      qh = Transpose(q4) {perm=[0, 2, 1, 3]}
      k = MatMul(x, wk)
      k4 = Reshape(k, heads)
      kh = Transpose(k4) {perm=[0, 2, 3, 1]}
      scores = MatMul(qh, kh)
      bias = Gather(table, places) {axis=0}
      biash = Transpose(bias) {perm=[2, 0, 1]}
      biased = Add(scores, biash)
      p = Softmax(biased) {axis=-1}
      pt = Transpose(p) {perm=[0, 2, 1, 3]}
      f = Reshape(pt, flat)
      y = MatMul(f, wo)
      output y)",
                "2: wq.1=0,1,2|3,4,5 wk.1=0,1,2|3,4,5 table.1 wo.0=0,1,2,3|4,5,6,7\n"
                "3: wq.1=0,3|1,4|2,5 wk.1=0,3|1,4|2,5\n");
}

TEST(TiesOfLayers, weights_behind_dequantize_lose_codes_scales_and_zero_points) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const codes int8 [3, 2, 1, 1] = 5 -7 9 100 -3 20
      const scales float32 [3] positive
      const zeros int8 [3] = 0 0 0
      const w2 float32 [2, 3, 1, 1] random
      w1 = DequantizeLinear(codes, scales, zeros) {axis=0}
      a = Conv(x, w1)
      b = Relu(a)
      y = Conv(b, w2)
      output y)",
                "3: codes.0 scales.0 zeros.0 w2.1\n");
}

TEST(TiesOfLayers, activations_pass_quantisation) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const scale float32 [1] = 0.05
      const zero uint8 [1] = 7
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      q = QuantizeLinear(a, scale, zero)
      b = DequantizeLinear(q, scale, zero)
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

}  // namespace
}  // namespace coppice
