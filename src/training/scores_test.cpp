// How a first output is read: by its last node, by what it can hold, by what it holds.
#include "training/scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Graph net(const std::string& text) {
  return parse_text_graph(
      "input x float32 [N, 3]\nconst w float32 [3, 3] random\nl = MatMul(x, w)\n" + text);
}

using Rows = std::vector<float>;  // of three
const Rows kDistributions{0.2f, 0.3f, 0.5f, 0.9f, 0.05f, 0.05f};
const Rows kBetween0And1{0.2f, 0.3f, 0.4f, 0.9f, 0.8f, 0.05f};

std::string read(const std::string& text, const Rows& outputs) {
  return name_of(kind_of(score_form(net(text)), outputs, std::ssize(outputs) / 3));
}

TEST(Scores, are_decided_by_a_last_softmax_or_sigmoid_whatever_they_are) {
  const ScoreForm softmax = score_form(net("y = Softmax(l)\noutput y"));
  EXPECT_EQ(softmax.certain, ScoreKind::probabilities);
  EXPECT_EQ(score_form(net("s = Sigmoid(l)\ny = Flatten(s)\noutput y")).certain,
            ScoreKind::chances);
  EXPECT_EQ(read("y = Sigmoid(l)\noutput y", kDistributions), "chances");
}

std::string logits_in(const std::string& text) {
  const Graph graph = parse_text_graph("input x float32 [N, 3]\n" + text);
  return graph.value(score_form(graph).logits).name;
}

TEST(Scores, have_for_logits_what_the_last_softmax_or_sigmoid_reads_or_else_the_output) {
  EXPECT_EQ(logits_in("h = Relu(x)\ny = Softmax(h)\noutput y"), "h");
  EXPECT_EQ(logits_in("h = Relu(x)\ny = Sigmoid(h)\noutput y"), "h");
  EXPECT_EQ(logits_in("h = Relu(x)\np = Softmax(h)\nf = Flatten(p)\ny = Identity(f)\noutput y"),
            "h");
  EXPECT_EQ(logits_in("h = Relu(x)\ny = LogSoftmax(h)\noutput y"), "y");
  EXPECT_EQ(logits_in("h = Softmax(x)\ny = Relu(h)\noutput y"), "y");
  EXPECT_EQ(logits_in("h = Relu(x)\ny = Flatten(h)\nz = Softmax(h)\noutput y z"), "y");
  EXPECT_EQ(logits_in("output x"), "x");
}

TEST(Scores, a_softmax_over_pairs_is_no_distribution_over_the_classes) {
  const ScoreForm form = score_form(parse_text_graph(
      "input x float32 [N, 3, 2]\np = Softmax(x) {axis=-1}\ny = Flatten(p)\noutput y"));
  EXPECT_FALSE(form.certain.has_value());
  const Rows rows{0.2f, 0.8f, 0.9f, 0.1f, 0.5f, 0.5f};
  EXPECT_EQ(kind_of(form, rows, 1), ScoreKind::chances);
}

TEST(Scores, a_softmax_in_pieces_or_with_something_behind_it_gives_probabilities) {
  for (const char* end : {
           "e = Exp(l)\ns = ReduceSum(e) {axes=[1], keepdims=1}\ny = Div(e, s)\noutput y",
           "m = ReduceMax(l) {axes=[1]}\nd = Sub(l, m)\ne = Exp(d)\ns = ReduceSum(e) {axes=[1]}\n"
           "r = Reciprocal(s)\ny = Mul(e, r)\noutput y",
           "p = Softmax(l)\ny = Cast(p) {to=1}\noutput y",
           "const low float32 [] = 0.0000001\nconst high float32 [] = 1.0\np = Softmax(l)\n"
           "y = Clip(p, low, high)\noutput y",
           "const one float32 [] = 1.0\np = Softmax(l)\ny = Mul(p, one)\noutput y",
           "p = LogSoftmax(l)\ny = Exp(p)\noutput y",
       }) {
    EXPECT_FALSE(score_form(net(end)).certain.has_value()) << end;
    EXPECT_EQ(read(end, kDistributions), "probabilities") << end;
  }
}

TEST(Scores, a_softmax_in_percent_gives_probabilities_and_any_other_common_sum_does_not) {
  const std::string end = "const c float32 [] = 100.0\np = Softmax(l)\ny = Mul(p, c)\noutput y";
  EXPECT_EQ(read(end, {20, 30, 50, 90, 5, 5}), "probabilities");
  EXPECT_EQ(read(end, {20, 30, 40, 80, 5, 5}), "logits");
}

