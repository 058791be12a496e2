// Which channels operators tie that move, join, split or reshape axes; and cut = mask for each.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

TEST(TiesOfShape, concat_keeps_the_pieces_apart) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [2, 3, 1, 1] random
      const w2 float32 [3, 3, 1, 1] random
      const w3 float32 [2, 5, 1, 1] random
      a = Conv(x, w1)
      b = Conv(x, w2)
      c = Concat(a, b) {axis=1}
      y = Conv(c, w3)
      output y)",
                "2: w1.0 w3.1\n3: w2.0 w3.1=2|3|4\n");
}

TEST(TiesOfShape, a_concat_of_concats_finds_every_offset) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [2, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 8, 1, 1] random
      a = Conv(x, w1)
      b = Conv(x, w2)
      c = Concat(a, b) {axis=1}
      d = Concat(b, c, a) {axis=-3}
      y = Conv(d, w3)
      output y)",
                "2: w1.0 w3.1=2,6|3,7\n2: w2.0 w3.1=0,4|1,5\n");
}

TEST(TiesOfShape, a_tensor_concatenated_with_itself_leaves_twice) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [3, 3, 1, 1] random
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      c = Concat(a, a) {axis=1}
      y = Conv(c, w2)
      output y)",
                "3: w1.0 w2.1=0,3|1,4|2,5\n");
}

TEST(TiesOfShape, concat_on_another_axis_ties_all_channels) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [3, 3, 1, 1] random
      const w2 float32 [3, 3, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = Conv(x, w2)
      c = Concat(a, b) {axis=2}
      y = Conv(c, w3)
      output y)",
                "3: w1.0 w2.0 w3.1\n");
}

TEST(TiesOfShape, split_by_sizes_frees_each_piece) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const sizes int64 [2] = 2 3
      const w1 float32 [5, 3, 1, 1] random
      const w2 float32 [2, 2, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a, sizes) {axis=1}
      y = Conv(b, w2)
      z = Conv(c, w3)
      output y z)",
                "2: w1.0 w2.1\n3: w1.0=2|3|4 w3.1\n");
}

TEST(TiesOfShape, split_in_halves_gets_sizes_when_they_become_uneven) {
  const std::string rest = R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [6, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a) {axis=1}
      d = Conv(b, w2)
      e = Conv(c, w2)
      y = Add(d, e)
      output y)";
  expect_groups("opset 11" + rest, "3: w1.0=0,3|1,4|2,5 w2.1\n");
  expect_groups("opset 13" + rest, "3: w1.0=0,3|1,4|2,5 w2.1\n");
  const std::string uneven = R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [6, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a) {axis=1NUMBER}
      d = Conv(b, w2)
      e = Conv(c, w3)
      y = Add(d, e)
      output y)";
  const auto with = [&](const std::string& number) {
    return std::string(uneven).replace(uneven.find("NUMBER"), 6, number);
  };
  expect_groups("opset 11" + with(""), "3: w1.0 w2.1\n3: w1.0=3|4|5 w3.1\n");
  expect_groups("opset 13" + with(""), "3: w1.0 w2.1\n3: w1.0=3|4|5 w3.1\n");
  expect_groups("opset 18" + with(", num_outputs=2"), "3: w1.0 w2.1\n3: w1.0=3|4|5 w3.1\n");
}

TEST(TiesOfShape, slices_that_overlap_tie_what_they_share) {
  expect_groups(R"(
      input x float32 [N, 3]
      const zero int64 [1] = 0
      const one int64 [1] = 1
      const two int64 [1] = 2
      const three int64 [1] = 3
      const end int64 [1] = 9223372036854775807
      const w1 float32 [3, 5] random
      const w2 float32 [3, 2] random
      a = MatMul(x, w1)
      b = Slice(a, zero, three, one)
      c = Slice(a, two, end, one)
      d = Add(b, c)
      y = MatMul(d, w2)
      output y)",
                "1: w1.1=0,2,4 w2.0=0,2\n1: w1.1=1,3 w2.0=1\n");
}

TEST(TiesOfShape, a_slice_from_behind_and_one_from_the_front_free_their_own) {
  expect_groups(R"(
      input x float32 [N, 3]
      const zero int64 [1] = 0
      const minus int64 [1] = -2
      const axis int64 [1] = -1
      const end int64 [1] = 9223372036854775807
      const w1 float32 [3, 5] random
      const w2 float32 [3, 2] random
      const w3 float32 [2, 2] random
      a = MatMul(x, w1)
      b = Slice(a, zero, minus, axis)
      c = Slice(a, minus, end, axis)
      y = MatMul(b, w2)
      z = MatMul(c, w3)
      output y z)",
                "3: w1.1 w2.0\n2: w1.1=3|4 w3.0\n");
}

