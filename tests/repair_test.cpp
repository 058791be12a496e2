// What a cut must rewrite beside the weights: bounds, sizes, shapes and shape arithmetic. Every
// graph is cut many ways and run at several batches against its masked self; some tests also look
// at what stands in the cut graph.

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/graphs/cut.h"

namespace coppice {
namespace {

// The graph without the units, which must equal the masked one.
Graph cut(const Graph& graph, const std::vector<int32_t>& units) {
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  for (const int32_t unit : units) removal[unit] = 1;
  Random random(2);
  return expect_cut_equals_mask(graph, groups, removal, random);
}

// The integers that input `input` of the node giving `output` holds.
std::vector<int64_t> numbers(const Graph& graph, const std::string& output, size_t input) {
  const ValueId id = *find_value(graph, output);
  const Node& node = graph.nodes[producers(graph)[id]];
  const Inferred inferred = infer(graph, {.inputs = {}, .batch = 2});
  return to_int64s(*known_value(graph, inferred, node.inputs[input]));
}

const Node& node_of(const Graph& graph, const std::string& output) {
  return graph.nodes[producers(graph)[*find_value(graph, output)]];
}

TEST(Repair, a_shape_with_two_readers_changes_for_the_one_that_needs_it) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 8]
      const shape int64 [3] = 0 4 2
      const w1 float32 [8, 8] random
      const w2 float32 [2, 2] random
      const w3 float32 [2, 3] random
      plain = Reshape(x, shape)
      a = MatMul(x, w1)
      b = Reshape(a, shape)
      c = MatMul(b, w2)
      d = MatMul(plain, w3)
      const axes int64 [1] = 1
      y = ReduceSum(c, axes)
      output y d)");
  expect_cut_equals_mask(graph);
  const Graph smaller = cut(graph, {0});
  EXPECT_EQ(numbers(smaller, "plain", 1), (std::vector<int64_t>{0, 4, 2}));
  EXPECT_NE(numbers(smaller, "b", 1), (std::vector<int64_t>{0, 4, 2}));
  EXPECT_EQ(numbers(smaller, "b", 1)[0], 0);
}

TEST(Repair, minus_one_and_zero_stay_where_they_are_still_right) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const flat int64 [2] = 0 -1
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [16, 2] random
      a = Conv(x, w1)
      b = Reshape(a, flat)
      y = MatMul(b, w2)
      output y)");
  expect_cut_equals_mask(graph);
  const Graph smaller = cut(graph, {1});
  EXPECT_EQ(numbers(smaller, "b", 1), (std::vector<int64_t>{0, -1}));
  EXPECT_EQ(node_of(smaller, "b").inputs[1], node_of(graph, "b").inputs[1]) << "not rewritten";
}

TEST(Repair, only_the_wrong_entry_of_a_shape_is_rewritten) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const shape int64 [3] = -1 4 4
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 2] random
      a = Conv(x, w1)
      b = Reshape(a, shape)
      y = MatMul(b, w2)
      const axes int64 [1] = 1
      z = ReduceSum(y, axes)
      output z)");
  expect_cut_equals_mask(graph);
  EXPECT_EQ(numbers(cut(graph, {1}), "b", 1), (std::vector<int64_t>{-1, 3, 4}));
}

TEST(Repair, old_reshapes_carry_their_shape_as_an_attribute) {
  const Graph graph = parse_text_graph(R"(
      opset 4
      input x float32 [N, 3, 2, 2]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [16, 2] random
      a = Conv(x, w1)
      b = Reshape(a) {shape=[-1, 16]}
      y = MatMul(b, w2)
      output y)");
  expect_cut_equals_mask(graph);
  EXPECT_EQ(node_of(cut(graph, {0}), "b").attributes.integers("shape"),
            (std::vector<int64_t>{-1, 12}));
}

TEST(Repair, shape_arithmetic_adapts_by_itself) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const zero int64 [] = 0
      const minus int64 [1] = -1
      const first int64 [1] = 0
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [16, 2] random
      a = Conv(x, w1)
      s = Shape(a)
      n = Gather(s, zero) {axis=0}
      u = Unsqueeze(n, first)
      t = Concat(u, minus) {axis=0}
      b = Reshape(a, t)
      y = MatMul(b, w2)
      output y)");
  expect_cut_equals_mask(graph);
  EXPECT_EQ(node_of(cut(graph, {0}), "b").inputs[1], node_of(graph, "b").inputs[1]);
}

