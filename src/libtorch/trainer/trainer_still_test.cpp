// Channels of BatchNormalization that their running statistics normalise while the net trains.
#include <gtest/gtest.h>

#include <cmath>

#include "support/test_trainer.h"

namespace coppice::train {
namespace {

constexpr char kNet[] = R"(
  input x float32 [N, 2, 4, 4]
  const w float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] positive
  const mean float32 [3] random
  const variance float32 [3] positive
  const fw float32 [4, 3] random
  c = Conv(x, w) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, scale, shift, mean, variance)
  r = Relu(n)
  g = GlobalAveragePool(r)
  f = Flatten(g)
  y = Gemm(f, fw) {transB=1}
  output y)";

TrainingSetup holding(const std::vector<float>& channels) {
  TrainingSetup setup = for_classes(4, {.momentum = 0, .weight_decay = 0});
  setup.still = {{"scale", Tensor::of<float>({3}, channels)}};
  return setup;
}

const Tensor& constant(const Graph& graph, const char* name) {
  return *graph.value(*find_value(graph, name)).constant;
}

double cross_entropy(const Tensor& scores, std::span<const int64_t> labels) {
  const int64_t classes = scores.shape()[1];
  double loss = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const float* row = scores.as<float>().data() + static_cast<int64_t>(i) * classes;
    double sum = 0;
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(row[c]);
    loss += std::log(sum) - row[labels[i]];
  }
  return loss / static_cast<double>(labels.size());
}

TEST(TrainerStill, all_channels_held_train_what_inference_computes) {
  TestTrainer net(kNet, holding({1, 1, 1}));
  const Tensor images = net.images(3, 8);
  const auto labels = random_labels(8, 4, 5);
  const double expected = cross_entropy(net.trainer->forward(images).front(), labels);
  EXPECT_NEAR(net.trainer->step(images, labels, {.learning_rate = 0.1}).loss, expected, 1e-6);
  const Graph after = net.stored().first;
  for (const char* statistic : {"mean", "variance"}) {
    EXPECT_EQ(constant(after, statistic), constant(net.graph, statistic)) << statistic;
  }
}

TEST(TrainerStill, the_others_go_by_the_batch_as_ever) {
  TestTrainer held(kNet, holding({0, 1, 0})), plain(kNet, for_classes(4));
  held.step(1);
  plain.step(1);
  const Graph after = held.stored().first, expected = plain.stored().first;
  for (const char* statistic : {"mean", "variance"}) {
    const auto found = constant(after, statistic).as<float>();
    EXPECT_FLOAT_EQ(found[0], constant(expected, statistic).as<float>()[0]);
    EXPECT_EQ(found[1], constant(held.graph, statistic).as<float>()[1]);
    EXPECT_FLOAT_EQ(found[2], constant(expected, statistic).as<float>()[2]);
  }
}

double moved(const TestTrainer& net, int64_t filter) {
  const Graph after = net.stored().first;
  double sum = 0;
  for (int64_t i = filter * 18; i < (filter + 1) * 18; ++i) {
    const double by = constant(after, "w").as<float>()[i] - constant(net.graph, "w").as<float>()[i];
    sum += by * by;
  }
  return std::sqrt(sum);
}

TEST(TrainerStill, a_filter_of_zeros_comes_back_at_the_pace_of_others) {
  Graph graph = parse_text_graph(kNet);
  std::ranges::fill(graph.value(*find_value(graph, "w")).constant->mutate<float>().subspan(18, 18),
                    0.0f);
  TestTrainer held(graph, holding({0, 1, 0})), plain(graph, holding({0, 0, 0}));
  held.step(1, 1e-3);
  plain.step(1, 1e-3);
  EXPECT_GT(moved(held, 1), 0);
  EXPECT_LT(moved(held, 1), 20 * moved(held, 0));
  EXPECT_GT(moved(plain, 1), 20 * moved(held, 1)) << "its variance is 0";
}

TEST(TrainerStill, a_training_that_is_stored_and_loaded_goes_on_to_the_same_bits) {
  TestTrainer whole(kNet, holding({1, 0, 0}));
  whole.step(1);
  const auto [graph, state] = whole.stored();
  TestTrainer again(graph, holding({1, 0, 0}), state);
  EXPECT_EQ(whole.step(2).loss, again.step(2).loss);
}

}  // namespace
}  // namespace coppice::train
