// Training on CUDA: what the CPU computes, the same bits each time, and going on from what was
// stored. Skipped where LibTorch finds no CUDA.
#include <gtest/gtest.h>

#include "libtorch/torch.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

// Sums run in another order, and steps carry that on; Adam's division enlarges it (0.0014 was
// seen).
constexpr double kTolerance = 5e-3;

constexpr char kNet[] = R"(
  input x float32 [N, 3, 8, 8]
  const w1 float32 [8, 3, 3, 3] random
  const scale float32 [8] positive
  const shift float32 [8] random
  const mean float32 [8] random
  const variance float32 [8] positive
  const w2 float32 [4, 32] random
  const b2 float32 [4] random
  c = Conv(x, w1) {pads=[1, 1, 1, 1], strides=[2, 2]}
  n = BatchNormalization(c, scale, shift, mean, variance) {momentum=0.9}
  r = Relu(n)
  p = AveragePool(r) {kernel_shape=[2, 2], strides=[2, 2]}
  f = Flatten(p)
  y = Gemm(f, w2, b2) {transB=1}
  output y)";
constexpr const char* kTensors[] = {"w1", "scale", "shift", "mean", "variance", "w2", "b2"};

// The second weight has 16 values, of which half are masked; gradients are clipped.
Graph net() {
  Graph graph = parse_text_graph(kNet);
  auto& weight = graph.value(*find_value(graph, "w2")).constant;
  std::vector<float> values(weight->as<float>().begin(), weight->as<float>().end());
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.02f * static_cast<float>(i % 16 + 1);
  weight = Tensor::of<float>(weight->shape(), values);
  return graph;
}

TrainingSetup setup_of(OptimizerOptions::Kind kind) {
  TrainingSetup setup = for_classes(4, {.kind = kind, .clip_norm = 1});
  setup.shared = {"w2"};
  std::vector<float> kept(4 * 32);
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = i % 16 < 8 ? 1.f : 0.f;
  setup.masks["w2"] = Tensor::of<float>({4, 32}, kept);
  return setup;
}

// A graph and its state, and what the steps from one number to another make of them on a device.
struct Training {
  Graph graph = net();
  OptimizerState state = {};
  std::vector<double> losses = {};

  void go(const std::string& device, const TrainingSetup& setup, uint64_t from, uint64_t to) {
    const auto trainer = make_trainer({.device = device, .threads = 1});
    trainer->load(graph, setup, state);
    for (uint64_t number = from; number < to; ++number) {
      const auto labels = random_labels(64, 4, number + 1000);
      const StepResult result = trainer->step(random_tensor({64, 3, 8, 8}, number), labels,
                                              {.learning_rate = 0.01, .seed = number});
      losses.push_back(result.loss);
    }
    trainer->store(graph, state);
  }
};

class TrainerOnCuda : public testing::TestWithParam<OptimizerOptions::Kind> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "LibTorch finds no CUDA";
  }
  const TrainingSetup setup_ = setup_of(GetParam());
};

TEST_P(TrainerOnCuda, computes_what_the_cpu_does) {
  Training cpu, cuda;
  cpu.go("cpu", setup_, 0, 5);
  cuda.go("cuda", setup_, 0, 5);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(cuda.losses[i], cpu.losses[i], kTolerance * cpu.losses[i]) << "step " << i;
  }
  for (const char* name : kTensors) {
    const Tensor expected = TestTrainer::constant_in(cpu.graph, name);
    EXPECT_LT(difference(expected, TestTrainer::constant_in(cuda.graph, name)), kTolerance) << name;
  }
}

TEST_P(TrainerOnCuda, gives_the_same_bits_where_it_goes_on_from_what_was_stored) {
  Training whole, resumed;
  whole.go("cuda", setup_, 0, 6);
  resumed.go("cuda", setup_, 0, 3);
  resumed.go("cuda", setup_, 3, 6);
  EXPECT_EQ(whole.losses, resumed.losses);
  for (const char* name : kTensors) {
    EXPECT_EQ(TestTrainer::constant_in(whole.graph, name),
              TestTrainer::constant_in(resumed.graph, name))
        << name;
  }
}

TEST_P(TrainerOnCuda, gives_the_evidence_that_the_cpu_gives) {
  const std::vector<EvidenceRequest> requests{{"c", Reduction::gate_gradients},
                                              {"r", Reduction::mean_gate_gradients},
                                              {"scale", Reduction::scale_saliency}};
  const auto evidence_on = [&](const std::string& device) {
    const auto trainer = make_trainer({.device = device, .threads = 1});
    trainer->load(net(), setup_, {});
    return trainer->collect(random_tensor({64, 3, 8, 8}, 1), random_labels(64, 4, 2), requests, {});
  };
  const Evidence cpu = evidence_on("cpu"), cuda = evidence_on("cuda");
  for (const EvidenceRequest& request : requests) {
    const auto expected = cpu.numbers(request), found = cuda.numbers(request);
    double largest = 0;
    for (const double x : expected) largest = std::max(largest, std::abs(x));
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], kTolerance * largest) << request.value << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, TrainerOnCuda,
                         testing::Values(OptimizerOptions::Kind::sgd, OptimizerOptions::Kind::adam),
                         [](const auto& kind) {
                           return kind.param == OptimizerOptions::Kind::sgd ? "sgd" : "adam";
                         });

}  // namespace
}  // namespace coppice::train
