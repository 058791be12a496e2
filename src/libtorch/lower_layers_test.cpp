// Lowerings of what has weights or windows: convolutions, products, normalisation and pools.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

TEST(Lower, convolves_with_every_geometry) {
  const std::string net = "input x float32 [2, 4, 7, 6]\nconst w float32 [6, 4, 3, 2] random\n";
  for (const char* attributes :
       {"", "pads=[1, 1, 1, 1]", "pads=[0, 1, 0, 1], strides=[2, 1]", "pads=[2, 0, 1, 3]",
        "dilations=[2, 3]", "auto_pad=\"SAME_UPPER\", strides=[2, 2]",
        "auto_pad=\"SAME_LOWER\", strides=[2, 2]", "auto_pad=\"VALID\""}) {
    expect_lowered(net + "y = Conv(x, w) {" + attributes + "}\noutput y");
  }
}

TEST(Lower, attends_with_heads_apart_or_merged) {
  const std::string apart =
      "opset 23\ninput x float32 [2, 2, 3, 4]\nconst k float32 [2, 2, 5, 4] random\n"
      "const v float32 [2, 2, 5, 3] random\nconst m float32 [2, 3, 5] random\n";
  for (const char* call : {"Attention(x, k, v)", "Attention(x, k, v) {scale=0.7}",
                           "Attention(x, k, v) {is_causal=1}", "Attention(x, k, v, m)"}) {
    expect_lowered(apart + "y = " + call + "\noutput y");
  }
  // The second query sees no key.
  expect_lowered(apart +
                 "const c float32 [3, 5] = 1 0 1 1 0 1 1 1 1 1 0 0 0 0 0\n"
                 "const half float32 [] = 0.5\nseen = Less(c, half)\n"
                 "y = Attention(x, k, v, seen)\noutput y");
  expect_lowered(
      "opset 23\ninput x float32 [2, 3, 4]\nconst k float32 [2, 5, 4] random\n"
      "const v float32 [2, 5, 6] random\n"
      "y = Attention(x, k, v) {q_num_heads=2, kv_num_heads=2}\noutput y");
}

TEST(Lower, convolves_in_groups_with_bias_and_on_any_number_of_axes) {
  expect_lowered(R"(
    input x float32 [2, 4, 5, 5]
    const w float32 [6, 2, 3, 3] random
    const wb float32 [6] random
    y = Conv(x, w, wb) {group=2, pads=[1, 1, 1, 1]}
    output y)");
  expect_lowered(R"(
    input x float32 [2, 4, 5, 5]
    const w float32 [4, 1, 3, 3] random
    y = Conv(x, w) {group=4}
    output y)");
  expect_lowered(R"(
    input x float32 [2, 3, 9]
    const w float32 [4, 3, 3] random
    y = Conv(x, w) {pads=[4, 0], strides=[2]}
    output y)");
  expect_lowered(R"(
    input x float32 [1, 2, 3, 4, 3]
    const w float32 [3, 2, 2, 2, 2] random
    y = Conv(x, w) {pads=[0, 1, 0, 1, 1, 0]}
    output y)");
}

TEST(Lower, convolves_with_a_weight_that_the_graph_computes) {
  expect_lowered(R"(
    input x float32 [2, 3, 4, 4]
    const w float32 [3, 4] random
    const shape int64 [4] = 4 3 1 1
    turned = Transpose(w)
    kernel = Reshape(turned, shape)
    y = Conv(x, kernel)
    output y)");
}

