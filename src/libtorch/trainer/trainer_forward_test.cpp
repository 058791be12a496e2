// The outputs of a trainer: whatever the batch, after training as the stored graph has them, as
// probabilities where the graph ends in a Softmax, and the same dropout for the same seed.
#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "runtime/reference.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

// The reference sums in another order, in float.
constexpr double kTolerance = 1e-5;

constexpr char kNet[] = R"(
  input x float32 [N, 2, 4, 4]
  const w1 float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] random
  const mean float32 [3] random
  const variance float32 [3] positive
  const w2 float32 [48, 4] random
  c = Conv(x, w1) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, scale, shift, mean, variance)
  r = Relu(n)
  f = Flatten(r)
  y = MatMul(f, w2)
  output y)";

Tensor reference(const Graph& graph, const Tensor& images) {
  return run_reference(graph, std::vector<Tensor>{images}).front();
}

TEST(TrainerForward, gives_each_image_the_same_outputs_in_a_batch_of_any_size) {
  TestTrainer net(kNet, for_classes(4));
  net.step(1);
  const Tensor eight = net.trainer->forward(net.images(2, 8)).front();
  for (const int64_t batch : {1, 3, 8}) {
    Tensor images = Tensor::zeros(DType::f32, {batch, 2, 4, 4});
    std::ranges::copy(net.images(2, 8).as<float>().first(batch * 32),
                      images.mutate<float>().begin());
    const Tensor found = net.trainer->forward(images).front();
    ASSERT_EQ(found.shape(), (Shape{batch, 4}));
    for (int64_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found.as<float>()[i], eight.as<float>()[i], kTolerance) << batch << ", " << i;
    }
  }
}

TEST(TrainerForward, equals_the_stored_graph_after_training) {
  TestTrainer net(kNet, for_classes(4));
  const Tensor images = net.images(9, 5), before = net.trainer->forward(images).front();
  EXPECT_LT(difference(reference(net.graph, images), before), kTolerance);
  for (uint64_t number = 0; number < 4; ++number) net.step(number);
  const Tensor after = net.trainer->forward(images).front();
  EXPECT_LT(difference(reference(net.stored().first, images), after), kTolerance);
  EXPECT_GT(difference(before, after), 0.01);
}

TEST(TrainerForward, does_not_move_the_running_statistics_and_a_step_does) {
  TestTrainer net(kNet, for_classes(4));
  net.trainer->forward(net.images(1, 8));
  for (const char* name : {"mean", "variance"}) EXPECT_EQ(net.stored(name), net.loaded(name));
  net.step(1);
  for (const char* name : {"mean", "variance"}) EXPECT_NE(net.stored(name), net.loaded(name));
}

TEST(TrainerForward, statistics_behind_an_identity_are_moved_and_stored) {
  std::string text = kNet;
  text.replace(text.find("  n = "), 0, "  m = Identity(mean)\n  v = Identity(variance)\n");
  text.replace(text.find("mean, variance)"), 15, "m, v)");
  TestTrainer behind(text, for_classes(4)), direct(kNet, for_classes(4));
  for (uint64_t number = 0; number < 3; ++number) {
    behind.step(number);
    direct.step(number);
  }
  for (const char* name : {"w1", "mean", "variance"}) {
    EXPECT_EQ(behind.stored(name), direct.stored(name)) << name;
  }
  const Tensor images = behind.images(9, 3);
  EXPECT_EQ(behind.trainer->forward(images).front(), direct.trainer->forward(images).front());
}

TEST(TrainerForward, gives_all_outputs_in_order_the_known_ones_too) {
  TestTrainer net(R"(
    input x float32 [N, 4]
    const w float32 [4, 3] random
    const sizes int64 [2] = 7 9
    y = MatMul(x, w)
    z = Relu(y)
    s = Identity(sizes)
    output y z
    output s int64 [2]
    output sizes int64 [2])",
                  for_classes(3));
  net.step(1);
  const Tensor images = net.images(2, 5);
  const auto found = net.trainer->forward(images);
  const auto expected = run_reference(net.stored().first, std::vector<Tensor>{images});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_LT(difference(expected[0], found[0]), kTolerance);
  EXPECT_LT(difference(expected[1], found[1]), kTolerance);
  EXPECT_EQ(found[2], expected[2]);
  EXPECT_EQ(found[3], expected[3]);
}

constexpr char kScores[] = R"(
  input x float32 [N, 4]
  const w float32 [4, 3] random
  scores = MatMul(x, w)
)";

TEST(TrainerForward, a_softmax_at_the_end_trains_on_its_logits_and_still_gives_probabilities) {
  const std::string ends[] = {
      "y = Softmax(scores)\noutput y",
      "const shape int64 [2] = -1 3\np = Softmax(scores)\ny = Reshape(p, shape)\noutput y"};
  for (const std::string& end : ends) {
    TestTrainer plain(kScores + std::string("output scores"), for_classes(3));
    TestTrainer softmax(kScores + end, for_classes(3));
    for (uint64_t number = 0; number < 3; ++number) {
      EXPECT_EQ(plain.step(number).loss, softmax.step(number).loss);
    }
    EXPECT_EQ(plain.stored("w"), softmax.stored("w"));
    const Tensor images = softmax.images(1, 5), found = softmax.trainer->forward(images).front();
    ASSERT_EQ(found.shape(), (Shape{5, 3}));
    EXPECT_LT(difference(reference(softmax.stored().first, images), found), kTolerance);
    const auto row = found.as<float>().first(3);
    EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1, kTolerance);
  }
}

TEST(TrainerForward, dropout_drops_by_the_seed_and_only_in_a_step) {
  const std::string text =
      std::string(kScores) + "const ratio float32 [] = 0.5\ny = Dropout(scores, ratio)\noutput y";
  const auto loss = [&](uint64_t seed) {
    TestTrainer net(text, for_classes(3));
    return net.trainer->step(net.images(1, 8), random_labels(8, 3, 1), {.seed = seed}).loss;
  };
  EXPECT_EQ(loss(1), loss(1));
  EXPECT_NE(loss(1), loss(2));
  TestTrainer net(text, for_classes(3));
  const Tensor images = net.images(1, 8);
  EXPECT_LT(difference(reference(net.graph, images), net.trainer->forward(images).front()),
            kTolerance);
}

TEST(TrainerForward, images_of_another_size_than_the_model_has_are_refused) {
  TestTrainer net(kNet, for_classes(4));
  try {
    net.trainer->forward(random_tensor({2, 2, 5, 4}, 1));
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(), "input 'x': the images are 2x2x5x4, the model expects 2x2x4x4");
  }
}

}  // namespace
}  // namespace coppice::train
