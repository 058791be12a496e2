// What a step does to the parameters of a graph: those behind a reshape, shared ones, ones with the
// same gradient, frozen ones; and what it does not do where the loss isn't finite.
#include "libtorch/trainer/trainer.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "core/error.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

// The same sums in another order, in float.
constexpr double kTolerance = 1e-5;

// Without momentum and decay a step is minus the learning rate times the gradient.
const OptimizerOptions kPlainSteps{.momentum = 0, .weight_decay = 0};

std::vector<double> change(const TestTrainer& net, const std::string& name) {
  const Tensor before = net.loaded(name), after = net.stored(name);
  std::vector<double> moved;
  for (int64_t i = 0; i < before.size(); ++i) {
    moved.push_back(double{after.as<float>()[i]} - before.as<float>()[i]);
  }
  return moved;
}

void set_constant(Graph& graph, const std::string& name, const Tensor& tensor) {
  graph.value(*find_value(graph, name)).constant = tensor;
}

TEST(Trainer, weights_behind_a_transpose_train_like_those_of_a_gemm) {
  TestTrainer transposed(R"(
    input x float32 [N, 5]
    const w float32 [3, 5] random
    t = Transpose(w)
    y = MatMul(x, t)
    output y)",
                         for_classes(3));
  TestTrainer gemm(R"(
    input x float32 [N, 5]
    const w float32 [3, 5] random
    y = Gemm(x, w) {transB=1}
    output y)",
                   for_classes(3));
  for (uint64_t number = 0; number < 3; ++number) {
    EXPECT_NEAR(transposed.step(number).loss, gemm.step(number).loss, kTolerance);
  }
  EXPECT_GT(difference(gemm.loaded("w"), gemm.stored("w")), 0.01);
  EXPECT_LT(difference(gemm.stored("w"), transposed.stored("w")), kTolerance);
}

TEST(Trainer, weights_behind_a_reshape_train_like_those_of_a_convolution) {
  TestTrainer reshaped(R"(
    input x float32 [N, 2, 3, 3]
    const w float32 [3, 18] random
    const shape int64 [4] = 3 2 3 3
    r = Reshape(w, shape)
    c = Conv(x, r)
    y = Flatten(c)
    output y)",
                       for_classes(3));
  TestTrainer plain(R"(
    input x float32 [N, 2, 3, 3]
    const w float32 [3, 2, 3, 3] random
    c = Conv(x, w)
    y = Flatten(c)
    output y)",
                    for_classes(3));
  for (uint64_t number = 0; number < 3; ++number) {
    EXPECT_NEAR(reshaped.step(number).loss, plain.step(number).loss, kTolerance);
  }
  EXPECT_GT(difference(plain.loaded("w"), plain.stored("w")), 0.01);
  EXPECT_LT(difference(plain.stored("w").reshaped({3, 18}), reshaped.stored("w")), kTolerance);
}

TEST(Trainer, shared_weights_get_the_gradients_of_all_their_places) {
  const std::string begin = "input x float32 [N, 4]\nconst a float32 [4, 4] random\n";
  TestTrainer shared(begin + "h = MatMul(x, a)\nt = Tanh(h)\ny = MatMul(t, a)\noutput y",
                     for_classes(4, kPlainSteps));
  Graph apart = parse_text_graph(begin +
                                 "const b float32 [4, 4] zeros\nh = MatMul(x, a)\nt = Tanh(h)\n"
                                 "y = MatMul(t, b)\noutput y");
  set_constant(apart, "b", shared.loaded("a"));
  TestTrainer separate(apart, for_classes(4, kPlainSteps));
  EXPECT_NEAR(shared.step(1).loss, separate.step(1).loss, kTolerance);
  const auto both = change(shared, "a"), first = change(separate, "a"),
             second = change(separate, "b");
  for (size_t i = 0; i < both.size(); ++i) {
    EXPECT_NEAR(both[i], first[i] + second[i], 1e-6) << i;
    EXPECT_GT(std::abs(both[i]), 1e-5) << i;
  }
}

