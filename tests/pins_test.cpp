// What may not leave, and what inspect says about it; what else is in each graph still cuts as it
// masks.

#include <gtest/gtest.h>

#include "support/graphs/cut.h"

namespace coppice {
namespace {

// `pin` is one of the graph's lines of pins_of; whatever is free nevertheless can be cut.
void expect_pin(const std::string& text, const std::string& pin) {
  const Graph graph = parse_text_graph(text);
  const std::string pins = pins_of(graph);
  EXPECT_NE(("\n" + pins).find("\n" + pin + "\n"), std::string::npos) << pins;
  if (find_groups(graph).unit_count > 0) expect_cut_equals_mask(graph);
}

TEST(Pins, the_outputs_of_the_model_stay) {
  expect_pin(
      R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const b1 float32 [4] random
      y = Conv(x, w1, b1)
      output y)",
      "w1.0: output 'y' of the model");
}

TEST(Pins, an_unknown_operator_pins_what_it_reads) {
  expect_pin(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      a = MatMul(x, w1)
      b = Relu(a)
      c = Mystery(b)
      output c)",
             "w1.1: operator Mystery isn't known to coppice, says node 'c' (Mystery)");
}

TEST(Pins, an_output_that_nobody_reads_ties_nothing) {
  expect_groups(R"(
      input x float32 [N, 2, 6, 6]
      const w1 float32 [4, 2, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      p, places = MaxPool(a) {kernel_shape=[2, 2], strides=[2, 2]}
      y = Conv(p, w2)
      output y)",
                "4: w1.0 w2.1\n");
}

TEST(Pins, positions_that_are_read_pin_what_they_are_counted_over) {
  expect_pin(R"(
      input x float32 [N, 2, 6, 6]
      const w1 float32 [4, 2, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      p, places = MaxPool(a) {kernel_shape=[2, 2], strides=[2, 2]}
      q = Mystery(places)
      y = Conv(p, w2)
      output y q)",
             "w1.0: positions of MaxPool are counted over channels, says node 'p' (MaxPool)");
}

TEST(Pins, nodes_that_nobody_reads_tie_nothing) {
  expect_groups(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Mystery(a)
      c = Softmax(b)
      y = MatMul(a, w2)
      output y)",
                "4: w1.1 w2.0\n");
}

TEST(Pins, the_axis_of_a_softmax_stays) {
  expect_pin(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Softmax(a) {axis=-1}
      y = MatMul(b, w2)
      output y)",
             "w1.1: Softmax over it, says node 'b' (Softmax)");
}

TEST(Pins, an_old_softmax_flattens_so_all_axes_from_its_own_stay) {
  expect_pin(R"(
      opset 11
      input x float32 [N, 3, 2, 2]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      b = Softmax(a)
      y = Conv(b, w2)
      output y)",
             "w1.0: Softmax over it, says node 'b' (Softmax)");
}

TEST(Pins, a_mean_over_channels_pins_them_as_statistics) {
  const std::string text = R"(
      input x float32 [N, 5, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      m = ReduceMean(a) {axes=[-1], keepdims=1}
      b = Sub(a, m)
      y = MatMul(b, w2)
      output y)";
  expect_pin(text, "w1.1: ReduceMean over it, says node 'm' (ReduceMean)");
  GroupOptions options;
  options.explain = Explain::pins;
  EXPECT_EQ(find_groups(parse_text_graph(text), options).pinned[1].kind, PinKind::statistics);
  options.trace.statistics = Statistics::free;
  EXPECT_EQ(text_of(parse_text_graph(text), find_groups(parse_text_graph(text), options)),
            "4: w1.1 w2.0\n");
}

TEST(Pins, a_sum_over_channels_is_free_while_a_dead_channel_is_zero) {
  expect_groups(R"(
      input x float32 [N, 3, 4, 4]
      const axes int64 [1] = 1
      const w1 float32 [4, 3, 1, 1] random
      a = Conv(x, w1)
      b = Relu(a)
      y = ReduceSum(b, axes) {keepdims=1}
      output y)",
                "4: w1.0\n");
}

