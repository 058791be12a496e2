// Tiny nets under the losses that their outputs ask for: a softmax in pieces, Sigmoids, a second
// output, boxes beside scores, an output that nothing can follow; and the statistics' momentum.
#include "training/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "runtime/reference.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

constexpr double kTolerance = 1e-5;  // sums in another order, in float

// Four images that a linear layer tells apart.
Tensor corners() {
  return Tensor::of<float>({4, 4},
                           std::vector<float>{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
}
const std::vector<int64_t> kLabels{2, 0, 3, 1};

double loss_after(TestTrainer& net, int steps, double rate = 0.5) {
  double loss = 0;
  for (int i = 0; i < steps; ++i) {
    loss = net.trainer->step(corners(), kLabels, {.learning_rate = rate}).loss;
  }
  return loss;
}

constexpr char kLinear[] = R"(
  input x float32 [N, 4]
  const w float32 [4, 10] random
  l = MatMul(x, w)
)";

TrainingSetup reading(ScoreKind scores) {
  TrainingSetup setup = for_classes(10);
  setup.scores = scores;
  return setup;
}

TEST(Objectives, a_softmax_in_pieces_trains_as_its_logits_do) {
  TestTrainer plain(kLinear + std::string("output l"), for_classes(10));
  for (const char* end :
       {"e = Exp(l)\ns = ReduceSum(e) {axes=[1], keepdims=1}\ny = Div(e, s)\noutput y",
        "p = Softmax(l)\ny = Cast(p) {to=1}\noutput y",
        "const c float32 [] = 100.0\np = Softmax(l)\ny = Mul(p, c)\noutput y"}) {
    TestTrainer pieces("opset 12\n" + std::string(kLinear) + end,
                       reading(ScoreKind::probabilities));
    EXPECT_NEAR(loss_after(plain, 1), loss_after(pieces, 1), 1e-4) << end;
    plain.trainer->load(plain.graph, plain.setup, {});
    EXPECT_LT(loss_after(pieces, 60), 0.1) << end;
  }
  // Taken for logits, ten probabilities give a loss of log(1 + 9 / e) at the least.
  TestTrainer misread(kLinear + std::string("p = Softmax(l)\ny = Cast(p) {to=1}\noutput y"),
                      for_classes(10));
  EXPECT_GT(loss_after(misread, 60), 1.46);
}

TEST(Objectives, chances_train_by_their_own_cross_entropy) {
  TestTrainer sigmoid(kLinear + std::string("y = Sigmoid(l)\noutput y"), for_classes(10));
  TestTrainer behind(kLinear + std::string("s = Sigmoid(l)\ny = Cast(s) {to=1}\noutput y"),
                     reading(ScoreKind::chances));
  EXPECT_NEAR(loss_after(sigmoid, 1), loss_after(behind, 1), 1e-4);
  EXPECT_LT(loss_after(sigmoid, 60), 0.5);
  EXPECT_LT(loss_after(behind, 60), 0.5);
}

TEST(Objectives, scores_without_labels_follow_the_teachers_by_their_divergence) {
  const Graph teacher = parse_text_graph(
      "input x float32 [N, 4]\nconst v float32 [4, 10] random\nl = MatMul(x, v)\n"
      "y = Softmax(l)\noutput y");
  TrainingSetup setup = for_classes(10);
  setup.labels = TrainingSetup::Labels::unused;
  setup.loss.distillation = 1;
  setup.teacher = &teacher;
  TestTrainer net(kLinear + std::string("y = Softmax(l)\noutput y"), setup);
  const StepResult first = net.trainer->step(corners(), {}, {.learning_rate = 0.1});
  EXPECT_EQ(first.correct, 0);
  for (int i = 0; i < 100; ++i) net.trainer->step(corners(), {}, {.learning_rate = 0.1});
  EXPECT_LT(net.trainer->step(corners(), {}, {.learning_rate = 0.1}).loss, first.loss / 10);
}

// Two heads on one trunk; the labels speak of the first.
constexpr char kTwoHeads[] = R"(
  input x float32 [N, 4]
  const t float32 [4, 8] random
  const a float32 [8, 4] random
  const b float32 [8, 3] random
  h = MatMul(x, t)
  r = Tanh(h)
  y = MatMul(r, a)
  z = MatMul(r, b)
  output y z)";

double distance_of_second(TestTrainer& net) {
  const Tensor images = corners();
  const Tensor before = run_reference(net.graph, std::span(&images, 1)).back();
  return difference(before, net.trainer->forward(images).back());
}

TEST(Objectives, a_second_output_stays_near_the_originals_while_the_first_learns_its_labels) {
  TestTrainer alone(kTwoHeads, for_classes(4));
  EXPECT_LT(loss_after(alone, 60, 0.1), 0.3);
  EXPECT_GT(distance_of_second(alone), 0.3) << "its trunk moves away";
  const Graph original = parse_text_graph(kTwoHeads);
  TrainingSetup setup = for_classes(4);
  setup.teacher = &original;  // at a distillation of 0
  TestTrainer taught(kTwoHeads, setup);
  EXPECT_LT(loss_after(taught, 60, 0.1), 0.5);
  EXPECT_LT(distance_of_second(taught), 0.1);
}

