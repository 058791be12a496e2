// How many parameters are trained, and what is said of those that aren't.
#include "training/trained_share.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "onnx/onnx.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"

namespace coppice {
namespace {

using fake::message_of;

TEST(TrainedShare, of_a_float_model_is_all) {
  const TrainedShare share = trained_share(parse_text_graph(fake::kNet));
  EXPECT_EQ(share.trained, 36 + 4 + 4 + 12 + 9 + 3);
  EXPECT_EQ(share.all, share.trained);
  EXPECT_EQ(share.all_weights, 36 + 12 + 9);
  EXPECT_EQ(share.trained_weights, share.all_weights);
  EXPECT_EQ(share.first_untrained, "");
  EXPECT_NO_THROW(require_trained_weights(share));
}

// Two layers; the weights of `quantised` are codes.
std::string text(const std::string& first, const std::string& second) {
  return "input x float32 [N, 1, 4, 4]\nconst w1 float32 [4, 1, 3, 3] random\n"
         "const q1 int8 [4, 1, 3, 3] zeros\nconst b1 float32 [4] random\n"
         "const w2 float32 [3, 16] random\nconst q2 int8 [3, 16] zeros\n"
         "const scale float32 [] = 0.1\n"
         "d1 = DequantizeLinear(q1, scale)\nd2 = DequantizeLinear(q2, scale)\n"
         "a = Conv(x, " +
         first + ", b1)\nf = Flatten(a)\ny = Gemm(f, " + second + ") {transB=1}\noutput y";
}

TEST(TrainedShare, counts_codes_behind_a_dequantize_linear_as_what_is_not_trained) {
  const TrainedShare share = trained_share(parse_text_graph(text("d1", "d2")));
  EXPECT_EQ(share.trained, 4);
  EXPECT_EQ(share.all, 4 + 36 + 48);
  EXPECT_EQ(message_of(ErrorKind::input, [&] { require_trained_weights(share); }),
            "only 0 of 84 weights of the model's layers can be trained, expected half or more; "
            "node 'a' (Conv): its weights come out of node 'd1' (DequantizeLinear); train the "
            "model in float32, and quantise the result");
}

TEST(TrainedShare, from_half_of_the_weights_on_a_model_trains) {
  EXPECT_NO_THROW(require_trained_weights(trained_share(parse_text_graph(text("d1", "w2")))));
  EXPECT_EQ(trained_share(parse_text_graph(text("d1", "w2"))).trained_weights, 48);
  EXPECT_THROW(require_trained_weights(trained_share(parse_text_graph(text("w1", "d2")))), Error);
}

TEST(TrainedShare, names_weights_that_the_graph_computes_and_those_of_another_type) {
  EXPECT_EQ(trained_share(parse_text_graph(R"(
              input x float32 [N, 3]
              const v float32 [3, 4] random
              const g float32 [1, 4] positive
              w = Mul(v, g)
              t = Transpose(w)
              y = Gemm(x, t) {transB=1}
              output y)"))
                .first_untrained,
            "node 'y' (Gemm): its weights come out of node 'w' (Mul); export the model with its "
            "weights computed");
  EXPECT_EQ(trained_share(parse_text_graph(R"(
              input x float64 [N, 2]
              const w float64 [2, 2] = 1 2 3 4
              y = MatMul(x, w)
              output y float64)"))
                .first_untrained,
            "node 'y' (MatMul): its weights are float64, only float32 is trained; export the model "
            "in float32");
}

TEST(TrainedShare, a_product_of_two_activations_is_no_layer) {
  const TrainedShare share = trained_share(
      parse_text_graph("input x float32 [N, 3]\nt = Transpose(x)\ny = MatMul(x, t)\noutput y"));
  EXPECT_EQ(share.all, 0);
  EXPECT_NO_THROW(require_trained_weights(share));
}

TEST(TrainedShare, real_models_in_float_train_whole) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  for (const char* name : {"cifar10/resnet20.onnx", "imagenet/mobilenet_v2_1.0_224.onnx",
                           "wild/mnist_cntk.onnx", "mnist/lenet_300_100.onnx"}) {
    const TrainedShare share = trained_share(read_onnx(*data / "models" / name));
    EXPECT_EQ(share.trained, share.all) << name;
    EXPECT_GT(share.all_weights, 1000) << name;
  }
}

}  // namespace
}  // namespace coppice
