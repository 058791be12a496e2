// Lowerings of elementwise functions, reductions and softmax.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

TEST(Lower, functions_of_one_tensor) {
  for (const char* call : {"Abs(x)",
                           "Ceil(x)",
                           "Celu(x)",
                           "Celu(x) {alpha=0.5}",
                           "Cos(x)",
                           "Elu(x)",
                           "Elu(x) {alpha=0.5}",
                           "Erf(x)",
                           "Exp(x)",
                           "Floor(x)",
                           "Gelu(x)",
                           "Gelu(x) {approximate=\"tanh\"}",
                           "HardSigmoid(x)",
                           "HardSigmoid(x) {alpha=0.5, beta=0.25}",
                           "HardSwish(x)",
                           "Identity(x)",
                           "LeakyRelu(x)",
                           "LeakyRelu(x) {alpha=-0.5}",
                           "Mish(x)",
                           "Neg(x)",
                           "Reciprocal(x)",
                           "Relu(x)",
                           "Round(x)",
                           "Selu(x)",
                           "Selu(x) {alpha=2.0, gamma=0.5}",
                           "Sigmoid(x)",
                           "Sign(x)",
                           "Sin(x)",
                           "Softplus(x)",
                           "Softsign(x)",
                           "Tanh(x)",
                           "ThresholdedRelu(x)",
                           "ThresholdedRelu(x) {alpha=-0.25}",
                           "Dropout(x)",
                           "Cast(x) {to=1}"}) {
    const std::string net = std::string("input x float32 [2, 3, 4, 2]\ny = ") + call + "\noutput y";
    // A cast to float32 has no gradient that double precision could check.
    std::string(call).starts_with("Cast") ? expect_values(net) : expect_lowered(net);
  }
}

TEST(Lower, functions_of_large_inputs) {
  expect_lowered(R"(
    input x float32 [3, 4]
    const hundred float32 [] = 100
    large = Mul(x, hundred)
    a = Softplus(large)
    b = Elu(large)
    c = HardSwish(large)
    d = Sigmoid(large)
    e = Gelu(large)
    f = Mish(large)
    output a
    output c
    output e
    output f)");
}

TEST(Lower, rounds_halves_to_even) {
  expect_values(R"(
    input x int64 [7]
    const halves float32 [7] = -2.5 -1.5 -0.5 0.5 1.5 2.5 3.5
    f = Cast(x) {to=1}
    nothing = Sub(f, f)
    ties = Add(nothing, halves)
    y = Round(ties)
    s = Sign(nothing)
    output y
    output s)");
}

TEST(Lower, functions_of_one_tensor_refuse_what_makes_no_sense) {
  EXPECT_EQ(refusal_of("input x float32 [2]\ny = Gelu(x) {approximate=\"sigmoid\"}\noutput y"),
            "node 'y' (Gelu): can't be trained: 'approximate' is 'sigmoid', expected 'none' or "
            "'tanh'");
  EXPECT_EQ(refusal_of("input x float32 [2]\ny = Celu(x) {alpha=0.0}\noutput y"),
            "node 'y' (Celu): can't be trained: 'alpha' is 0, by which it divides");
}

TEST(Lower, functions_of_positive_numbers) {
  for (const char* call : {"Log(p)", "Sqrt(p)", "Pow(p, w)", "Pow(x, two)", "Pow(p, third)",
                           "Pow(x, list)", "Pow(x, broad)"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 3, 4]
      const w float32 [4] random
      const two float32 [] = 2
      const third float32 [1] = 0.33
      const list float32 [4] = 0 1 2 3
      const broad float32 [1, 1, 1, 1] = 3
      const little float32 [] = 0.1
      a = Abs(x)
      p = Add(a, little)
      y = )") + call +
                   "\noutput y");
  }
}

TEST(Lower, clips_between_inputs_or_attributes) {
  for (const char* call : {"Clip(x, low, high)", "Clip(x, -, high)", "Clip(x, low)", "Clip(x)",
                           "Clip(x, high, low)"}) {
    expect_values(std::string(R"(
      input x float32 [2, 3, 4, 2]
      const low float32 [] = -0.5
      const high float32 [] = 0.25
      y = )") + call +
                  "\noutput y");
  }
  expect_lowered(R"(
    input x float32 [2, 3, 4, 2]
    const low float32 [] = -0.5
    const high float32 [] = 0.25
    y = Clip(x, low, high)
    z = Clip(x, low)
    output y
    output z)");
  for (const char* bounds : {"min=0.0, max=6.0", "max=0.5", ""}) {
    expect_lowered(std::string("opset 9\ninput x float32 [2, 3, 4]\ny = Clip(x) {") + bounds +
                   "}\noutput y");
  }
}

TEST(Lower, functions_of_two_tensors_broadcast) {
  for (const char* type : {"Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu", "Mod"}) {
    for (const char* other : {"2, 3, 4, 2", "3, 1, 1", "1", "", "2"}) {
      expect_lowered(std::string("input x float32 [2, 3, 4, 2]\nconst w float32 [") + other +
                     "] positive\ny = " + type + "(x, w)\noutput y");
    }
  }
  for (const char* type : {"Add", "Sub", "Mul", "Div", "Min", "Max", "Mod"}) {
    expect_lowered(std::string("input x float32 [3, 1]\nconst w float32 [2, 3, 4] positive\ny = ") +
                   type + "(x, w)\noutput y");
  }
}

