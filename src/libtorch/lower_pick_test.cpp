// Lowerings that pick elements: by size, by index, by place in a larger image; and codes.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

TEST(LowerPick, finds_the_first_of_the_largest_and_smallest) {
  for (const char* type : {"ArgMax", "ArgMin"}) {
    for (const char* attributes :
         {"", "axis=1", "axis=-1, keepdims=0", "axis=2, select_last_index=0"}) {
      expect_values(std::string("input x float32 [2, 5, 4, 6]\nties = Round(x)\ni = ") + type +
                    "(ties) {" + attributes + "}\ny = Cast(i) {to=1}\noutput y");
    }
  }
  EXPECT_EQ(refusal_of("input x float32 [4]\ny = ArgMax(x) {select_last_index=1}\noutput y"),
            "node 'y' (ArgMax): can't be trained: 'select_last_index' is set, only the first of "
            "equal elements can be found");
}

TEST(LowerPick, sorts_the_largest_or_smallest) {
  for (const char* attributes :
       {"", "axis=1", "axis=0, largest=0", "axis=-2, sorted=0", "axis=2, largest=0, sorted=1"}) {
    const std::string net = "opset 11\ninput x float32 [3, 4, 5, 3]\nconst k int64 [1] = 2\n";
    expect_lowered(net + "y, i = TopK(x, k) {" + attributes + "}\noutput y");
    expect_values(net + "ties = Round(x)\ny, i = TopK(ties, k) {" + attributes +
                  "}\nplace = Cast(i) {to=1}\noutput y\noutput place");
  }
  expect_lowered("opset 9\ninput x float32 [3, 4]\ny, - = TopK(x) {k=3, axis=1}\noutput y");
  expect_values(
      "opset 9\ninput x float32 [3, 4]\n-, i = TopK(x) {k=3}\ny = Cast(i) {to=1}\n"
      "output y");
  EXPECT_EQ(refusal_of("opset 9\ninput x float32 [3, 4]\ny, i = TopK(x) {k=5}\noutput y"),
            "node 'y' (TopK): can't be trained: it asks for 5 of 4");
}

TEST(LowerPick, sums_along_an_axis) {
  for (const char* axis : {"int64 [] = 0", "int32 [] = -1", "int64 [1] = 1"}) {
    for (const char* attributes : {"", "exclusive=1", "reverse=1", "exclusive=1, reverse=1"}) {
      expect_lowered(std::string("input x float32 [3, 4, 5]\nconst axis ") + axis +
                     "\ny = CumSum(x, axis) {" + attributes + "}\noutput y");
    }
  }
}

TEST(LowerPick, counts_further_than_inference_does) {
  expect_lowered(R"(
    input x float32 [3, 5000]
    const w float32 [5000] random
    const first float32 [] = -1.5
    const step float32 [] = 0.001
    const last float32 [] = 3.4995
    r = Range(first, last, step)
    t = Mul(x, r)
    product = MatMul(t, w)
    y = ReduceMean(product)
    output y)");
  expect_values(R"(
    input x int64 [5000]
    const first int64 [] = 10000
    const step int64 [] = -2
    const last int64 [] = 0
    r = Range(first, last, step)
    y = Add(x, r)
    output y int64 [5000])");
}

TEST(LowerPick, scatters_updates) {
  for (const auto& [indices, updates] :
       {std::pair("[2, 1] = 2 -4", "[2, 3, 2]"), std::pair("[2, 2] = 0 1 -1 -1", "[2, 2]"),
        std::pair("[1, 2, 3] = 0 0 0 3 2 -1", "[1, 2]"), std::pair("[1, 0]", "[1, 4, 3, 2]")}) {
    expect_lowered(std::string("input x float32 [4, 3, 2]\nconst i int64 ") + indices +
                   "\nconst w float32 " + updates +
                   " random\ny = ScatterND(x, i, w) {reduction=\"none\"}\noutput y");
  }
  EXPECT_EQ(refusal_of("input x float32 [4]\nconst i int64 [1, 1] = 0\nconst w float32 [1] = 1\n"
                       "y = ScatterND(x, i, w) {reduction=\"add\"}\noutput y"),
            "node 'y' (ScatterND): can't be trained: reduction 'add', only 'none' can be trained");
}