// The gradient of the mean cross-entropy by the scores, from the scores: (softmax - one hot) / N.
std::vector<double> score_gradient(const Tensor& scores, const std::vector<int64_t>& labels) {
  const int64_t rows = scores.shape()[0], classes = scores.shape()[1];
  std::vector<double> gradient;
  for (int64_t n = 0; n < rows; ++n) {
    const auto row = scores.as<float>().subspan(static_cast<size_t>(n * classes), classes);
    double sum = 0;
    for (const float x : row) sum += std::exp(double{x});
    for (int64_t k = 0; k < classes; ++k) {
      gradient.push_back((std::exp(double{row[k]}) / sum - (k == labels[n])) / rows);
    }
  }
  return gradient;
}

TEST(Trainer, parameters_with_the_same_gradient_tensor_move_independently) {
  for (const auto form :
       {OptimizerOptions::Momentum::plain, OptimizerOptions::Momentum::nesterov}) {
    TestTrainer net(R"(
      input x float32 [8, 3]
      const w float32 [3, 3] random
      const a float32 [8, 3] random
      const b float32 [8, 3] random
      h = MatMul(x, w)
      s = Add(h, a)
      y = Add(s, b)
      output y)",
                    for_classes(3, {.momentum = 0.5, .form = form, .weight_decay = 0}));
    const Tensor images = net.images(1, 8);
    const std::vector<int64_t> labels = random_labels(8, 3, 1);
    const auto gradient = score_gradient(net.trainer->forward(images).front(), labels);
    net.trainer->step(images, labels, {.learning_rate = 0.1});
    const double rate = form == OptimizerOptions::Momentum::plain ? 0.1 : 0.1 * 1.5;
    const auto a = change(net, "a"), b = change(net, "b");
    for (size_t i = 0; i < gradient.size(); ++i) {
      EXPECT_NEAR(a[i], -rate * gradient[i], 1e-6) << i;
      EXPECT_NEAR(b[i], -rate * gradient[i], 1e-6) << i;
    }
  }
}

constexpr char kTwoLayers[] = R"(
    input x float32 [N, 3]
    const a float32 [3, 4] = 0 0.5 -1 0.5 0.5 -1 0 0.25 -1 0.5 0.25 0.25
    const b float32 [4, 3] random
    h = MatMul(x, a)
    t = Tanh(h)
    y = MatMul(t, b)
    output y)";

TEST(Trainer, equal_values_of_a_tied_weight_move_by_the_sum_of_their_gradients) {
  TestTrainer free(kTwoLayers, for_classes(3, kPlainSteps));
  TrainingSetup setup = for_classes(3, kPlainSteps);
  setup.tied = {"a"};
  TestTrainer tied(kTwoLayers, setup);
  EXPECT_EQ(free.step(1).loss, tied.step(1).loss);
  const auto apart = change(free, "a"), together = change(tied, "a");
  const Tensor before = tied.loaded("a");
  for (size_t i = 0; i < apart.size(); ++i) {
    double sum = 0;
    for (size_t j = 0; j < apart.size(); ++j) {
      if (before.as<float>()[i] == before.as<float>()[j]) sum += apart[j];
    }
    if (before.as<float>()[i] == 0) sum = apart[i];  // zero is no shared value
    EXPECT_NEAR(together[i], sum, 1e-6) << i;
  }
  EXPECT_EQ(change(free, "b"), change(tied, "b"));
}

TEST(Trainer, values_that_are_kept_shared_move_by_the_mean_of_their_gradients) {
  TestTrainer free(kTwoLayers, for_classes(3, kPlainSteps));
  TrainingSetup setup = for_classes(3, kPlainSteps);
  setup.shared = {"a"};
  TestTrainer shared(kTwoLayers, setup);
  free.step(1);
  shared.step(1);
  const auto apart = change(free, "a"), together = change(shared, "a");
  const Tensor before = shared.loaded("a");
  for (size_t i = 0; i < apart.size(); ++i) {
    double sum = 0, count = 0;
    for (size_t j = 0; j < apart.size(); ++j) {
      if (before.as<float>()[i] != before.as<float>()[j]) continue;
      sum += apart[j];
      ++count;
    }
    // Zero is no shared value: what isn't masked moves by itself.
    EXPECT_NEAR(together[i], before.as<float>()[i] == 0 ? apart[i] : sum / count, 1e-6) << i;
  }
}

