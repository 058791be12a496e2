// Training of models whose outputs aren't plain scores, as a user runs it: a softmax in pieces, two
// outputs, codes instead of weights. Skipped where the training half wasn't built.
#include <gmock/gmock.h>

#include <filesystem>

#include "cli/program.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

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
  Ran train(const std::string& text, const std::string& distillation = "0") const {
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
                    distillation,
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

TEST_F(TrainingOfOutputs, in_percent_are_chances_still) {
  const Ran ran = train(net("const k float32 [] = 100.0\ns = Sigmoid(l)\ny = Mul(s, k)\noutput y"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("holds a chance for each class by itself"));
  const json judged = ran.json()["training"]["history"][0]["held_out"];
  EXPECT_EQ(judged["loss_of"], "chances");
  EXPECT_LT(judged["loss"], 2) << "ten classes at a chance of a half would be 7";
  EXPECT_GT(judged["top1"], 0.8);
}

TEST_F(TrainingOfOutputs, that_are_no_scores_have_no_accuracy) {
  const Ran ran = train(net("const s int64 [3] = -1 5 2\ny = Reshape(l, s)\noutput y"), "1");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, testing::Not(HasSubstr("top-1")));
  const json found = ran.json();
  EXPECT_TRUE(found["judged_by"].is_null()) << found["judged_by"];
  EXPECT_TRUE(found["training"]["history"][0]["top1"].is_null());
  EXPECT_FALSE(found.contains("judged"));
}

TEST_F(TrainingOfOutputs, no_hint_leads_to_another_refusal) {
  const Ran ran = train(net("y = ArgMax(l) {axis=1, keepdims=0}\noutput y int64"), "0");
  EXPECT_TRUE(fails(ran, 3, "export the model without ArgMax")) << ran.err;
  EXPECT_THAT(ran.err, testing::Not(HasSubstr("--distill")));
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

// What chooses rows by the numbers in them can't be run: the cut is proved by what it reads.
TEST(OutputsThatChooseRows, are_cut_and_proved_by_what_the_rows_are_chosen_from) {
  const TempDir dir;
  write_onnx(parse_text_graph(R"(
    opset 12
    input x float32 [1, 3, 8, 8]
    const w float32 [16, 3, 3, 3] random
    const b float32 [8, 16, 1, 1] random
    const most int64 [1] = 5
    const box int64 [3] = 1 -1 4
    const score int64 [3] = 1 1 -1
    h = Conv(x, w)
    r = Relu(h)
    c = Conv(r, b)
    boxes = Reshape(c, box)
    f = Reshape(c, score)
    z = MaxPool(f) {kernel_shape=[4], strides=[4]}
    n = NonMaxSuppression(boxes, z, most)
    output n int64)"),
             dir / "net.onnx");
  const std::string net = dir / "net.onnx", out = dir / "out.onnx";
  const Ran proved = coppice({"prune", net, "-o", out, "--latency", "off"});
  EXPECT_EQ(proved.code, 0);
  EXPECT_THAT(proved.out, HasSubstr("around 'n' (NonMaxSuppression), which coppice can't run"));
  EXPECT_EQ(coppice({"prune", net, "-o", out, "--latency", "off", "--verify", "off"}).code, 0);
  EXPECT_EQ(coppice({"prune", net, "-o", out, "--verify", "off"}).code, 0);
  const Ran trained = coppice({"prune", net, "-o", out, "--data", "digits", "--epochs", "1"});
  EXPECT_NE(trained.code, 0);
  EXPECT_THAT(trained.err, testing::Not(HasSubstr("--verify off"))) << "nothing to train it by";
}

}  // namespace
}  // namespace coppice