TEST(TiesOfShape, every_second_channel_leaves_on_its_own) {
  expect_groups(R"(
      input x float32 [N, 2]
      const w1 float32 [2, 6] random
      const zero int64 [1] = 0
      const one int64 [1] = 1
      const end int64 [1] = 6
      const two int64 [1] = 2
      const last int64 [1] = -1
      const back int64 [1] = -1
      const first int64 [1] = -7
      const w2 float32 [3, 2] random
      const w3 float32 [3, 2] random
      const w4 float32 [6, 2] random
      a = MatMul(x, w1)
      even = Slice(a, zero, end, one, two)
      odd = Slice(a, one, end, one, two)
      turned = Slice(a, last, first, one, back)
      y = MatMul(even, w2)
      z = MatMul(odd, w3)
      u = MatMul(turned, w4)
      output y z u)",
                "3: w1.1=0|2|4 w2.0 w4.0=5|3|1\n3: w1.1=1|3|5 w3.0 w4.0=4|2|0\n");
}

TEST(TiesOfShape, slices_of_old_models_have_attributes) {
  expect_groups(R"(
      opset 9
      input x float32 [N, 3, 4, 4]
      const w1 float32 [5, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = Slice(a) {starts=[0, 1], ends=[-2, 9999], axes=[1, 2]}
      y = Conv(b, w2)
      output y)",
                "3: w1.0 w2.1\n2: w1.0=3|4\n");
}

TEST(TiesOfShape, flatten_of_images_takes_a_run_of_features_with_each_channel) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const w1 float32 [3, 3, 1, 1] random
      const w2 float32 [12, 2] random
      a = Conv(x, w1)
      f = Flatten(a)
      y = Gemm(f, w2)
      output y)",
                "3: w1.0 w2.0=0,1,2,3|4,5,6,7|8,9,10,11\n");
}

TEST(TiesOfShape, flatten_of_channels_last_takes_a_comb) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const w1 float32 [3, 3, 1, 1] random
      const w2 float32 [12, 2] random
      a = Conv(x, w1)
      t = Transpose(a) {perm=[0, 2, 3, 1]}
      f = Flatten(t)
      y = Gemm(f, w2)
      output y)",
                "3: w1.0 w2.0=0,3,6,9|1,4,7,10|2,5,8,11\n");
}

TEST(TiesOfShape, as_many_channels_as_pixels_are_still_told_apart) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const w1 float32 [4, 3, 1, 1] random
      const shape int64 [3] = 0 4 4
      const w2 float32 [4, 2] random
      a = Conv(x, w1)
      r = Reshape(a, shape)
      t = Transpose(r) {perm=[0, 2, 1]}
      y = MatMul(t, w2)
      output y)",
                "4: w1.0 w2.0\n");
}

TEST(TiesOfShape, squeeze_and_unsqueeze_pass_channels_on) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const pixels int64 [2] = 2 3
      const last int64 [1] = -1
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 2] random
      const w3 float32 [2, 4, 1] random
      a = Conv(x, w1)
      p = GlobalAveragePool(a)
      s = Squeeze(p, pixels)
      y = MatMul(s, w2)
      u = Unsqueeze(s, last)
      z = Conv(u, w3)
      output y z)",
                "4: w1.0 w2.0 w3.1\n");
}

TEST(TiesOfShape, padded_channels_leave_with_those_they_are_added_to) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const pads int64 [8] = 0 1 0 0 0 2 0 0
      const w1 float32 [2, 3, 1, 1] random
      const w2 float32 [5, 3, 1, 1] random
      const w3 float32 [2, 5, 1, 1] random
      a = Conv(x, w1)
      p = Pad(a, pads)
      b = Conv(x, w2)
      s = Add(p, b)
      y = Conv(s, w3)
      output y)",
                "2: w1.0 w2.0=1|2 w3.1=1|2\n3: w2.0=0|3|4 w3.1=0|3|4\n");
}

TEST(TiesOfShape, pads_of_old_models_are_attributes) {
  expect_groups(R"(
      opset 10
      input x float32 [N, 3, 4, 4]
      const w1 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      p = Pad(a) {pads=[0, 1, 1, 0, 0, 1, 0, 0]}
      y = Conv(p, w3)
      output y)",
                "2: w1.0 w3.1=1|2\n2: w3.1=0|3\n");
}