TEST(Lower, transposed_convolutions_have_every_geometry) {
  const std::string net =
      "input x float32 [2, 4, 4, 5]\nconst w float32 [4, 3, 3, 2] random\n"
      "const wb float32 [3] random\n";
  for (const char* attributes :
       {"", "strides=[2, 3]", "strides=[2, 2], pads=[1, 0, 1, 0]", "pads=[0, 1, 1, 0]",
        "strides=[2, 2], pads=[1, 0, 1, 1], output_padding=[1, 0]", "dilations=[2, 3]",
        "strides=[3, 2], output_padding=[2, 1]", "auto_pad=\"SAME_UPPER\", strides=[2, 2]",
        "auto_pad=\"SAME_LOWER\", strides=[2, 2]",
        "auto_pad=\"SAME_UPPER\", strides=[2, 1], dilations=[2, 3]",
        "strides=[2, 2], output_shape=[8, 9]", "strides=[2, 2], output_shape=[2, 3, 12, 9]",
        "auto_pad=\"SAME_UPPER\", strides=[2, 2], output_shape=[7, 7]"}) {
    for (const char* inputs : {"x, w", "x, w, wb"}) {
      expect_lowered(net + "y = ConvTranspose(" + inputs + ") {" + attributes + "}\noutput y");
    }
  }
}

TEST(Lower, transposed_convolutions_in_groups_and_on_any_number_of_axes) {
  expect_lowered(R"(
    input x float32 [2, 4, 3, 3]
    const w float32 [4, 3, 3, 3] random
    const wb float32 [6] random
    y = ConvTranspose(x, w, wb) {group=2, strides=[2, 2], pads=[1, 1, 1, 1]}
    output y)");
  expect_lowered(R"(
    input x float32 [2, 3, 5]
    const w float32 [3, 4, 3] random
    y = ConvTranspose(x, w) {pads=[2, 0], strides=[2]}
    output y)");
  expect_lowered(R"(
    input x float32 [1, 2, 2, 3, 2]
    const w float32 [2, 3, 2, 2, 2] random
    y = ConvTranspose(x, w) {pads=[0, 1, 0, 1, 1, 0]}
    output y)");
  EXPECT_EQ(refusal_of("input x float32 [1, 1, 2, 2, 2, 2]\nconst w float32 [1, 1, 1, 1, 1, 1] "
                       "random\ny = ConvTranspose(x, w)\noutput y"),
            "node 'y' (ConvTranspose): can't be trained: input has rank 6, expected 3 to 5");
}

TEST(Lower, sums_products_by_an_equation) {
  const std::string net =
      "input x float32 [2, 3, 4]\nconst w float32 [4, 5] random\n"
      "const wv float32 [2, 5, 4] random\nconst wb float32 [1, 4] random\n";
  for (const char* call :
       {"(x, w) {equation=\"bij,jk->bik\"}", "(x, wv) {equation=\"bid, bjd -> bij\"}",
        "(x) {equation=\"abc->cab\"}", "(x) {equation=\"abc->b\"}", "(x, w) {equation=\"Bij,jA\"}",
        "(x, wv, w) {equation=\"bid,bjd,dj->bi\"}", "(x, wb) {equation=\"bij,ij->bij\"}",
        "(w, w) {equation=\"ij,ij->\"}"}) {
    expect_lowered(net + "e = Einsum" + call + "\nall = ReduceSum(x)\ny = Add(e, all)\noutput e\n" +
                   "output y");
  }
}

TEST(Lower, multiplies_matrices_of_every_rank) {
  for (const auto& [a, b] :
       {std::pair("3, 4", "4, 5"), std::pair("2, 3, 4", "4, 5"), std::pair("2, 1, 3, 4", "5, 4, 2"),
        std::pair("4", "2, 4, 3"), std::pair("2, 3, 4", "4"), std::pair("4", "4")}) {
    expect_lowered(std::string("input a float32 [") + a + "]\nconst w float32 [" + b +
                   "] random\ny = MatMul(a, w)\noutput y");
  }
}