TEST(Scores, a_sigmoid_in_pieces_or_with_something_behind_it_gives_chances) {
  for (const char* end : {
           "const one float32 [] = 1.0\nn = Neg(l)\ne = Exp(n)\nd = Add(e, one)\n"
           "y = Reciprocal(d)\noutput y",
           "const one float32 [] = 1.0\nconst half float32 [] = 0.5\nt = Tanh(l)\n"
           "u = Add(t, one)\ny = Mul(u, half)\noutput y",
           "y = HardSigmoid(l)\noutput y",
           "s = Sigmoid(l)\ny = Cast(s) {to=1}\noutput y",
       }) {
    EXPECT_EQ(read(end, kBetween0And1), "chances") << end;
  }
}

TEST(Scores, a_sigmoid_in_percent_gives_chances_with_their_scale) {
  for (const char* end : {
           "const c float32 [] = 100.0\ns = Sigmoid(l)\ny = Mul(s, c)\noutput y",
           "const c float32 [1] = 100.0\ns = Sigmoid(l)\nf = Flatten(s)\ny = Mul(c, f)\noutput y",
           "const c float32 [] = 0.01\ns = Sigmoid(l)\ny = Div(s, c)\noutput y",
           "const a float32 [] = 200.0\nconst b float32 [] = 2.0\ns = Sigmoid(l)\n"
           "m = Mul(s, a)\ny = Div(m, b)\noutput y",
       }) {
    const Graph graph = net(end);
    const ScoreForm form = score_form(graph);
    EXPECT_EQ(form.certain, ScoreKind::chances) << end;
    EXPECT_NEAR(form.scale, 100, 1e-4) << end;
    EXPECT_EQ(graph.value(form.logits).name, "l") << end;
  }
}

TEST(Scores, what_a_sigmoid_is_otherwise_multiplied_with_makes_no_chances) {
  for (const char* end : {
           "const c float32 [3] = 100.0 50.0 1.0\ns = Sigmoid(l)\ny = Mul(s, c)\noutput y",
           "const c float32 [] = -100.0\ns = Sigmoid(l)\ny = Mul(s, c)\noutput y",
           "const c float32 [] = 100.0\ns = Sigmoid(l)\ny = Div(c, s)\noutput y",
           "const c float32 [] = 0.0\ns = Sigmoid(l)\ny = Mul(s, c)\noutput y",
       }) {
    EXPECT_NE(score_form(net(end)).certain, ScoreKind::chances) << end;
  }
}

TEST(Scores, numbers_that_merely_lie_between_0_and_1_are_logits) {
  EXPECT_EQ(read("output l", kBetween0And1), "logits");
  EXPECT_EQ(read("output l", kDistributions), "logits") << "they could be anything";
  EXPECT_EQ(read("y = Relu(l)\noutput y", kBetween0And1), "logits");
  EXPECT_EQ(read("y = Relu(l)\noutput y", {0, 0, 0, 0, 0, 0}), "logits");
  EXPECT_EQ(read("y = LogSoftmax(l)\noutput y", {-1, -1, -1}), "logits");
  EXPECT_EQ(name_of(kind_of(ScoreForm{}, kDistributions, 2)), "logits");
}

double low_of(const std::string& text) {
  const Graph graph = net(text);
  return value_ranges(graph)[graph.outputs.front()].low;
}
double high_of(const std::string& text) {
  const Graph graph = net(text);
  return value_ranges(graph)[graph.outputs.front()].high;
}

TEST(ValueRanges, follow_the_arithmetic_of_intervals) {
  EXPECT_EQ(high_of("s = Sigmoid(l)\nt = Tanh(l)\ny = Sub(s, t)\noutput y"), 2);
  EXPECT_EQ(low_of("s = Sigmoid(l)\nt = Tanh(l)\ny = Sub(s, t)\noutput y"), -1);
  EXPECT_EQ(low_of("s = Sigmoid(l)\nt = Tanh(l)\ny = Mul(s, t)\noutput y"), -1);
  EXPECT_EQ(low_of("s = Sigmoid(l)\nt = Neg(s)\ny = Abs(t)\noutput y"), 0);
  EXPECT_EQ(high_of("s = Sigmoid(l)\nt = Neg(s)\ny = Exp(t)\noutput y"), 1);
  EXPECT_EQ(high_of("const c float32 [3] = 2 -5 1\ny = Min(l, c)\noutput y"), 2);
  EXPECT_EQ(low_of("const c float32 [3] = 2 -5 1\nr = Relu(l)\ny = Add(r, c)\noutput y"), -5);
  EXPECT_EQ(low_of("opset 6\ny = Clip(l) {min=-2.0, max=6.0}\noutput y"), -2);
}

TEST(ValueRanges, what_has_no_rule_may_be_anything) {
  for (const char* end : {"output l", "y = Frobnicate(l)\noutput y",
                          "s = Sigmoid(l)\n"
                          "t = Sigmoid(x)\nd = Sub(s, t)\ny = Div(s, d)\noutput y"}) {
    EXPECT_EQ(low_of(end), -HUGE_VAL) << end;
    EXPECT_EQ(high_of(end), HUGE_VAL) << end;
  }
}

}  // namespace
}  // namespace coppice
