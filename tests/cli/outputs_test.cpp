// Training of models whose outputs aren't plain scores, as a user runs it: a softmax in pieces, two
// outputs, codes instead of weights. Skipped where the training half wasn't built.
#include <gmock/gmock.h>

#include <filesystem>

#include "cli/program.h"
#include "onnx/onnx.h"
#include "support/temp_dir.h"
#include "support/text_graph.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// For the built-in digits; `end` makes outputs of the ten scores 'l'.
std::string net(const std::string& end) {
  return R"(
    opset 12
    input x float32 [N, 1, 28, 28]
    const w1 float32 [784, 32] random
    const small float32 [] = 0.1
    const w2 float32 [32, 10] random
    f = Flatten(x)
    a = MatMul(f, w1)
    b = Mul(a, small)
    r = Relu(b)
    c = MatMul(r, w2)
    l = Mul(c, small)
    )" + end;
}

class TrainingOfOutputs : public testing::Test {
 protected:
  void SetUp() override {
    const auto library = std::filesystem::path(COPPICE_PROGRAM).parent_path();
    if (!std::filesystem::exists(library / "libcoppice_train.so")) {
      GTEST_SKIP() << "built without training";
    }
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // The net scales its products down, so its rates are large, and decay would hold it back.
  Ran train(const std::string& text) const {
    write_onnx(parse_text_graph(text), folder_ / "net.onnx");
    return coppice({"train",
                    path("net.onnx"),
                    "--data",
                    "digits",
                    "--preprocess",
                    "scale=1/255",
                    "--epochs",
                    "1",
                    "--lr",
                    "10",
                    "--weight-decay",
                    "0",
                    "--distill",
                    "0",
                    "--batch",
                    "64",
                    "--threads",
                    "1",
                    "-o",
                    path("on.onnx"),
                    "--json"});
  }

  TempDir folder_;
};

TEST_F(TrainingOfOutputs, a_softmax_in_pieces_learns_and_is_judged_as_probabilities) {
  const Ran ran = train(
      net("m = ReduceMax(l) {axes=[1]}\nd = Sub(l, m)\ne = Exp(d)\ns = ReduceSum(e) {axes=[1]}\n"
          "y = Div(e, s)\noutput y"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("output 'y' holds probabilities of the classes"));
  const json training = ran.json()["training"];
  EXPECT_THAT(training["remarks"].dump(), HasSubstr("holds probabilities"));
  EXPECT_EQ(training["history"][0]["held_out"]["loss_of"], "probabilities");
  EXPECT_LT(training["history"][0]["held_out"]["loss"], 0.5);
  const Ran eval =
      coppice({"eval", path("on.onnx"), "--data", "digits", "--limit", "200", "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(eval.json()["loss_of"], "probabilities");
  EXPECT_LT(eval.json()["loss"], 0.6);
  EXPECT_THAT(eval.err, HasSubstr("the outputs are probabilities"));
}

TEST_F(TrainingOfOutputs, a_second_one_is_said_to_follow_the_original) {
  const Ran ran = train(net("z = Tanh(r)\noutput l z"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("no labels speak of output 'z': kept near to the original's"));
  EXPECT_EQ(ran.json()["training"]["parameters"], (json{{"trained", 25408}, {"all", 25408}}));
}

TEST_F(TrainingOfOutputs, behind_codes_instead_of_weights_is_refused_with_the_first_layer) {
  const Ran ran = train(R"(
    input x float32 [N, 1, 28, 28]
    const q int8 [784, 10] zeros
    const scale float32 [] = 0.1
    const b float32 [10] random
    w = DequantizeLinear(q, scale)
    f = Flatten(x)
    y = Gemm(f, w, b)
    output y)");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("only 0 of 7840 weights of the model's layers can be trained"));
  EXPECT_THAT(ran.err, HasSubstr("node 'y' (Gemm): its weights come out of node 'w' (Dequantize"));
  EXPECT_FALSE(std::filesystem::exists(path("on.onnx")));
  EXPECT_FALSE(std::filesystem::exists(path("on.run") + "/checkpoint")) << "nothing was begun";
}

}  // namespace
}  // namespace coppice