TEST(Lower, gemm_scales_transposes_and_broadcasts) {
  expect_lowered(R"(
    input a float32 [3, 4]
    const w float32 [5, 4] random
    const wc float32 [5] random
    y = Gemm(a, w, wc) {transB=1}
    output y)");
  expect_lowered(R"(
    input a float32 [4, 3]
    const w float32 [4, 5] random
    const wc float32 [3, 1] random
    y = Gemm(a, w, wc) {transA=1, alpha=0.5, beta=2.0}
    output y)");
  expect_lowered(R"(
    input a float32 [3, 4]
    const w float32 [4, 5] random
    const wc float32 [] random
    y = Gemm(a, w, wc) {beta=-1.0}
    z = Gemm(a, w) {alpha=3.0}
    output y
    output z)");
}

TEST(Lower, normalises_with_running_statistics_in_evaluation) {
  for (const char* shape : {"3, 4", "3, 4, 5", "2, 4, 3, 3"}) {
    expect_lowered(std::string("input x float32 [") + shape + R"(]
      const w float32 [4] random
      const wb float32 [4] random
      const mean float32 [4] random
      const variance float32 [4] positive
      y = BatchNormalization(x, w, wb, mean, variance) {epsilon=0.1, momentum=0.7}
      output y)");
  }
}

TEST(Lower, pools_as_onnx_counts) {
  for (const char* pads : {"0, 0, 0, 0", "1, 1, 1, 1", "1, 0, 0, 1", "2, 1, 2, 1"}) {
    for (const char* rest :
         {"", ", ceil_mode=1", ", count_include_pad=1", ", ceil_mode=1, count_include_pad=1"}) {
      expect_lowered(std::string("input x float32 [1, 2, 8, 7]\ny = AveragePool(x) "
                                 "{kernel_shape=[3, 2], strides=[2, 2], pads=[") +
                     pads + "]" + rest + "}\noutput y");
    }
  }
}

TEST(Lower, averages_with_dilations_and_automatic_padding) {
  expect_lowered(R"(
    opset 19
    input x float32 [1, 2, 8, 7]
    y = AveragePool(x) {kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 1, 1]}
    output y)");
  expect_lowered(R"(
    input x float32 [1, 2, 8, 7]
    y = AveragePool(x) {kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"}
    output y)");
}

TEST(Lower, max_pool_pads_with_minus_infinity) {
  for (const char* attributes :
       {"pads=[1, 1, 1, 1]", "pads=[1, 0, 0, 1]", "pads=[2, 1, 2, 1]", "ceil_mode=1",
        "pads=[1, 0, 2, 1], dilations=[2, 1], ceil_mode=1", "auto_pad=\"SAME_LOWER\""}) {
    expect_lowered(std::string("input x float32 [1, 2, 11, 10]\nbelow = Softplus(x)\n"
                               "z = Neg(below)\ny = MaxPool(z) {kernel_shape=[3, 2], "
                               "strides=[2, 3], ") +
                   attributes + "}\noutput y");
  }
}

TEST(Lower, pools_on_one_axis_and_on_three) {
  for (const char* type : {"MaxPool", "AveragePool"}) {
    for (const char* pads : {"1, 1", "1, 0"}) {
      expect_lowered(std::string("input x float32 [2, 3, 9]\ny = ") + type +
                     "(x) {kernel_shape=[3], strides=[2], pads=[" + pads + "]}\noutput y");
    }
    for (const char* pads : {"1, 0, 1, 1, 0, 1", "0, 0, 1, 1, 0, 0"}) {
      expect_lowered(std::string("input x float32 [1, 2, 4, 3, 5]\ny = ") + type +
                     "(x) {kernel_shape=[2, 2, 2], pads=[" + pads + "]}\noutput y");
    }
  }
}

TEST(Lower, pools_whole_images) {
  for (const char* type : {"GlobalAveragePool", "GlobalMaxPool"}) {
    for (const char* shape : {"2, 3, 5", "2, 3, 4, 5", "2, 3, 2, 3, 2"}) {
      expect_lowered(std::string("input x float32 [") + shape + "]\ny = " + type + "(x)\noutput y");
    }
  }
}

}  // namespace
}  // namespace coppice::train