TEST(Pins, a_sum_over_channels_behind_a_sigmoid_stays) {
  expect_pin(R"(
      input x float32 [N, 3, 4, 4]
      const axes int64 [1] = 1
      const w1 float32 [4, 3, 1, 1] random
      a = Conv(x, w1)
      b = Sigmoid(a)
      y = ReduceSum(b, axes) {keepdims=1}
      output y)",
             "w1.0: ReduceSum over it, says node 'y' (ReduceSum)");
}

TEST(Pins, a_product_of_activations_stays_where_a_dead_index_is_not_zero) {
  expect_pin(R"(
      input x float32 [N, 4, 3]
      const wq float32 [3, 5] random
      const wk float32 [3, 5] random
      a = MatMul(x, wq)
      b = MatMul(x, wk)
      q = Sigmoid(a)
      k = Sigmoid(b)
      t = Transpose(k) {perm=[0, 2, 1]}
      y = MatMul(q, t)
      output y)",
             "wq.1: contracted, though a masked index isn't zero, says node 'y' (MatMul)");
}

TEST(Pins, what_an_index_picks_at_run_time_stays) {
  expect_pin(R"(
      input x float32 [N, 3]
      input i int64 [2]
      const w1 float32 [3, 4] random
      const w2 float32 [2, 2] random
      a = MatMul(x, w1)
      b = Gather(a, i) {axis=1}
      y = MatMul(b, w2)
      output y)",
             "w1.1: picked by an index that is known only at run time, says node 'b' (Gather)");
}

TEST(Pins, a_fixed_scalar_pick_pins_that_index_alone) {
  expect_groups(R"(
      input x float32 [N, 3]
      const i int64 [] = -2
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Gather(a, i) {axis=1}
      z = MatMul(a, w2)
      output z b)",
                "3: w1.1=0|1|3 w2.0=0|1|3\n");
}

TEST(Pins, channels_that_are_convolved_over_stay) {
  expect_pin(R"(
      input x float32 [N, 3, 4, 4]
      const shape int64 [3] = 0 1 4
      const back int64 [4] = 0 4 1 1
      const w1 float32 [4, 3, 1, 1] random
      const eca float32 [1, 1, 3] random
      const w2 float32 [2, 4, 1, 1] random
      a = Conv(x, w1)
      p = GlobalAveragePool(a)
      r = Reshape(p, shape)
      e = Conv(r, eca) {pads=[1, 1]}
      s = Reshape(e, back)
      g = Mul(a, s)
      y = Conv(g, w2)
      output y)",
             "w1.0: convolved over, says node 'e' (Conv)");
}

TEST(Pins, channels_that_are_sliced_with_a_step_together_with_other_axes_stay) {
  expect_pin(R"(
      input x float32 [N, 3, 4]
      const from int64 [2] = 0 0
      const to int64 [2] = 4 4
      const axes int64 [2] = 1 2
      const steps int64 [2] = 2 2
      const w1 float32 [4, 3, 1] random
      const w2 float32 [2, 2, 1] random
      a = Conv(x, w1)
      b = Slice(a, from, to, axes, steps)
      y = Conv(b, w2)
      output y)",
             "w1.0: sliced with a step, as other axes are, says node 'b' (Slice)");
}

TEST(Pins, a_division_by_what_masking_makes_zero_pins) {
  expect_pin(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [3, 4] random
      const w3 float32 [4, 2] random
      a = MatMul(x, w1)
      b = MatMul(x, w2)
      c = Div(a, b)
      y = MatMul(c, w3)
      output y)",
             "w2.1: masking would divide by zero, says node 'c' (Div)");
}