TEST(TiesOfShape, pads_other_than_zero_are_cut_too) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const pads int64 [8] = 0 1 0 0 0 1 0 0
      const one float32 [] = 1
      const w1 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      p = Pad(a, pads, one)
      y = Conv(p, w3)
      output y)",
                "2: w1.0 w3.1=1|2\n2: w3.1=0|3\n");
}

TEST(TiesOfShape, constant_picks_are_renumbered_and_may_repeat) {
  expect_groups(R"(
      input x float32 [N, 3]
      const picks int64 [4] = 3 0 3 -4
      const w1 float32 [3, 5] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Gather(a, picks) {axis=1}
      y = MatMul(b, w2)
      output y)",
                "2: w1.1 w2.0=1|3\n2: w1.1=2|4\n1: w1.1=3 w2.0=0,2\n");
}

TEST(TiesOfShape, a_table_of_picks_pins_what_it_picks_and_keeps_its_shape) {
  expect_groups(R"(
      input x float32 [N, 3]
      const picks int32 [1, 2] = 4 1
      const w1 float32 [3, 5] random
      const w2 float32 [5, 2] random
      a = MatMul(x, w1)
      b = Gather(a, picks) {axis=1}
      y = MatMul(a, w2)
      output y b)",
                "3: w1.1=0|2|3 w2.0=0|2|3\n");
}

TEST(TiesOfShape, a_channel_shuffle_moves_pairs) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const apart int64 [5] = 0 2 3 2 2
      const together int64 [4] = 0 -1 2 2
      const w1 float32 [6, 3, 1, 1] random
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      b = Reshape(a, apart)
      c = Transpose(b) {perm=[0, 2, 1, 3, 4]}
      d = Reshape(c, together)
      y = Conv(d, w2)
      output y)",
                "2: w1.0=0,1,2|3,4,5 w2.1=0,2,4|1,3,5\n3: w1.0=0,3|1,4|2,5 w2.1=0,1|2,3|4,5\n");
}

TEST(TiesOfShape, batch_and_channels_merged_into_one_axis_come_apart_again) {
  expect_groups(R"(
      input x float32 [N, 3, 5]
      const merge int64 [3] = -1 1 5
      const part int64 [3] = -1 4 5
      const w1 float32 [4, 3, 1] random
      const k float32 [1, 1, 3] random
      const w2 float32 [2, 4, 1] random
      a = Conv(x, w1)
      m = Reshape(a, merge)
      c = Conv(m, k) {pads=[1, 1]}
      p = Reshape(c, part)
      y = Conv(p, w2)
      output y)",
                "4: w1.0 w2.1\n");
}

TEST(TiesOfShape, two_ways_of_grouping_meet_in_their_common_refinement) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const w1 float32 [8, 3, 1, 1] random
      const g4 float32 [8, 2, 1, 1] random
      const g2 float32 [8, 4, 1, 1] random
      const w2 float32 [2, 8, 1, 1] random
      a = Conv(x, w1)
      b = Conv(a, g4) {group=4}
      c = Conv(a, g2) {group=2}
      d = Add(b, c)
      y = Conv(d, w2)
      output y)",
                "2: w1.0=0,2,4,6|1,3,5,7 g4.1 g2.1=0,2|1,3\n"
                "2: w1.0=0,1,2,3|4,5,6,7 g4.0=0,1,2,3|4,5,6,7 g2.0=0,1,2,3|4,5,6,7 "
                "w2.1=0,1,2,3|4,5,6,7\n"
                "2: w1.0=0,1,4,5|2,3,6,7 g4.0=0,1,4,5|2,3,6,7 g2.0=0,1,4,5|2,3,6,7 "
                "g2.1=0,1|2,3 w2.1=0,1,4,5|2,3,6,7\n"
                "2: g4.0=0,2,4,6|1,3,5,7 g2.0=0,2,4,6|1,3,5,7 w2.1=0,2,4,6|1,3,5,7\n");
}

TEST(TiesOfShape, the_last_index_of_a_piece_stays) {
  expect_groups(R"(
      input x float32 [N, 3]
      const sizes int64 [2] = 1 3
      const w1 float32 [3, 4] random
      const w2 float32 [1, 2] random
      const w3 float32 [3, 2] random
      a = MatMul(x, w1)
      b, c = Split(a, sizes) {axis=1}
      y = MatMul(b, w2)
      z = MatMul(c, w3)
      output y z)",
                "3: w1.1=1|2|3 w3.0\n");
}

}  // namespace
}  // namespace coppice