TEST(Repair, a_literal_among_computed_sizes_is_overridden) {
  expect_cut_equals_mask(parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const zero int64 [] = 0
      const first int64 [1] = 0
      const four int64 [1] = 4
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [4, 2] random
      const axes int64 [1] = 1
      a = Conv(x, w1)
      s = Shape(a)
      n = Gather(s, zero) {axis=0}
      u = Unsqueeze(n, first)
      t = Concat(u, four, four) {axis=0}
      b = Reshape(a, t)
      y = MatMul(b, w2)
      z = ReduceSum(y, axes)
      output z)"));
}

TEST(Repair, a_size_that_grows_with_the_batch_is_left_open) {
  expect_cut_equals_mask(parse_text_graph(R"(
      input x float32 [N, 3, 5]
      const first int64 [1] = 0
      const one int64 [1] = 1
      const four int64 [1] = 4
      const five int64 [1] = 5
      const part int64 [3] = -1 4 5
      const w1 float32 [4, 3, 1] random
      const k float32 [1, 1, 3] random
      const w2 float32 [2, 4, 1] random
      a = Conv(x, w1)
      s = Shape(x)
      n = Slice(s, first, one)
      m = Mul(n, four)
      t = Concat(m, one, five) {axis=0}
      b = Reshape(a, t)
      c = Conv(b, k) {pads=[1, 1]}
      d = Reshape(c, part)
      y = Conv(d, w2)
      output y)"));
}

TEST(Repair, two_sizes_that_are_both_wrong_of_which_one_grows_with_the_batch) {
  expect_groups(R"(
      input x float32 [N, 5, 3]
      const first int64 [1] = 0
      const one int64 [1] = 1
      const two int64 [1] = 2
      const four int64 [1] = 4
      const five int64 [1] = 5
      const apart int64 [4] = 0 5 2 4
      const again int64 [4] = -1 2 5 4
      const flat int64 [3] = 0 5 8
      const w1 float32 [3, 8] random
      const w2 float32 [8, 2] random
      a = MatMul(x, w1)
      r = Reshape(a, apart)
      h = Transpose(r) {perm=[0, 2, 1, 3]}
      s = Shape(x)
      n = Slice(s, first, one)
      m = Mul(n, two)
      t = Concat(m, five, four) {axis=0}
      b = Reshape(h, t)
      c = Relu(b)
      d = Reshape(c, again)
      e = Transpose(d) {perm=[0, 2, 1, 3]}
      f = Reshape(e, flat)
      y = MatMul(f, w2)
      output y)",
                "2: w1.1=0,1,2,3|4,5,6,7 w2.0=0,1,2,3|4,5,6,7\n"
                "4: w1.1=0,4|1,5|2,6|3,7 w2.0=0,4|1,5|2,6|3,7\n");
}

TEST(Repair, a_scale_computed_from_a_width_keeps_its_old_value) {
  expect_cut_equals_mask(parse_text_graph(R"(
      input x float32 [N, 4, 3]
      const last int64 [] = 2
      const wq float32 [3, 6] random
      const wk float32 [3, 6] random
      q = MatMul(x, wq)
      k = MatMul(x, wk)
      s = Shape(q)
      d = Gather(s, last) {axis=0}
      f = Cast(d) {to=1}
      r = Sqrt(f)
      e = Div(q, r)
      t = Transpose(k) {perm=[0, 2, 1]}
      y = MatMul(e, t)
      output y)"));
}

TEST(Repair, bounds_on_axes_that_keep_their_size_stay_open) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, H, W]
      const from int64 [3] = 0 0 -1
      const to int64 [3] = 9223372036854775807 3 -9223372036854775807
      const axes int64 [3] = 0 1 3
      const steps int64 [3] = 1 1 -1
      const w1 float32 [5, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      b = Slice(a, from, to, axes, steps)
      c = Conv(b, w2)
      y = GlobalAveragePool(c)
      output y)");
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[1] = 1;
  Graph masked = graph, smaller = graph;
  mask_units(masked, groups, removal);
  remove_units(smaller, groups, removal);
  Random random(3);
  for (const Shape& shape : {Shape{1, 3, 4, 6}, Shape{5, 3, 7, 9}}) {
    Tensor x = Tensor::zeros(DType::f32, shape);
    random.fill_normal(x.mutate<float>(), 1);
    const std::vector<Tensor> inputs{x};
    EXPECT_LT(difference(run_reference(masked, inputs)[0], run_reference(smaller, inputs)[0]),
              kCutTolerance);
  }
}