TEST(Trainer, kept_values_stay_finite_where_sums_of_their_gradients_do_not) {
  constexpr char kWide[] = R"(
      input x float32 [N, 3]
      const a float32 [3, 4000] random
      const b float32 [4000, 3] random
      h = MatMul(x, a)
      t = Relu(h)
      y = MatMul(t, b)
      output y)";
  const auto largest_after_training = [&](bool by_mean) {
    TrainingSetup setup = for_classes(3, {.learning_rate = 0.01, .momentum = 0.9});
    (by_mean ? setup.shared : setup.tied) = {"a", "b"};
    TestTrainer net(kWide, setup);
    for (const char* name : {"a", "b"}) {
      for (float& w : net.graph.value(*find_value(net.graph, name)).constant->mutate<float>()) {
        w = w < 0 ? -0.02f : 0.02f;
      }
    }
    net.trainer->load(net.graph, setup, {});
    double loss = 0;
    for (uint64_t number = 0; number < 30; ++number) loss = net.step(number).loss;
    return loss;
  };
  EXPECT_LT(largest_after_training(true), 2);
  EXPECT_FALSE(largest_after_training(false) < 100) << "then the mean wouldn't be needed";
}

TEST(Trainer, an_l1_penalty_pulls_its_weights_towards_zero_and_leaves_zeros_alone) {
  TestTrainer plain(kTwoLayers, for_classes(3, kPlainSteps));
  TrainingSetup setup = for_classes(3, kPlainSteps);
  setup.l1 = {.strength = 0.25, .weights = {"a"}};
  TestTrainer pulled(kTwoLayers, setup);
  plain.step(1);
  pulled.step(1);
  const auto without = change(plain, "a"), with = change(pulled, "a");
  const Tensor before = pulled.loaded("a");
  for (size_t i = 0; i < with.size(); ++i) {
    const float weight = before.as<float>()[i];
    const double sign = weight > 0 ? 1 : weight < 0 ? -1 : 0;
    EXPECT_NEAR(with[i] - without[i], -0.1 * 0.25 * sign, 1e-6) << i;
  }
  EXPECT_EQ(change(plain, "b"), change(pulled, "b"));
}

TEST(Trainer, equal_values_of_a_tied_weight_stay_equal_to_the_bit) {
  for (const auto kind : {OptimizerOptions::Kind::sgd, OptimizerOptions::Kind::adam}) {
    TrainingSetup setup = for_classes(3, {.kind = kind, .clip_norm = 1});
    setup.tied = {"a"};
    Tensor mask = Tensor::zeros(DType::f32, {3, 4});
    TestTrainer net(kTwoLayers, setup);
    const Tensor before = net.loaded("a");
    for (int64_t i = 0; i < 12; ++i) mask.mutate<float>()[i] = before.as<float>()[i] != 0;
    setup.masks["a"] = mask;
    net.trainer->load(net.graph, setup, {});
    for (uint64_t number = 0; number < 5; ++number) net.step(number);
    const Tensor after = net.stored("a");
    for (int64_t i = 0; i < 12; ++i) {
      EXPECT_EQ(after.as<float>()[i] == 0, before.as<float>()[i] == 0);
      for (int64_t j = 0; j < 12; ++j) {
        EXPECT_EQ(before.as<float>()[i] == before.as<float>()[j],
                  after.as<float>()[i] == after.as<float>()[j]);
      }
    }
    EXPECT_GT(difference(before, after), 0.01);
  }
}

TEST(Trainer, frozen_weights_stay_and_the_others_move_as_if_they_did_not) {
  TestTrainer free(kTwoLayers, for_classes(3, kPlainSteps));
  TrainingSetup setup = for_classes(3, kPlainSteps);
  setup.frozen = {"a"};
  TestTrainer frozen(kTwoLayers, setup);
  free.step(1);
  frozen.step(1);
  EXPECT_EQ(frozen.stored("a"), frozen.loaded("a"));
  EXPECT_EQ(frozen.stored("b"), free.stored("b"));
}

