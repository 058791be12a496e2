// Attention as one node (opset 23): which channels are tied, cut = mask for each, and what a cut
// writes into the node.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

constexpr char kMerged[] = R"(
      opset 23
      input x float32 [N, 5, 4]
      const wq float32 [4, 8] random
      const wk float32 [4, 8] random
      const wv float32 [4, 6] random
      const wo float32 [6, 3] random
      q = MatMul(x, wq)
      k = MatMul(x, wk)
      v = MatMul(x, wv)
      a = Attention(q, k, v) {q_num_heads=2, kv_num_heads=2}
      y = MatMul(a, wo)
      output y)";

// Heads, places of queries and keys, and places of values leave on their own.
TEST(TiesOfAttention, heads_and_places_of_merged_heads) {
  expect_groups(kMerged,
                "2: wq.1=0,1,2,3|4,5,6,7 wk.1=0,1,2,3|4,5,6,7 wv.1=0,1,2|3,4,5 "
                "wo.0=0,1,2|3,4,5\n"
                "4: wq.1=0,4|1,5|2,6|3,7 wk.1=0,4|1,5|2,6|3,7\n"
                "3: wv.1=0,3|1,4|2,5 wo.0=0,3|1,4|2,5\n");
}

TEST(TiesOfAttention, a_mask_by_head_loses_what_the_heads_lose) {
  expect_groups(R"(
      opset 23
      input x float32 [N, 5, 4]
      const apart int64 [4] = 0 5 2 -1
      const joined int64 [3] = 0 5 -1
      const wq float32 [4, 4] random
      const wk float32 [4, 4] random
      const wv float32 [4, 4] random
      const wo float32 [4, 3] random
      const mask float32 [2, 5, 5] random
      q = MatMul(x, wq)
      q1 = Reshape(q, apart)
      q2 = Transpose(q1) {perm=[0, 2, 1, 3]}
      k = MatMul(x, wk)
      k1 = Reshape(k, apart)
      k2 = Transpose(k1) {perm=[0, 2, 1, 3]}
      v = MatMul(x, wv)
      v1 = Reshape(v, apart)
      v2 = Transpose(v1) {perm=[0, 2, 1, 3]}
      a = Attention(q2, k2, v2, mask) {scale=0.9, is_causal=1}
      b = Transpose(a) {perm=[0, 2, 1, 3]}
      c = Reshape(b, joined)
      y = MatMul(c, wo)
      output y)",
                "2: wq.1=0,1|2,3 wk.1=0,1|2,3 wv.1=0,1|2,3 wo.0=0,1|2,3 mask.0\n"
                "2: wq.1=0,2|1,3 wk.1=0,2|1,3\n"
                "2: wv.1=0,2|1,3 wo.0=0,2|1,3\n");
}

// The attributes of the node after unit `unit` left.
Attributes left_after(int32_t unit) {
  const Graph graph = parse_text_graph(kMerged);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[unit] = 1;
  Random random(2);
  const Graph cut = expect_cut_equals_mask(graph, groups, removal, random);
  return cut.nodes[producers(cut)[*find_value(cut, "a")]].attributes;
}

TEST(TiesOfAttention, a_cut_counts_the_heads_anew_and_keeps_the_scale) {
  const Attributes one_head = left_after(0), narrow = left_after(2);
  EXPECT_EQ(one_head.integer("q_num_heads", 0), 1);
  EXPECT_EQ(one_head.integer("kv_num_heads", 0), 1);
  EXPECT_FALSE(one_head.has("scale"));
  EXPECT_EQ(narrow.integer("q_num_heads", 0), 2);
  EXPECT_FLOAT_EQ(narrow.real("scale", 0), 0.5f);  // by the root of the old width, 4
}

TEST(TiesOfAttention, heads_of_queries_that_share_one_of_keys_leave_on_their_own) {
  const Graph graph = parse_text_graph(R"(
      opset 23
      input x float32 [N, 5, 4]
      const wq float32 [4, 8] random
      const wk float32 [4, 4] random
      const wo float32 [8, 3] random
      q = MatMul(x, wq)
      k = MatMul(x, wk)
      a = Attention(q, k, k) {q_num_heads=2, kv_num_heads=1}
      y = MatMul(a, wo)
      output y)");
  EXPECT_EQ(find_groups(graph).unit_count, 2 + 4) << "two heads, four places in them";
  expect_cut_equals_mask(graph);
}

TEST(TiesOfAttention, heads_and_their_positions_leave_on_their_own) {
  expect_groups(R"(
      input x float32 [N, 4, 3]
      const apart int64 [4] = 0 4 2 3
      const together int64 [3] = 0 4 6
      const wq float32 [3, 6] random
      const wk float32 [3, 6] random
      const wv float32 [3, 6] random
      const wo float32 [6, 3] random
      q1 = MatMul(x, wq)
      k1 = MatMul(x, wk)
      v1 = MatMul(x, wv)
      q2 = Reshape(q1, apart)
      k2 = Reshape(k1, apart)
      v2 = Reshape(v1, apart)
      q = Transpose(q2) {perm=[0, 2, 1, 3]}
      k = Transpose(k2) {perm=[0, 2, 3, 1]}
      v = Transpose(v2) {perm=[0, 2, 1, 3]}
      s = MatMul(q, k)
      p = Softmax(s) {axis=-1}
      m = MatMul(p, v)
      t = Transpose(m) {perm=[0, 2, 1, 3]}
      r = Reshape(t, together)
      y = MatMul(r, wo)
      output y)",
                "2: wq.1=0,1,2|3,4,5 wk.1=0,1,2|3,4,5 wv.1=0,1,2|3,4,5 wo.0=0,1,2|3,4,5\n"
                "3: wq.1=0,3|1,4|2,5 wk.1=0,3|1,4|2,5\n"
                "3: wv.1=0,3|1,4|2,5 wo.0=0,3|1,4|2,5\n");
}

}  // namespace
}  // namespace coppice
