// Lowerings that move elements about: reshapes, slices, pads, concatenation and gathering.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

TEST(Lower, reshapes_to_the_inferred_shape) {
  for (const char* call :
       {"Reshape(x, shape)", "Flatten(x)", "Flatten(x) {axis=0}", "Flatten(x) {axis=-1}",
        "Flatten(x) {axis=4}", "Unsqueeze(x, new)", "Transpose(x)",
        "Transpose(x) {perm=[0, 2, 3, 1]}", "Squeeze(x)", "Squeeze(x, second)"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 1, 6, 4]
      const shape int64 [3] = 0 -1 3
      const new int64 [2] = 0 -2
      const second int64 [1] = -3
      y = )") + call +
                   "\noutput y");
  }
  for (const char* call : {"Reshape(x) {shape=[0, -1, 3]}"}) {
    expect_lowered(std::string("opset 1\ninput x float32 [2, 6, 1, 4]\ny = ") + call +
                   "\noutput y");
  }
  for (const char* call : {"Squeeze(x) {axes=[2]}", "Unsqueeze(x) {axes=[1, 5]}", "Squeeze(x)"}) {
    expect_lowered(std::string("opset 11\ninput x float32 [2, 6, 1, 4]\ny = ") + call +
                   "\noutput y");
  }
}

TEST(Lower, reshapes_to_sizes_that_the_graph_computes) {
  expect_lowered(R"(
    input x float32 [N, 3, 4, 2]
    const zero int64 [] = 0
    const rest int64 [1] = -1
    const axis int64 [1] = 0
    s = Shape(x)
    n = Gather(s, zero)
    n1 = Unsqueeze(n, axis)
    shape = Concat(n1, rest) {axis=0}
    y = Reshape(x, shape)
    output y)");
}

TEST(Lower, slices_with_steps_of_either_sign) {
  for (const char* call :
       {"(x, a, b)", "(x, a, b, axes)", "(x, a, b, axes, steps)", "(x, far, low, last, back)",
        "(x, far, near, last, back)", "(x, near, near, last)", "(x, last, end, last, three)"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 6, 5, 7]
      const a int64 [2] = 0 1
      const b int64 [2] = 2 -1
      const axes int64 [2] = 1 -1
      const steps int64 [2] = 1 2
      const far int64 [1] = 100
      const near int64 [1] = 1
      const low int64 [1] = -100
      const end int64 [1] = 9223372036854775807
      const last int64 [1] = 3
      const back int64 [1] = -2
      const three int64 [1] = 3
      z = Slice)") +
                   call + R"(
      sum = ReduceSum(z)
      all = ReduceSum(x)
      y = Add(sum, all)
      output z
      output y)");
  }
  expect_lowered(R"(
    opset 9
    input x float32 [2, 6, 5]
    y = Slice(x) {starts=[1, -3], ends=[5, 100], axes=[1, 2]}
    output y)");
}

TEST(Lower, splits_into_given_or_equal_pieces) {
  for (const char* call : {"(x, sizes) {axis=1}", "(x) {axis=-3}"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 6, 5, 4]
      const sizes int64 [3] = 1 3 2
      a, b, c = Split)") +
                   call + "\noutput a\noutput b\noutput c");
  }
  expect_lowered(R"(
    opset 18
    input x float32 [2, 5]
    a, b, c = Split(x) {axis=1, num_outputs=3}
    output a
    output b
    output c)");
  expect_lowered(R"(
    opset 11
    input x float32 [5, 2]
    a, b = Split(x) {split=[4, 1]}
    output a
    output b)");
}

TEST(Lower, concatenates) {
  expect_lowered(R"(
    input x float32 [2, 3, 4, 2]
    const w float32 [2, 1, 4, 2] random
    y = Concat(x, w, x) {axis=-3}
    z = Concat(x) {axis=0}
    output y
    output z)");
}