TEST(Trainer, single_numbers_exponents_and_what_normalises_the_input_stay) {
  TestTrainer net(R"(
    input x float32 [N, 4]
    const average float32 [4] random
    const half float32 [1] = 0.5
    const two float32 [] = 2.0
    const w float32 [4, 3] random
    c = Sub(x, average)
    h = MatMul(c, w)
    s = Mul(h, half)
    y = Pow(s, two)
    output y)",
                  for_classes(3));
  for (uint64_t number = 0; number < 3; ++number) net.step(number);
  for (const char* frozen : {"average", "half", "two"}) {
    EXPECT_EQ(net.stored(frozen), net.loaded(frozen)) << frozen;
  }
  EXPECT_NE(net.stored("w"), net.loaded("w"));
}

TEST(Trainer, clip_norm_bounds_the_step_of_all_parameters_together) {
  const char* const text = R"(
    input x float32 [N, 4]
    const w float32 [4, 3] random
    const b float32 [3] random
    h = MatMul(x, w)
    y = Add(h, b)
    output y)";
  const auto step_length = [&](double clip_norm) {
    OptimizerOptions options = kPlainSteps;
    options.clip_norm = clip_norm;
    TestTrainer net(text, for_classes(3, options));
    net.step(1, 1.0);
    double squares = 0;
    for (const char* name : {"w", "b"}) {
      const auto moved = change(net, name);
      squares += std::inner_product(moved.begin(), moved.end(), moved.begin(), 0.0);
    }
    return std::sqrt(squares);
  };
  const double whole = step_length(0);
  ASSERT_GT(whole, 0.1);
  EXPECT_NEAR(step_length(whole / 4), whole / 4, whole * kTolerance);
  EXPECT_EQ(step_length(whole * 2), whole);
}

constexpr char kNormalised[] = R"(
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
constexpr const char* kNormalisedConstants[] = {"w1", "scale", "shift", "mean", "variance", "w2"};

TEST(Trainer, a_loss_that_is_not_finite_updates_nothing) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    TestTrainer met(kNormalised, for_classes(4)), spared(kNormalised, for_classes(4));
    met.step(1);
    spared.step(1);
    Tensor images = met.images(2, 8);
    images.mutate<float>()[5] = bad;
    const StepResult result =
        met.trainer->step(images, random_labels(8, 4, 2), {.learning_rate = 0.1});
    EXPECT_FALSE(std::isfinite(result.loss));
    EXPECT_EQ(met.stored().second.updates, 1);
    met.step(3);
    spared.step(3);
    for (const char* name : kNormalisedConstants) {
      EXPECT_EQ(met.stored(name), spared.stored(name)) << name;
    }
  }
}

TEST(Trainer, counts_the_images_whose_label_has_the_largest_score) {
  TestTrainer net(R"(
    input x float32 [N, 2]
    const w float32 [2, 2] = 1 0 0 1
    y = MatMul(x, w)
    output y)",
                  for_classes(2));
  const Tensor images = Tensor::of<float>({4, 2}, std::vector<float>{3, 1, 1, 3, 2, 0, 0, 2});
  const StepResult result = net.trainer->step(images, std::vector<int64_t>{0, 1, 1, 1}, {});
  EXPECT_EQ(result.correct, 3);
}

TEST(Trainer, a_device_that_is_not_there_is_refused) {
  try {
    make_trainer({.device = "tpu", .threads = 1});
    FAIL() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "device 'tpu': expected cpu or cuda");
  }
}

TEST(Trainer, load_refuses_an_operator_that_cannot_be_trained_by_name) {
  try {
    TestTrainer net(R"(
      input x float32 [N, 4]
      const w float32 [4, 3] random
      h = MatMul(x, w)
      y = Unknown(h)
      output y)",
                    for_classes(3));
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("node 'y' (Unknown)"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace coppice::train
