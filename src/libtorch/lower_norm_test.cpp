// Lowerings of normalisations by statistics of the data itself.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

const std::string kLayer =
    "opset 23\ninput x float32 [2, 3, 4, 2]\nconst w float32 [2] random\n"
    "const wb float32 [2] random\nconst w2 float32 [4, 2] random\nconst wb2 float32 [4, 1] random\n"
    "const w3 float32 [1] random\n";

TEST(LowerNorm, layers_over_their_last_axes) {
  for (const char* call :
       {"LayerNormalization(x, w, wb)", "LayerNormalization(x, w)",
        "LayerNormalization(x, w, wb) {epsilon=0.1, stash_type=1}",
        "LayerNormalization(x, w2, wb2) {axis=2}", "LayerNormalization(x, w, wb2) {axis=-2}",
        "LayerNormalization(x, w3, w2) {axis=1}", "RMSNormalization(x, w)",
        "RMSNormalization(x, w2) {axis=2}", "RMSNormalization(x, w) {axis=1, epsilon=0.1}"}) {
    expect_lowered(kLayer + "y = " + call + "\noutput y");
  }
}

TEST(LowerNorm, layers_give_their_statistics_with_gradients) {
  expect_lowered(kLayer +
                 "y, mean, deviation = LayerNormalization(x, w2, wb2) {axis=2, epsilon=0.01}\n"
                 "output y\noutput mean\noutput deviation");
  expect_lowered(kLayer + "y, -, deviation = LayerNormalization(x, w)\noutput deviation");
}

TEST(LowerNorm, layers_refuse_scales_beyond_what_they_normalise) {
  EXPECT_EQ(refusal_of(kLayer + "y = LayerNormalization(x, w2)\noutput y"),
            "node 'y' (LayerNormalization): can't be trained: input 1 has shape 4x2, expected one "
            "that broadcasts to the normalised 2");
}

TEST(LowerNorm, images_by_channel) {
  for (const char* shape : {"2, 4, 5", "2, 4, 3, 3", "1, 4, 2, 2, 2"}) {
    expect_lowered(std::string("input x float32 [") + shape +
                   "]\nconst w float32 [4] random\nconst wb float32 [4] random\n"
                   "y = InstanceNormalization(x, w, wb) {epsilon=0.01}\noutput y");
  }
}

TEST(LowerNorm, groups_scale_by_group_before_opset_21_and_by_channel_since) {
  for (const char* groups : {"1", "2", "3", "6"}) {
    expect_lowered(std::string("opset 18\ninput x float32 [2, 6, 3, 2]\nconst w float32 [") +
                   groups + "] random\nconst wb float32 [" + groups +
                   "] random\ny = GroupNormalization(x, w, wb) {epsilon=0.01, num_groups=" +
                   groups + "}\noutput y");
    expect_lowered(std::string("opset 21\ninput x float32 [2, 6, 4]\nconst w float32 [6] random\n"
                               "const wb float32 [6] random\n"
                               "y = GroupNormalization(x, w, wb) {num_groups=") +
                   groups + "}\noutput y");
  }
}

TEST(LowerNorm, mean_and_variance_over_any_axes) {
  for (const char* attributes : {"", "axes=[1]", "axes=[0, -1]", "axes=[0, 1, 2, 3]"}) {
    expect_lowered(std::string("input x float32 [2, 3, 4, 2]\n"
                               "y = MeanVarianceNormalization(x) {") +
                   attributes + "}\noutput y");
  }
  EXPECT_EQ(refusal_of("input x float32 [2, 3, 4]\ny = MeanVarianceNormalization(x)\noutput y"),
            "node 'y' (MeanVarianceNormalization): can't be trained: input has rank 3, expected 4 "
            "where 'axes' isn't given");
}

TEST(LowerNorm, lines_of_length_one) {
  for (const char* attributes : {"", "p=1", "axis=1", "axis=-3, p=2", "axis=0, p=1"}) {
    expect_lowered(std::string("input x float32 [2, 3, 4, 2]\ny = LpNormalization(x) {") +
                   attributes + "}\noutput y");
  }
  EXPECT_EQ(refusal_of("input x float32 [2, 3]\ny = LpNormalization(x) {p=3}\noutput y"),
            "node 'y' (LpNormalization): can't be trained: 'p' is 3, expected 1 or 2");
}

TEST(LowerNorm, a_line_of_zeros_stays_one_and_has_a_finite_gradient) {
  for (const char* p : {"1", "2"}) {
    const LoweredGraph net(std::string("input x float32 [2, 3]\nconst w float32 [2, 1] = 0 1\n"
                                       "z = Mul(x, w)\ny = LpNormalization(z) {p=") +
                           p + "}\noutput y");
    expect_forward(net);
    Values leaves = net.leaves(at::kFloat);
    const at::Tensor x = leaves[net.id("x")].requires_grad_(true);
    const Values values = net.run(leaves, Mode::training);
    const auto gradients = torch::autograd::grad({values[net.id("y")].sum()}, {x});
    EXPECT_TRUE(gradients[0].isfinite().all().item<bool>());
    EXPECT_GT(gradients[0].abs().max().item<double>(), 1e-3);
  }
}

TEST(LowerNorm, neighbouring_channels) {
  for (const char* size : {"1", "2", "3", "4", "5", "13"}) {
    for (const char* rest : {"", ", alpha=0.5, beta=0.6, bias=2.0"}) {
      expect_lowered(std::string("input x float32 [2, 6, 2, 3]\ny = LRN(x) {size=") + size + rest +
                     "}\noutput y");
    }
  }
  expect_lowered("input x float32 [2, 5]\ny = LRN(x) {size=3, alpha=1.0}\noutput y");
}

}  // namespace
}  // namespace coppice::train