TEST(Lower, pads_with_a_constant_and_crops) {
  for (const char* call : {"(x, channels)", "(x, mixed, three)", "(x, mixed)"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 3, 4, 5]
      const channels int64 [8] = 0 2 0 0 0 1 0 0
      const mixed int64 [8] = 0 1 2 0 0 0 0 -1
      const three float32 [] = 3
      y = Pad)") + call +
                   "\noutput y");
  }
  expect_lowered(R"(
    opset 18
    input x float32 [2, 3, 4]
    const pads int64 [2] = 1 2
    const axes int64 [1] = -2
    y = Pad(x, pads, -, axes)
    output y)");
  expect_lowered(R"(
    opset 9
    input x float32 [2, 3]
    y = Pad(x) {pads=[1, 0, 0, 2], value=0.5}
    output y)");
}

TEST(Lower, pads_by_copies) {
  for (const char* mode : {"edge", "reflect", "wrap"}) {
    expect_lowered(std::string("opset 19\ninput x float32 [2, 3, 4, 5]\n"
                               "const pads int64 [8] = 0 0 2 -1 0 0 1 3\n"
                               "y = Pad(x, pads) {mode=\"") +
                   mode + "\"}\noutput y");
  }
}

TEST(Lower, gathers_with_indices_of_either_sign) {
  for (const char* indices :
       {"int64 [3] = 5 -6 0", "int32 [2, 2] = 1 1 0 -1", "int64 [] = -2", "int64 [2] = 0 3"}) {
    expect_lowered(std::string("input x float32 [2, 6, 3, 2]\nconst i ") + indices +
                   "\ny = Gather(x, i) {axis=1}\noutput y");
  }
  expect_lowered(R"(
    input i int64 [3, 2]
    const w float32 [5, 4] random
    y = Gather(w, i)
    output y)");
}

TEST(Lower, expands_and_tiles) {
  for (const char* call : {"Expand(x, same)", "Expand(x, wide)", "Expand(x, more)",
                           "Expand(x, ones)", "Tile(x, repeats)", "Tile(x, once)"}) {
    expect_lowered(std::string(R"(
      input x float32 [2, 1, 4]
      const same int64 [3] = 2 1 4
      const wide int64 [2] = 3 1
      const more int64 [4] = 5 1 3 4
      const ones int64 [1] = 1
      const repeats int64 [3] = 2 3 1
      const once int64 [3] = 1 1 1
      y = )") + call +
                   "\noutput y");
  }
}

TEST(Lower, what_is_expanded_is_not_written_over) {
  LoweredGraph net(R"(
    input x float32 [1, 4]
    const rows int64 [2] = 3 4
    a = Neg(x)
    v = Expand(a, rows)
    y = Relu(v)
    output y)");
  net.overwrite_after({"Expand"});
  expect_forward(net);
  expect_gradients(net);
}

TEST(Lower, moves_blocks_of_pixels) {
  for (const char* call :
       {"DepthToSpace(x) {blocksize=2}", "DepthToSpace(x) {blocksize=2, mode=\"CRD\"}",
        "DepthToSpace(x) {blocksize=1, mode=\"DCR\"}", "SpaceToDepth(x) {blocksize=2}"}) {
    expect_lowered(std::string("input x float32 [2, 8, 4, 6]\ny = ") + call + "\noutput y");
  }
  EXPECT_EQ(refusal_of("input x float32 [2, 4, 2, 2]\ny = DepthToSpace(x) {blocksize=2, "
                       "mode=\"RCD\"}\noutput y"),
            "node 'y' (DepthToSpace): can't be trained: 'mode' is 'RCD', expected 'DCR' or 'CRD'");
}

TEST(Lower, a_size_is_known_before_it_runs) {
  expect_lowered(R"(
    input x float32 [N, 3, 4]
    n = Size(x)
    f = Cast(n) {to=1}
    y = Div(x, f)
    output y)");
}

TEST(Lower, fills_shapes_too_large_to_be_known) {
  expect_lowered(R"(
    input x float32 [3, 5000]
    const w float32 [5000] random
    s = Shape(x)
    zeros = ConstantOfShape(s)
    t = Add(x, zeros)
    product = MatMul(t, w)
    sum = ReduceMean(product)
    output sum)");
}

}  // namespace
}  // namespace coppice::train