TEST(Lower, functions_of_any_number_of_tensors) {
  for (const char* type : {"Sum", "Min", "Max"}) {
    for (const char* inputs : {"x", "x, w", "x, w, wv, x"}) {
      expect_lowered(std::string(R"(
        input x float32 [2, 3, 4]
        const w float32 [3, 1] random
        const wv float32 [4] random
        y = )") + type +
                     "(" + inputs + ")\noutput y");
    }
  }
}

TEST(Lower, comparisons_choose_between_values) {
  expect_lowered(R"(
    input x float32 [2, 3, 4]
    const w float32 [3, 1] random
    less = Less(x, w)
    a = Where(less, x, w)
    greater = Greater(x, w)
    b = Where(greater, x, w)
    equal = Equal(x, w)
    c = Where(equal, w, x)
    output a
    output b
    output c)");
}

TEST(Lower, comparisons_of_equal_numbers_and_logic) {
  expect_values(R"(
    input x int64 [40]
    const one int64 [] = 1
    less = LessOrEqual(x, one)
    more = GreaterOrEqual(x, one)
    zero = Cast(x) {to=9}
    a = And(less, more)
    b = Or(zero, more)
    c = Xor(zero, less)
    d = Not(c)
    output less bool [40]
    output more bool [40]
    output a bool [40]
    output b bool [40]
    output c bool [40]
    output d bool [40])");
  expect_lowered(R"(
    input x float32 [2, 3, 4]
    const w float32 [3, 1] random
    const high float32 [] = 0.5
    above = GreaterOrEqual(x, w)
    below = LessOrEqual(x, high)
    between = And(above, below)
    outside = Not(between)
    y = Where(outside, w, x)
    output y)");
}

TEST(Lower, remainders_have_the_sign_of_the_divisor_or_with_fmod_of_the_dividend) {
  for (const char* attributes : {"", "fmod=1"}) {
    expect_values(std::string(R"(
      input x int64 [40]
      const nine int64 [] = 9
      const by int64 [4, 1] = -4 5 -1 7
      wide = Mul(x, nine)
      y = Mod(wide, by) {)") +
                  attributes + "}\noutput y int64 [4, 40]");
  }
}

TEST(Lower, integers_are_divided_towards_zero) {
  expect_values(R"(
    input x int64 [8]
    const three int64 [] = 3
    const two int64 [] = 2
    a = Mul(x, three)
    b = Div(a, two)
    c = Pow(b, two)
    d = Cast(c) {to=1}
    e = Cast(x) {to=9}
    output b int64 [8]
    output d
    output e bool [8])");
}

TEST(Lower, casts_between_types) {
  for (const int to : {1, 6, 7, 9, 11}) {
    expect_values("input x float32 [5, 6]\na = Cast(x) {to=" + std::to_string(to) +
                  "}\ny = Cast(a) {to=1}\noutput y");
  }
}

TEST(Lower, reduces_over_axes_of_an_attribute_or_an_input) {
  for (const char* type : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1",
                           "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"}) {
    for (const char* call :
         {"(x)", "(x, axes) {keepdims=0}", "(x, spatial)", "(x) {keepdims=0}",
          "(x) {noop_with_empty_axes=1}", "(x, none)", "(x, none) {noop_with_empty_axes=1}"}) {
      expect_lowered(std::string("opset 18\ninput x float32 [2, 3, 4, 5]\n"
                                 "const axes int64 [2] = 1 -1\nconst spatial int64 [2] = 2 3\n"
                                 "const none int64 [0] zeros\ny = ") +
                     type + call + "\noutput y");
    }
    expect_lowered(std::string("opset 11\ninput x float32 [2, 3, 4]\ny = ") + type +
                   "(x) {axes=[0, -1]}\noutput y");
  }
}

TEST(Lower, reduces_to_products_and_to_logarithms_of_sums) {
  for (const char* type : {"ReduceProd", "ReduceLogSum"}) {
    for (const char* call :
         {"(p)", "(p, axes) {keepdims=0}", "(p, axes)", "(p) {keepdims=0}",
          "(p) {noop_with_empty_axes=1}", "(p, none)", "(p, none) {noop_with_empty_axes=1}"}) {
      expect_lowered(std::string("opset 18\ninput x float32 [2, 3, 2]\n"
                                 "const axes int64 [2] = -1 0\nconst none int64 [0] zeros\n"
                                 "const little float32 [] = 0.5\n"
                                 "a = Abs(x)\np = Add(a, little)\ny = ") +
                     type + call + "\noutput y");
    }
  }
}

TEST(Lower, products_with_zeros_have_gradients) {
  expect_lowered(R"(
    input x float32 [4]
    const w float32 [3, 4] = 1 0 2 3  0 2 0 1  -1 2 3 -2
    z = Mul(w, x)
    y = ReduceProd(z) {axes=[1]}
    output y)");
}

TEST(Lower, reduced_integers_keep_their_type) {
  for (const char* type : {"ReduceSum", "ReduceProd", "ReduceL1", "ReduceSumSquare"}) {
    expect_values(std::string("input x int64 [2, 3, 4]\nnarrow = Cast(x) {to=6}\ny = ") + type +
                  "(narrow)\noutput y int32 [1, 1, 1]");
  }
}

TEST(Lower, softmax_normalises_rows_before_opset_13_and_an_axis_since) {
  for (const char* opset : {"9", "13"}) {
    for (const char* type : {"Softmax", "LogSoftmax"}) {
      for (const char* axis : {"", "axis=0", "axis=1", "axis=-2", "axis=3"}) {
        expect_lowered(std::string("opset ") + opset + "\ninput x float32 [2, 3, 4, 5]\ny = " +
                       type + "(x) {" + axis + "}\noutput y");
      }
    }
  }
}

}  // namespace
}  // namespace coppice::train
