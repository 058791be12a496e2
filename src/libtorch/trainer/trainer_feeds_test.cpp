// Inputs beside the images, outputs that are parts of the loss, and passes that only move
// statistics.
#include <gtest/gtest.h>

#include "core/error.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

// A convolution whose weights a small net makes of a code, as MetaPruning's are.
constexpr char kGenerated[] = R"(
  opset 13
  input x float32 [N, 2, 4, 4]
  input code float32 [1, 3]
  const g float32 [3, 54] random
  const b float32 [54] random
  const shape int64 [4] = 3 2 3 3
  const starts int64 [1] = 0
  const ends int64 [1] = 2
  const fw float32 [4, 2] random
  m = Gemm(code, g, b)
  w = Reshape(m, shape)
  s = Slice(w, starts, ends)
  c = Conv(x, s)
  a = GlobalAveragePool(c)
  f = Flatten(a)
  y = Gemm(f, fw) {transB=1}
  output y)";

Tensor code(float a, float b, float c) {
  return Tensor::of<float>({1, 3}, std::vector<float>{a, b, c});
}

StepResult step_with(TestTrainer& net, const NamedTensors& feeds) {
  return net.trainer->step(net.images(1, TestTrainer::kBatch),
                           random_labels(TestTrainer::kBatch, 4, 2),
                           {.learning_rate = 0.1, .seed = 3, .feeds = feeds});
}

TEST(TrainerFeeds, weights_that_a_net_makes_of_a_code_are_trained_through) {
  TestTrainer net(kGenerated, for_classes(4));
  const double first = step_with(net, {{"code", code(1, 0, -1)}}).loss;
  EXPECT_NE(net.stored("g"), net.loaded("g"));
  double last = first;
  for (int i = 0; i < 20; ++i) last = step_with(net, {{"code", code(1, 0, -1)}}).loss;
  EXPECT_LT(last, first);
}

TEST(TrainerFeeds, of_a_code_of_zero_no_gradient_comes_to_what_multiplies_with_it) {
  OptimizerOptions plain;
  plain.weight_decay = 0;
  TestTrainer net(kGenerated, for_classes(4, plain));
  step_with(net, {{"code", code(0, 0, 0)}});
  EXPECT_EQ(net.stored("g"), net.loaded("g"));
  EXPECT_NE(net.stored("b"), net.loaded("b"));
}

TEST(TrainerFeeds, what_is_missing_or_of_another_shape_is_refused_by_name) {
  TestTrainer net(kGenerated, for_classes(4));
  const auto message = [&](const NamedTensors& feeds) -> std::string {
    try {
      step_with(net, feeds);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "(no error)";
  };
  EXPECT_EQ(message({}), "input 'code' is given nothing");
  const Tensor wide = Tensor::zeros(DType::f32, {1, 4});
  EXPECT_EQ(message({{"code", wide}}), "input 'code': the feed is 1x4, the model expects 1x3");
}

constexpr char kPenalised[] = R"(
  opset 13
  input x float32 [N, 3]
  const w float32 [4, 3] random
  const b float32 [4] random
  y = Gemm(x, w, b) {transB=1}
  s = Mul(w, w)
  p = ReduceMean(s)
  output y p)";

// Of mean(w^2) the gradient is 2 w / 12.
TEST(TrainerLosses, an_output_that_is_one_is_added_with_its_weight) {
  OptimizerOptions decaying, plain;
  plain.weight_decay = 0;
  decaying.weight_decay = 0.6 * 2 / 12;
  TrainingSetup with_loss = for_classes(4, plain);
  with_loss.losses = {{"p", 0.6}};
  TestTrainer net(kPenalised, with_loss), expected(kPenalised, for_classes(4, decaying));
  double penalty = 0;
  for (const float w : net.loaded("w").as<float>()) penalty += static_cast<double>(w) * w / 12;
  const double loss = net.step(1).loss, without = expected.step(1).loss;
  EXPECT_NEAR(loss, without + 0.6 * penalty, 1e-5);
  for (uint64_t number = 2; number < 5; ++number) {
    net.step(number);
    expected.step(number);
  }
  EXPECT_LT(difference(expected.stored("w"), net.stored("w")), 1e-5);
  EXPECT_LT(difference(expected.stored("b"), net.stored("b")), 1e-5);
}

TEST(TrainerLosses, a_teacher_of_the_other_outputs_needs_none) {
  const Graph teacher = parse_text_graph(R"(
      input x float32 [N, 3]
      const w float32 [4, 3] random
      y = Gemm(x, w) {transB=1}
      output y)");
  TrainingSetup setup = for_classes(4);
  setup.teacher = &teacher;
  setup.loss.distillation = 0.5;
  setup.losses = {{"p", 0.6}};
  TestTrainer net(kPenalised, setup);
  EXPECT_TRUE(std::isfinite(net.step(1).loss));
}

constexpr char kNorm[] = R"(
  input x float32 [N, 2, 3, 3]
  const scale float32 [2] positive
  const shift float32 [2] random
  const mean float32 [2] random
  const variance float32 [2] positive
  const w float32 [4, 18] random
  n = BatchNormalization(x, scale, shift, mean, variance) {momentum=0.9}
  f = Flatten(n)
  y = Gemm(f, w) {transB=1}
  output y)";

TEST(TrainerStatistics, with_no_momentum_they_become_those_of_the_images_alone) {
  TrainingSetup setup;  // no classes, no teacher
  setup.norm_momentum.given = 0;
  TestTrainer net(kNorm, setup);
  const Tensor images = net.images(5, 6);
  NamedTensors found;
  for (int pass = 0; pass < 2; ++pass) found = net.trainer->move_statistics(images, 0);
  ASSERT_EQ(found.size(), 2u);
  for (int channel = 0; channel < 2; ++channel) {
    double sum = 0, squares = 0;
    for (int n = 0; n < 6; ++n) {
      for (int p = 0; p < 9; ++p) {
        const double x = images.as<float>()[(n * 2 + channel) * 9 + p];
        sum += x;
        squares += x * x;
      }
    }
    const double mean = sum / 54, variance = (squares - sum * mean) / 53;
    EXPECT_NEAR(found.at("mean").as<float>()[channel], mean, 1e-5);
    EXPECT_NEAR(found.at("variance").as<float>()[channel], variance, 1e-5);
  }
  for (const char* name : {"scale", "shift", "w"}) EXPECT_EQ(net.stored(name), net.loaded(name));
  EXPECT_EQ(net.stored().second.updates, 0);
}

}  // namespace
}  // namespace coppice::train