const std::string kImage =
    "input x float32 [2, 3, 4, 5]\nconst up float32 [4] = 1 1 2 1.7\n"
    "const down float32 [4] = 1 1 0.5 0.6\nconst to int64 [4] = 2 3 7 3\n"
    "const one int64 [4] = 2 3 1 1\nconst none float32 [0] zeros\n";

TEST(LowerResize, nearest_and_linear_by_every_coordinate) {
  for (const char* coordinates :
       {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
    for (const char* mode :
         {"mode=\"linear\"", "nearest_mode=\"floor\"", "nearest_mode=\"ceil\"",
          "nearest_mode=\"round_prefer_floor\"", "nearest_mode=\"round_prefer_ceil\""}) {
      for (const char* target : {"up", "down", "none, to", "none, one"}) {
        expect_lowered(kImage + "y = Resize(x, -, " + target +
                       ") {coordinate_transformation_mode=\"" + coordinates + "\", " + mode +
                       "}\noutput y");
      }
    }
  }
}

TEST(LowerResize, is_what_libtorch_computes_where_it_has_the_same) {
  const LoweredGraph net(kImage + R"(
    a = Resize(x, -, none, to) {mode="linear"}
    b = Resize(x, -, none, to) {mode="linear", coordinate_transformation_mode="align_corners"}
    c = Resize(x, -, none, to) {nearest_mode="floor", coordinate_transformation_mode="asymmetric"}
    output a
    output b
    output c)");
  const Values values = net.run(net.leaves(at::kFloat), Mode::evaluation);
  const at::Tensor x = values[net.id("x")];
  const std::vector<int64_t> to{7, 3};
  const auto expect = [&](const char* name, const at::Tensor& expected) {
    EXPECT_LT(difference(expected, values[net.id(name)]), kForwardTolerance) << name;
  };
  expect("a", at::upsample_bilinear2d(x, to, /*align_corners=*/false));
  expect("b", at::upsample_bilinear2d(x, to, /*align_corners=*/true));
  expect("c", at::upsample_nearest2d(x, to));
}

TEST(LowerResize, in_every_opset) {
  expect_lowered(kImage +
                 "y = Resize(x, -, up)\nz = Resize(x, -, -, to) {mode=\"linear\"}\n"
                 "output y\noutput z");
  for (const char* mode : {"nearest", "linear"}) {
    const std::string rest = std::string("{mode=\"") + mode + "\"}\noutput y";
    expect_lowered("opset 10\n" + kImage + "y = Resize(x, up) " + rest);
    expect_lowered("opset 9\n" + kImage + "y = Upsample(x, up) " + rest);
    expect_lowered("opset 8\n" + kImage + "y = Upsample(x) {scales=[1.0, 1.0, 2.0, 3.0], mode=\"" +
                   mode + "\"}\noutput y");
    expect_lowered("opset 18\n" + kImage +
                   "const two float32 [2] = 2 1.5\ny = Resize(x, -, two) {axes=[-1, 2], mode=\"" +
                   mode + "\"}\noutput y");
  }
  expect_lowered(
      "input x float32 [2, 3, 5]\nconst s float32 [3] = 2 1 2\n"
      "y = Resize(x, -, s) {mode=\"linear\"}\noutput y");
}

TEST(LowerResize, refuses_what_cannot_be_run) {
  const auto refusal = [](const std::string& attributes) {
    return refusal_of(kImage + "y = Resize(x, -, up) {" + attributes + "}\noutput y");
  };
  EXPECT_EQ(refusal("mode=\"cubic\""),
            "node 'y' (Resize): mode 'cubic' can't be run; nearest and linear can");
  EXPECT_EQ(refusal("coordinate_transformation_mode=\"tf_crop_and_resize\""),
            "node 'y' (Resize): coordinate_transformation_mode 'tf_crop_and_resize' can't be run");
  EXPECT_EQ(refusal("antialias=1"), "node 'y' (Resize): 'antialias' can't be run");
  EXPECT_EQ(refusal("keep_aspect_ratio_policy=\"not_larger\""),
            "node 'y' (Resize): keep_aspect_ratio_policy 'not_larger' can't be run");
}

const std::string kCodes =
    "input x float32 [2, 3, 8]\nconst s float32 [] = 0.01\nconst z uint8 [] = 120\n"
    "const ws float32 [3] = 0.01 0.02 0.005\nconst zs int8 [3] = 0 -20 30\n"
    "const list float32 [1] = 0.02\n";

TEST(LowerQuantize, codes_are_those_of_the_reference) {
  for (const char* call : {"(x, s, z)", "(x, s)", "(x, list, z) {axis=2}"}) {
    expect_values(kCodes + "q = QuantizeLinear" + call + "\noutput q uint8 [2, 3, 8]");
  }
  expect_values(kCodes +
                "q = QuantizeLinear(x, ws, zs) {axis=-2}\n"
                "y = DequantizeLinear(q, ws, zs)\noutput q int8 [2, 3, 8]\noutput y");
  expect_values(kCodes + "q = QuantizeLinear(x, s, z)\ny = DequantizeLinear(q, s, z)\noutput y");
}

TEST(LowerQuantize, the_gradient_passes_where_nothing_is_clipped) {
  const LoweredGraph net(kCodes +
                         "q = QuantizeLinear(x, ws, zs)\n"
                         "y = DequantizeLinear(q, ws, zs)\noutput y");
  Values leaves = net.leaves(at::kFloat);
  const at::Tensor x = leaves[net.id("x")].requires_grad_(true);
  const at::Tensor scale = leaves[net.id("ws")].reshape({3, 1});
  const at::Tensor zero = leaves[net.id("zs")].reshape({3, 1});
  const Values values = net.run(leaves, Mode::training);
  expect_reference(net, values[net.id("y")], 0, run_reference(net.graph, net.inputs),
                   kForwardTolerance);
  const auto gradients = torch::autograd::grad({values[net.id("y")].sum()}, {x});
  const at::Tensor code = at::round(x.detach() / scale) + zero;
  const at::Tensor passes = ((code >= -128) & (code <= 127)).to(at::kFloat);
  EXPECT_GT(passes.sum().item<double>(), 0);
  EXPECT_LT(passes.sum().item<double>(), static_cast<double>(passes.numel()));
  EXPECT_LT(difference(passes, gradients[0]), kForwardTolerance);
}

TEST(LowerQuantize, codes_without_a_gradient_have_their_own_type) {
  const LoweredGraph net(kCodes + "q = QuantizeLinear(x, s, z)\noutput q uint8 [2, 3, 8]");
  Values leaves = net.leaves(at::kFloat);
  EXPECT_EQ(net.run(leaves, Mode::training)[net.id("q")].scalar_type(), at::kByte);
  leaves[net.id("x")].requires_grad_(true);
  EXPECT_EQ(net.run(leaves, Mode::training)[net.id("q")].scalar_type(), at::kFloat);
  const at::NoGradGuard no_gradients;
  EXPECT_EQ(net.run(leaves, Mode::evaluation)[net.id("q")].scalar_type(), at::kByte);
}

TEST(LowerQuantize, scales_of_a_quantised_weight_have_gradients) {
  for (const char* call : {"(q, w)", "(q, w, z)", "(q, wv) {axis=0}", "(q, wv, zv) {axis=-2}"}) {
    expect_lowered(std::string(R"(
      input x float32 [4, 3]
      const q int8 [3, 2] = -128 5 100 127 0 -3
      const w float32 [] = 0.3
      const z int8 [] = -7
      const wv float32 [3] = 0.3 0.1 2
      const zv int8 [3] = 4 0 -7
      weight = DequantizeLinear)") +
                   call + "\ny = MatMul(x, weight)\noutput y");
  }
}

TEST(LowerQuantize, refuses_other_codes) {
  EXPECT_EQ(refusal_of("input x float32 [2]\nconst s float32 [] = 1\nconst z int32 [] = 0\n"
                       "y = QuantizeLinear(x, s, z)\noutput y int32 [2]"),
            "node 'y' (QuantizeLinear): can't be trained: it makes int32, only uint8 and int8 can "
            "be trained");
}

}  // namespace
}  // namespace coppice::train