TEST(Repair, an_empty_range_with_a_step_stays_empty) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const from int64 [1] = 3
      const to int64 [1] = 3
      const axes int64 [1] = 2
      const steps int64 [1] = 2
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Slice(a, from, to, axes, steps)
      c = Concat(a, b) {axis=2}
      y = Conv(c, w2)
      output y)");
  expect_cut_equals_mask(graph);
}

TEST(Repair, bounds_computed_from_half_the_width_adapt_or_are_overridden) {
  expect_groups(R"(
      input x float32 [N, 3, 2, 2]
      const one int64 [] = 1
      const two int64 [] = 2
      const zero int64 [1] = 0
      const axis int64 [1] = 1
      const w1 float32 [6, 3, 1, 1] random
      const w2 float32 [2, 3, 1, 1] random
      const w3 float32 [2, 3, 1, 1] random
      a = Conv(x, w1)
      s = Shape(a)
      c = Gather(s, one) {axis=0}
      h = Div(c, two)
      m = Unsqueeze(h, zero)
      e = Unsqueeze(c, zero)
      left = Slice(a, zero, m, axis)
      right = Slice(a, m, e, axis)
      p = Conv(left, w2)
      q = Conv(right, w3)
      y = Add(p, q)
      output y)",
                "3: w1.0 w2.1\n3: w1.0=3|4|5 w3.1\n");
}

TEST(Repair, the_group_of_a_convolution_counts_its_blocks) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const w1 float32 [4, 3, 1, 1] random
      const dw float32 [4, 1, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Conv(a, dw) {group=4}
      y = Conv(b, w2)
      output y)");
  const Graph smaller = cut(graph, {0, 3});
  EXPECT_EQ(node_of(smaller, "b").attributes.integer("group", 0), 2);
  EXPECT_EQ(node_of(cut(smaller, {0}), "b").attributes.integer("group", 0), 1);
}

TEST(Repair, pads_shrink_on_either_side) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const pads int64 [2] = 2 1
      const value float32 [] = 0
      const axes int64 [1] = 1
      const w1 float32 [2, 3, 1, 1] random
      const w2 float32 [2, 5, 1, 1] random
      opset 18
      a = Conv(x, w1)
      b = Pad(a, pads, value, axes)
      y = Conv(b, w2)
      output y)");
  expect_cut_equals_mask(graph);
  const Groups groups = find_groups(graph);
  EXPECT_EQ(text_of(graph, groups), "2: w1.0 w2.1=2|3\n3: w2.1=0|1|4\n");
  EXPECT_EQ(numbers(cut(graph, {2, 4}), "b", 1), (std::vector<int64_t>{1, 0}));
}

TEST(Repair, initial_states_shrink_with_what_they_meet) {
  expect_cut_equals_mask(parse_text_graph(R"(
      input x float32 [N, 3]
      const first int64 [1] = 0
      const one int64 [1] = 1
      const four int64 [1] = 4
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      s = Shape(x)
      n = Slice(s, first, one)
      t = Concat(n, four) {axis=0}
      z = ConstantOfShape(t)
      a = MatMul(x, w1)
      b = Add(a, z)
      y = MatMul(b, w2)
      output y)"));
}

TEST(Repair, a_filling_other_than_zero_shrinks_too) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const four int64 [1] = 4
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      z = ConstantOfShape(four)
      a = MatMul(x, w1)
      b = Mul(a, z)
      y = MatMul(b, w2)
      output y)");
  graph.nodes[0].attributes.set("value", Tensor::of<float>({1}, {2.5f}));
  expect_cut_equals_mask(graph);
}

TEST(Repair, cutting_twice_equals_masking_twice) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const sizes int64 [2] = 4 4
      const shape int64 [2] = 0 96
      const w1 float32 [8, 3, 1, 1] random
      const w2 float32 [6, 4, 1, 1] random
      const w3 float32 [96, 3] random
      a = Conv(x, w1)
      b, c = Split(a, sizes) {axis=1}
      d = Concat(b, c, b) {axis=1}
      e, f, g = Split(d) {axis=1}
      h = Add(e, g)
      i = Conv(h, w2)
      j = Reshape(i, shape)
      y = MatMul(j, w3)
      output y c)");
  Graph current = graph;
  Random random(5);
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(round);
    const Groups groups = find_groups(current);
    current = expect_cut_equals_mask(current, groups, random_removal(groups, 0.3, random), random);
  }
}

TEST(Repair, sizes_that_can_not_be_followed_name_the_node) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      input shape int64 [2]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Reshape(a, shape)
      y = MatMul(b, w2)
      output y)");
  EXPECT_EQ(groups_of(graph), "") << "the shape is known only at run time, so nothing is free";
}

}  // namespace
}  // namespace coppice