// [N, 20, 7]: four numbers in pixels, three between 0 and 1, as a YOLO's rows are.
constexpr char kBoxes[] = R"(
  input x float32 [N, 6]
  const p float32 [6, 80] random
  const s float32 [6, 60] random
  const pixels float32 [] = 640.0
  const box int64 [3] = -1 20 4
  const score int64 [3] = -1 20 3
  a = MatMul(x, p)
  b = Mul(a, pixels)
  c = Reshape(b, box)
  d = MatMul(x, s)
  e = Sigmoid(d)
  f = Reshape(e, score)
  y = Concat(c, f) {axis=2}
  output y)";

double error_of_scores(const Tensor& expected, const Tensor& found) {
  double sum = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    if (i % 7 >= 4) sum += std::pow(double{expected.as<float>()[i]} - found.as<float>()[i], 2);
  }
  return sum;
}

TEST(Objectives, scores_beside_boxes_in_pixels_are_followed_as_well) {
  const Graph original = parse_text_graph(kBoxes);
  Graph cut = original;  // what a cut left: half of the scores' weights
  Tensor& weights = *cut.value(*find_value(cut, "s")).constant;
  for (int64_t i = 0; i < weights.size(); i += 2) weights.mutate<float>()[i] = 0;
  TrainingSetup setup;
  setup.loss.distillation = 1;
  setup.teacher = &original;
  setup.optimizer = {.weight_decay = 0};
  TestTrainer net(cut, setup);
  const Tensor images = random_tensor({32, 6}, 5);
  const Tensor expected = run_reference(original, std::span(&images, 1)).front();
  const double before = error_of_scores(expected, net.trainer->forward(images).front());
  for (int i = 0; i < 200; ++i) net.trainer->step(images, {}, {.learning_rate = 0.1});
  EXPECT_LT(error_of_scores(expected, net.trainer->forward(images).front()), before / 4);
}

TEST(Objectives, an_output_of_unknown_size_is_left_and_forward_gives_an_empty_tensor_for_it) {
  const std::string text =
      "input x float32 [N, 4]\nconst w float32 [4, 3] random\nconst best int64 [1] = 5\n"
      "y = MatMul(x, w)\nz = Tanh(y)\nn = NonMaxSuppression(z, y, best)\noutput z\n"
      "output n int64\noutput y";
  const Graph original = parse_text_graph(text);
  TrainingSetup setup;
  setup.loss.distillation = 1;
  setup.teacher = &original;
  TestTrainer net(text, setup);
  EXPECT_EQ(net.step(1).loss, 0);
  const Tensor images = net.images(1, 3);
  const auto found = net.trainer->forward(images);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].shape(), (Shape{3, 3}));
  EXPECT_EQ(found[1].rank(), 0);
  EXPECT_EQ(found[2].shape(), (Shape{3, 3}));
}

constexpr char kNormalised[] = R"(
  input x float32 [N, 2, 4, 4]
  const w float32 [3, 2, 1, 1] random
  const scale float32 [3] ones
  const shift float32 [3] zeros
  const mean float32 [3] = 10 -10 5
  const variance float32 [3] ones
  c = Conv(x, w)
  n = BatchNormalization(c, scale, shift, mean, variance) {momentum=0.99}
  g = GlobalAveragePool(n)
  y = Flatten(g)
  output y)";

TEST(Objectives, an_epoch_leaves_a_twentieth_of_old_statistics_and_the_files_momentum) {
  constexpr int64_t kUpdates = 6;
  for (const auto& [momentum, left] :
       {std::pair{NormMomentum{}, std::pow(0.99, kUpdates)},
        std::pair{norm_momentum_of({}, kUpdates), 0.05},
        std::pair{NormMomentum{.given = 0.5}, std::pow(0.5, kUpdates)}}) {
    TrainingSetup setup = for_classes(3);
    setup.norm_momentum = momentum;
    TestTrainer net(kNormalised, setup);
    const Tensor images = net.images(1, 8);
    for (int i = 0; i < kUpdates; ++i) {
      net.trainer->step(images, random_labels(8, 3, 1), {.learning_rate = 0});
    }
    // The same images and weights: the batch's mean m never changes.
    const Tensor before = net.loaded("mean"), after = net.stored("mean");
    const Tensor computed =
        run_reference(net.graph, std::span(&images, 1), std::vector{*find_value(net.graph, "c")})
            .back();
    for (int64_t channel = 0; channel < 3; ++channel) {
      double m = 0;
      for (int64_t i = 0; i < 8; ++i) {
        const auto plane = computed.as<float>().subspan((i * 3 + channel) * 16, 16);
        m += std::accumulate(plane.begin(), plane.end(), 0.0) / (8 * 16);
      }
      const double expected = left * before.as<float>()[channel] + (1 - left) * m;
      EXPECT_NEAR(after.as<float>()[channel], expected, kTolerance * 10);
    }
    EXPECT_EQ(net.stored().first.nodes[1].attributes.real("momentum", 0), 0.99f);
  }
}

}  // namespace
}  // namespace coppice::train
