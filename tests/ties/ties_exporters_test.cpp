// What exporters write for layers that ONNX has no operator for: which channels are tied, and cut =
// mask for each.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

// ConvNeXt: the block's output is scaled by a vector before it is added.
TEST(TiesOfExporters, a_layer_scale_leaves_with_the_channels_it_scales) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [4, 2, 1, 1] random
      const depthwise float32 [4, 1, 3, 3] random
      const wide float32 [4, 6] random
      const narrow float32 [6, 4] random
      const scale float32 [4, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Conv(a, depthwise) {pads=[1, 1, 1, 1], group=4}
      c = Transpose(b) {perm=[0, 2, 3, 1]}
      d = MatMul(c, wide)
      e = Relu(d)
      f = MatMul(e, narrow)
      g = Transpose(f) {perm=[0, 3, 1, 2]}
      h = Mul(scale, g)
      i = Add(h, a)
      y = Conv(i, w2)
      output y)",
                "4: w1.0 depthwise.0 narrow.1 wide.0 scale.0 w2.1\n6: wide.1 narrow.0\n");
}

// Swin: four images of every second pixel beside each other, in channels-last order.
TEST(TiesOfExporters, patch_merging_repeats_channels_four_times) {
  expect_groups(R"(
      input x float32 [N, 4, 4, 2]
      const w1 float32 [2, 3] random
      const zero int64 [1] = 0
      const one int64 [1] = 1
      const end int64 [1] = 9223372036854775807
      const two int64 [1] = 2
      const w2 float32 [12, 5] random
      a = MatMul(x, w1)
      r0 = Slice(a, zero, end, one, two)
      r1 = Slice(a, one, end, one, two)
      p0 = Slice(r0, zero, end, two, two)
      p1 = Slice(r1, zero, end, two, two)
      p2 = Slice(r0, one, end, two, two)
      p3 = Slice(r1, one, end, two, two)
      c = Concat(p0, p1, p2, p3) {axis=-1}
      y = MatMul(c, w2)
      output y)",
                "3: w1.1 w2.0=0,3,6,9|1,4,7,10|2,5,8,11\n");
}

// One product for queries, keys and values; heads, and positions within them, leave on their own.
TEST(TiesOfExporters, attention_from_one_packed_product) {
  expect_groups(R"(
      input x float32 [N, 5, 4]
      const qkv float32 [4, 12] random
      const bias float32 [12] random
      const apart int64 [5] = 0 5 3 2 2
      const zero int64 [] = 0
      const one int64 [] = 1
      const two int64 [] = 2
      const scale float32 [] = 0.7
      const joined int64 [3] = 0 5 -1
      const out float32 [4, 3] random
      a = MatMul(x, qkv)
      b = Add(a, bias)
      c = Reshape(b, apart)
      d = Transpose(c) {perm=[2, 0, 3, 1, 4]}
      q = Gather(d, zero) {axis=0}
      k = Gather(d, one) {axis=0}
      v = Gather(d, two) {axis=0}
      s = Mul(q, scale)
      kt = Transpose(k) {perm=[0, 1, 3, 2]}
      scores = MatMul(s, kt)
      p = Softmax(scores) {axis=-1}
      mixed = MatMul(p, v)
      m = Transpose(mixed) {perm=[0, 2, 1, 3]}
      f = Reshape(m, joined)
      y = MatMul(f, out)
      output y)",
                "2: qkv.1=0,1,4,5,8,9|2,3,6,7,10,11 bias.0=0,1,4,5,8,9|2,3,6,7,10,11 "
                "out.0=0,1|2,3\n"
                "2: qkv.1=0,2,4,6,8,10|1,3,5,7,9,11 bias.0=0,2,4,6,8,10|1,3,5,7,9,11 "
                "out.0=0,2|1,3\n");
}

TEST(TiesOfExporters, a_split_into_a_number_of_pieces_gets_sizes_where_they_become_uneven) {
  expect_groups(R"(
      opset 18
      input x float32 [N, 2, 4, 4]
      const w1 float32 [6, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a) {axis=1, num_outputs=2}
      y = Conv(b, w2)
      z = Conv(c, w3)
      output y z)",
                "3: w1.0 w2.1\n3: w1.0=3|4|5 w3.1\n");
}

// C2f: a chunk goes on, is added to, and all that came on the way are concatenated.
TEST(TiesOfExporters, chunks_that_are_read_again_and_concatenated) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [4, 2, 1, 1] random
      const w2 float32 [2, 2, 1, 1] random
      const w3 float32 [3, 6, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a) {axis=1}
      d = Conv(c, w2)
      e = Add(c, d)
      f = Concat(b, c, e) {axis=1}
      y = Conv(f, w3)
      output y)",
                "2: w1.0 w3.1\n2: w1.0=2|3 w2.0 w2.1 w3.1=2,4|3,5\n");
}

}  // namespace
}  // namespace coppice
