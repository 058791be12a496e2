// Ten steps of each optimizer equal PyTorch's, in every loss, weight and statistic. The numbers are
// tests/golden/train_steps.txt, which train_steps.py beside it wrote with PyTorch 1.13.1.
#include "libtorch/optimizer/optimizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "libtorch/torch.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

// Sums in another layout round differently by some 1e-7 of the largest element, and ten steps carry
// that on; a wrong momentum, decay or bias correction is off by 1e-3 and more.
constexpr double kTolerance = 1e-5;
constexpr int kSteps = 10;

constexpr char kNet[] = R"(
  input x float32 [N, 2, 4, 4]
  const w1 float32 [3, 2, 3, 3] zeros
  const scale float32 [3] zeros
  const shift float32 [3] zeros
  const mean float32 [3] zeros
  const variance float32 [3] zeros
  const w2 float32 [4, 48] zeros
  const b2 float32 [4] zeros
  c = Conv(x, w1) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, scale, shift, mean, variance) {momentum=0.9}
  r = Relu(n)
  f = Flatten(r)
  y = Gemm(f, w2, b2) {transB=1}
  output y)";
constexpr const char* kTensors[] = {"w1", "scale", "shift", "mean", "variance", "w2", "b2"};

using Numbers = std::map<std::string, std::vector<float>>;

const Numbers& golden() {
  static const Numbers numbers = [] {
    Numbers read;
    std::ifstream file(COPPICE_SOURCE_DIR "/tests/golden/train_steps.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name, word;
      words >> name;
      while (words >> word) read[name].push_back(std::stof(word));
    }
    return read;
  }();
  return numbers;
}

Tensor golden_tensor(const std::string& name, const Shape& shape) {
  return Tensor::of<float>(shape, golden().at(name));
}

// Part `step` of an array that holds one for each step.
std::vector<float> part(const std::string& name, int step) {
  const std::vector<float>& all = golden().at(name);
  const size_t size = all.size() / kSteps;
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(size) * step;
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

void expect_golden(const std::string& name, const OptimizerOptions& options) {
  Graph graph = parse_text_graph(kNet);
  for (const char* tensor : kTensors) {
    auto& constant = graph.value(*find_value(graph, tensor)).constant;
    constant = golden_tensor(std::string("initial.") + tensor, constant->shape());
  }
  TrainingSetup setup = for_classes(4, options);
  setup.loss.label_smoothing = 0.1;
  TestTrainer net(graph, setup);
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<float> numbers = part("labels", step);
    const std::vector<int64_t> labels(numbers.begin(), numbers.end());
    const Tensor images = Tensor::of<float>({8, 2, 4, 4}, part("images", step));
    const StepResult result =
        net.trainer->step(images, labels, {.learning_rate = 0.1 / (1 + step)});
    const double expected = golden().at(name + ".losses")[step];
    EXPECT_NEAR(result.loss, expected, kTolerance * expected) << "step " << step;
  }
  for (const char* tensor : kTensors) {
    const Tensor found = net.stored(tensor);
    EXPECT_LT(difference(golden_tensor(name + "." + tensor, found.shape()), found), kTolerance)
        << tensor;
  }
}

TEST(Optimizer, ten_nesterov_steps_equal_those_of_pytorch) {
  expect_golden("nesterov", {.momentum = 0.9, .weight_decay = 0.05});
}

TEST(Optimizer, ten_steps_of_plain_momentum_and_decay_of_everything_equal_those_of_pytorch) {
  expect_golden("momentum", {.momentum = 0.8,
                             .form = OptimizerOptions::Momentum::plain,
                             .weight_decay = 0.05,
                             .decayed = OptimizerOptions::Decayed::all});
}

TEST(Optimizer, ten_clipped_steps_without_momentum_equal_those_of_pytorch) {
  expect_golden("clipped", {.momentum = 0, .weight_decay = 0, .clip_norm = 0.5});
}

TEST(Optimizer, ten_adam_steps_equal_those_of_pytorch) {
  expect_golden("adam", {.kind = OptimizerOptions::Kind::adam,
                         .beta1 = 0.8,
                         .beta2 = 0.95,
                         .epsilon = 1e-3,
                         .weight_decay = 0.05});
}

TEST(Optimizer, slots_are_named_by_what_the_optimizer_keeps) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(slot_names({.momentum = 0.9}), Names{"momentum"});
  EXPECT_EQ(slot_names({.momentum = 0}), Names{});
  EXPECT_EQ(slot_names({.kind = OptimizerOptions::Kind::adam}), (Names{"moment1", "moment2"}));
}

TEST(Optimizer, a_gradient_that_two_parameters_share_stays_as_it_is) {
  for (const auto form :
       {OptimizerOptions::Momentum::plain, OptimizerOptions::Momentum::nesterov}) {
    for (const auto kind : {OptimizerOptions::Kind::sgd, OptimizerOptions::Kind::adam}) {
      const OptimizerOptions options{.kind = kind, .form = form};
      const at::Tensor gradient = at::ones({3});
      std::vector<Trained> parameters(3);
      for (Trained& parameter : parameters) parameter.weight = at::full({3}, 5.f);
      parameters[0].decayed = true;
      for (int64_t number = 1; number <= 2; ++number) {
        update(parameters, {gradient, gradient, at::Tensor()}, options,
               {.learning_rate = 0.1, .number = number});
      }
      EXPECT_TRUE(gradient.equal(at::ones({3})));
      EXPECT_LT(parameters[0].weight.max().item<float>(), 5.f);
      EXPECT_LT(parameters[1].weight.max().item<float>(), 5.f);
      EXPECT_TRUE(parameters[2].weight.equal(at::full({3}, 5.f)));  // it has no gradient
    }
  }
}

TEST(Clip, scales_all_gradients_by_their_common_norm) {
  std::vector<at::Tensor> gradients{at::full({1}, 3.f), at::Tensor(), at::full({1, 1}, 4.f)};
  clip(gradients, 2.5);
  EXPECT_NEAR(gradients[0].item<double>(), 1.5, 1e-6);
  EXPECT_FALSE(gradients[1].defined());
  EXPECT_NEAR(gradients[2].item<double>(), 2, 1e-6);
}

TEST(Clip, leaves_small_gradients_and_no_gradients) {
  std::vector<at::Tensor> gradients{at::full({1}, 3.f), at::full({1, 1}, 4.f)}, none;
  clip(gradients, 5.1);
  EXPECT_EQ(gradients[0].item<float>(), 3.f);
  EXPECT_EQ(gradients[1].item<float>(), 4.f);
  clip(none, 1);
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace coppice::train