TEST(Pins, a_divisor_behind_a_reshape_can_not_be_masked_by_one) {
  expect_pin(R"(
      input x float32 [N, 3, 4, 4]
      const shape int64 [3] = 4 1 1
      const w1 float32 [4, 3, 1, 1] random
      const by float32 [4] positive
      const w2 float32 [2, 4, 1, 1] random
      c = Conv(x, w1)
      s = Reshape(by, shape)
      d = Div(c, s)
      y = Conv(d, w2)
      output y)",
             "by.0: masking would divide by zero, says node 'd' (Div)");
}

TEST(Pins, functions_that_are_infinite_at_zero_pin) {
  for (const char* function : {"Log", "Reciprocal"}) {
    SCOPED_TRACE(function);
    const Graph graph = parse_text_graph(std::string(R"(
        input x float32 [N, 3]
        const w1 float32 [3, 4] random
        const w2 float32 [4, 2] random
        a = MatMul(x, w1)
        r = Relu(a)
        b = )") + function + R"((r)
        y = MatMul(b, w2)
        output y)");
    EXPECT_EQ(groups_of(graph), "");
  }
}

TEST(Pins, a_negative_power_pins) {
  expect_pin(R"(
      input x float32 [N, 3]
      const p float32 [] = -1
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Pow(a, p)
      y = MatMul(b, w2)
      output y)",
             "w1.1: masking would give infinity, says node 'b' (Pow)");
}

TEST(Pins, a_square_is_free) {
  expect_groups(R"(
      input x float32 [N, 3]
      const two float32 [] = 2
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      b = Pow(a, two)
      y = MatMul(b, w2)
      output y)",
                "4: w1.1 w2.0\n");
}

TEST(Pins, weights_that_masking_does_not_make_zero_pin_their_input) {
  const char* layers[] = {"y = Conv(a, k2)", "y = Conv(a, k2) {group=2}"};
  for (const char* layer : layers) {
    SCOPED_TRACE(layer);
    const std::string shape =
        std::string(layer).find("group") == std::string::npos ? "[2, 4, 1, 1]" : "[2, 2, 1, 1]";
    const Graph graph = parse_text_graph(std::string(R"(
        input x float32 [N, 3, 2, 2]
        const w1 float32 [4, 3, 1, 1] random
        const b1 float32 [4] random
        const w2 float32 )") + shape + R"( random
        n = Conv(x, w1, b1)
        a = Sigmoid(n)
        k2 = Sigmoid(w2)
        )" + layer + R"(
        z = GlobalAveragePool(y)
        output z)");
    if (find_groups(graph).unit_count > 0) expect_cut_equals_mask(graph);
  }
}

TEST(Pins, a_gemm_weight_that_masking_does_not_make_zero_pins_its_input) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      n = Gemm(x, w1)
      a = Sigmoid(n)
      k2 = Sigmoid(w2)
      y = Gemm(a, k2)
      output y)");
  EXPECT_EQ(groups_of(graph), "");
}

TEST(Pins, a_bias_on_channels_merged_into_the_batch_spoils_their_sum) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 5]
      const merge int64 [3] = -1 1 5
      const part int64 [3] = -1 4 5
      const axes int64 [1] = 1
      const w1 float32 [4, 3, 1] random
      const k float32 [1, 1, 3] random
      const b float32 [1] random
      a = Conv(x, w1)
      m = Reshape(a, merge)
      c = Conv(m, k, b) {pads=[1, 1]}
      p = Reshape(c, part)
      y = ReduceSum(p, axes)
      output y)");
  EXPECT_EQ(groups_of(graph), "");
}

TEST(Pins, a_bias_that_masking_does_not_make_zero_spoils_a_sum) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 2, 2]
      const axes int64 [1] = 1
      const w1 float32 [4, 3, 1, 1] random
      const b1 float32 [4] random
      b = Sigmoid(b1)
      a = Conv(x, w1, b)
      y = ReduceSum(a, axes)
      output y)");
  EXPECT_EQ(groups_of(graph), "");
}

}  // namespace
}  // namespace coppice
