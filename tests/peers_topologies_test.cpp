// The topologies that other pruning tools keep regression tests for, as text graphs: what is tied,
// and cut = mask.

#include <gtest/gtest.h>

#include "graph/passes/loosen.h"
#include "support/graphs/cut.h"

namespace coppice {
namespace {

TEST(PeersTopologies, cascaded_concats_of_growing_features) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [2, 2, 3, 3] random
      const w2 float32 [2, 4, 3, 3] random
      const w3 float32 [2, 6, 3, 3] random
      const w4 float32 [3, 8, 1, 1] random
      a = Conv(x, w1) {pads=[1, 1, 1, 1]}
      b = Concat(x, a) {axis=1}
      c = Conv(b, w2) {pads=[1, 1, 1, 1]}
      d = Concat(b, c) {axis=1}
      e = Conv(d, w3) {pads=[1, 1, 1, 1]}
      f = Concat(d, e) {axis=1}
      y = Conv(f, w4)
      output y)",
                "2: w1.0 w2.1=2|3 w3.1=2|3 w4.1=2|3\n"
                "2: w2.0 w3.1=4|5 w4.1=4|5\n"
                "2: w3.0 w4.1=6|7\n");
}

TEST(PeersTopologies, a_concat_that_is_split_elsewhere_than_it_was_joined) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [2, 2, 1, 1] random
      const w2 float32 [4, 2, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      const w4 float32 [2, 3, 1, 1] random
      const halves int64 [2] = 3 3
      a = Conv(x, w1)
      b = Conv(x, w2)
      c = Concat(a, b) {axis=1}
      d, e = Split(c, halves) {axis=1}
      y = Conv(d, w3)
      z = Conv(e, w4)
      output y z)",
                "2: w1.0 w3.1\n1: w2.0 w3.1=2\n"
                "3: w2.0=1|2|3 w4.1\n");
}

TEST(PeersTopologies, a_split_whose_pieces_are_added) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [6, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b, c = Split(a) {axis=1}
      d = Add(b, c)
      y = Conv(d, w2)
      output y)",
                "3: w1.0=0,3|1,4|2,5 w2.1\n");
}

TEST(PeersTopologies, a_layer_that_is_called_twice) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const shared float32 [4, 4, 1, 1] random
      const bias float32 [4] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Conv(a, shared, bias)
      c = Relu(b)
      d = Conv(c, shared, bias)
      y = Conv(d, w2)
      output y)",
                "4: w1.0 shared.0 shared.1 bias.0 w2.1\n");
}

TEST(PeersTopologies, two_towers_with_shared_weights_and_two_inputs) {
  expect_groups(R"(
      input left float32 [N, 3, 4, 4]
      input right float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      const w3 float32 [2, 8, 1, 1] random
      a = Conv(left, w1)
      b = Conv(right, w1)
      c = Concat(a, b) {axis=1}
      y = Conv(c, w3)
      z = Conv(a, w2)
      output y z)",
                "4: w1.0 w2.1 w3.1=0,4|1,5|2,6|3,7\n");
}

TEST(PeersTopologies, a_parameter_that_nobody_reads_is_no_group) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const unused float32 [7, 7] random
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      y = Conv(a, w2)
      output y)",
                "3: w1.0 w2.1\n");
}

TEST(PeersTopologies, a_concat_over_images_ties_all_its_channels) {
  expect_groups(R"(
      input x float32 [N, 2, 4, 4]
      const w1 float32 [3, 2, 1, 1] random
      const w2 float32 [3, 2, 3, 3] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = Conv(x, w2) {pads=[1, 1, 1, 1]}
      c = Concat(a, b) {axis=0}
      y = Conv(c, w3)
      output y)",
                "3: w1.0 w2.0 w3.1\n");
}

TEST(PeersTopologies, one_output_channel_is_not_depthwise) {
  expect_groups(R"(
      input x float32 [N, 1, 4, 4]
      const w1 float32 [1, 1, 3, 3] random
      const w2 float32 [3, 1, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1) {pads=[1, 1, 1, 1], group=1}
      b = Conv(a, w2)
      y = Conv(b, w3)
      output y)",
                "3: w2.0 w3.1\n");
}

TEST(PeersTopologies, channel_shuffles_leave_every_channel_its_own_once_loosened) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const apart int64 [5] = 0 2 2 4 4
      const whole int64 [4] = 0 -1 4 4
      const w2 float32 [3, 2, 1, 1] random
      const w3 float32 [3, 2, 1, 1] random
      const w4 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      r = Reshape(a, apart)
      t = Transpose(r) {perm=[0, 2, 1, 3, 4]}
      s = Reshape(t, whole)
      b, c = Split(s) {axis=1}
      d = Conv(b, w2)
      e = Conv(c, w3)
      f = Add(d, e)
      y = Conv(f, w4)
      output y)");
  loosen(graph);
  EXPECT_EQ(groups_of(graph),
            "2: w1.0=0|2 w2.1\n"
            "2: w1.0=1|3 w3.1\n"
            "3: w2.0 w3.0 w4.1\n");
  expect_cut_equals_mask(graph);
}

TEST(PeersTopologies, equal_vectors_that_an_exporter_merged_tie_nothing_once_loosened) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const ones float32 [4] ones
      const zeros float32 [4] zeros
      const w2 float32 [4, 4, 1, 1] random
      const w3 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = BatchNormalization(a, ones, zeros, zeros, ones)
      c = Conv(b, w2)
      same = Identity(ones)
      d = BatchNormalization(c, same, zeros, zeros, same)
      y = Conv(d, w3)
      output y)");
  EXPECT_EQ(find_groups(graph).free.size(), 1u);
  loosen(graph);
  EXPECT_EQ(find_groups(graph).free.size(), 2u);
  expect_cut_equals_mask(graph);
}

}  // namespace
}  // namespace coppice
