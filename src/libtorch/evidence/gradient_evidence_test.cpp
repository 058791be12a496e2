// Evidence with gradients by LibTorch: it equals finite differences and the plain loops, changes
// nothing, and refuses by name what has no gradient.
#include "libtorch/evidence/gradient_evidence.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "evidence/plain_loops.h"
#include "runtime/reference.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

using Mode = CollectOptions::Mode;

// The derivatives by `gate` and `added` are those by what is behind them, whole: by image,
// channel and position.
constexpr char kNet[] = R"(
  input x float32 [4, 2, 6, 6]
  const w1 float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] random
  const mean float32 [3] random
  const variance float32 [3] positive
  const gate float32 [4, 3, 1, 1] ones
  const added float32 [4, 3, 6, 6] zeros
  const w2 float32 [5, 3, 3, 3] random
  const scale2 float32 [5] positive
  const shift2 float32 [5] random
  const mean2 float32 [5] random
  const variance2 float32 [5] positive
  const w3 float32 [3, 5] random
  const b3 float32 [3] random
  const side float32 [2, 5] random
  double = Add(x, x)
  c = Conv(x, w1) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, scale, shift, mean, variance)
  s = Sigmoid(n)
  a = Add(s, added)
  m = Mul(a, gate)
  d = Conv(m, w2) {pads=[1, 1, 1, 1]}
  e = BatchNormalization(d, scale2, shift2, mean2, variance2)
  r = Tanh(e)
  p = GlobalAveragePool(r)
  f = Flatten(p)
  y = Gemm(f, w3, b3) {transB=1}
  other = Gemm(f, side) {transB=1}
  output y
  output other)";

const std::vector<int64_t> kLabels{0, 2, 1, 2};
constexpr int64_t kImages = 4;

Evidence collect(const TestTrainer& net, const std::vector<EvidenceRequest>& requests,
                 Mode mode = Mode::evaluation) {
  return net.trainer->collect(net.images(3, kImages), kLabels, requests, {.mode = mode});
}

// Of the images that `collect` sees, in double.
double loss_of(const Graph& graph, Mode mode) {
  TestTrainer net(graph, for_classes(3));
  const Tensor images = net.images(3, kImages);
  if (mode == Mode::training) return net.trainer->step(images, kLabels, {}).loss;
  const Tensor scores = net.trainer->forward(images).front();
  double loss = 0;
  for (int64_t n = 0; n < kImages; ++n) {
    double sum = 0;
    for (int64_t k = 0; k < 3; ++k) sum += std::exp(double{scores.as<float>()[n * 3 + k]});
    loss += (std::log(sum) - scores.as<float>()[n * 3 + kLabels[n]]) / kImages;
  }
  return loss;
}

double derivative(const Graph& graph, const std::string& constant, int64_t element, Mode mode) {
  constexpr float kStep = 0.005f;
  double loss[2];
  for (const int side : {0, 1}) {
    Graph moved = graph;
    moved.value(*find_value(moved, constant)).constant->mutate<float>()[element] +=
        side == 0 ? -kStep : kStep;
    loss[side] = loss_of(moved, mode);
  }
  return (loss[1] - loss[0]) / (2 * double{kStep});
}

void expect_close(std::span<const double> found, const std::vector<double>& expected,
                  double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 1e-9;
  for (const double x : expected) largest = std::max(largest, std::fabs(x));
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], tolerance * largest) << "element " << i;
  }
}

class GradientsByMode : public testing::TestWithParam<Mode> {};

// Also in training, where an image's gate changes the statistics, and with them other images.
TEST_P(GradientsByMode, of_a_gate_is_what_the_loss_changes_by_with_the_gate) {
  const EvidenceRequest request{"m", Reduction::gate_gradients};
  TestTrainer net(kNet, for_classes(3));
  const Evidence evidence = collect(net, {request}, GetParam());
  EXPECT_EQ(evidence.at(request).shape(), (Shape{kImages, 3}));
  std::vector<double> expected;
  for (int64_t i = 0; i < 12; ++i) {
    expected.push_back(kImages * derivative(net.graph, "gate", i, GetParam()));
  }
  expect_close(evidence.numbers(request), expected, 5e-3);
}

TEST_P(GradientsByMode, of_scales_is_the_square_of_the_gates_behind_them) {
  const EvidenceRequest saliency{"scale", Reduction::scale_saliency};
  const EvidenceRequest gates{"n", Reduction::gate_gradients};
  TestTrainer net(kNet, for_classes(3));
  const Evidence evidence = collect(net, {saliency, gates}, GetParam());
  std::vector<double> expected(3, 0);
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t n = 0; n < kImages; ++n) {
      expected[c] += evidence.numbers(gates)[n * 3 + c] / kImages;
    }
    expected[c] *= expected[c];
  }
  expect_close(evidence.numbers(saliency), expected, 1e-4);
}

// What needs no gate: the derivative by one behind a normalisation, of the batch's loss.
TEST_P(GradientsByMode, of_scale_and_shift_together_are_those_of_a_gate_behind_them) {
  const EvidenceRequest gates{"n", Reduction::batch_gate_gradients};
  const EvidenceRequest scale{"scale", Reduction::weight_gradients};
  const EvidenceRequest shift{"shift", Reduction::weight_gradients};
  TestTrainer net(kNet, for_classes(3));
  const Evidence evidence = collect(net, {gates, scale, shift}, GetParam());
  ASSERT_EQ(evidence.at(gates).shape(), (Shape{1, 3}));
  for (int64_t c = 0; c < 3; ++c) {
    const auto product = [&](const char* name, const EvidenceRequest& gradient) {
      return double{net.loaded(name).as<float>()[c]} * evidence.at(gradient).as<float>()[c];
    };
    EXPECT_NEAR(evidence.numbers(gates)[c], product("scale", scale) + product("shift", shift),
                1e-6);
  }
}

// H g is what the gradients change by along themselves.
TEST_P(GradientsByMode, of_the_hessian_along_the_gradient_are_how_gradients_change_along_it) {
  const std::vector<std::string> names = {"w1", "w2", "b3"};
  std::vector<EvidenceRequest> requests, plain;
  for (const std::string& name : names) {
    requests.push_back({name, Reduction::weight_hessian_gradients});
    plain.push_back({name, Reduction::weight_gradients});
  }
  TestTrainer net(kNet, for_classes(3));
  std::vector<EvidenceRequest> both = requests;
  both.insert(both.end(), plain.begin(), plain.end());
  const Evidence evidence = collect(net, both, GetParam());
  constexpr float kStep = 0.1f;
  Evidence moved[2];
  for (const int side : {0, 1}) {
    Graph graph = net.graph;
    for (const EvidenceRequest& request : plain) {
      const auto gradient = evidence.at(request).as<float>();
      const auto weight = graph.value(*find_value(graph, request.value)).constant->mutate<float>();
      for (size_t i = 0; i < weight.size(); ++i) {
        weight[i] += (side == 0 ? -kStep : kStep) * gradient[i];
      }
    }
    moved[side] = collect(TestTrainer(graph, for_classes(3)), plain, GetParam());
  }
  for (size_t n = 0; n < names.size(); ++n) {
    std::vector<double> expected, found;
    for (int64_t i = 0; i < evidence.at(plain[n]).size(); ++i) {
      expected.push_back(
          (double{moved[1].at(plain[n]).as<float>()[i]} - moved[0].at(plain[n]).as<float>()[i]) /
          (2 * kStep));
      found.push_back(evidence.at(requests[n]).as<float>()[i]);
    }
    expect_close(found, expected, 1e-2);
  }
}

INSTANTIATE_TEST_SUITE_P(, GradientsByMode, testing::Values(Mode::training, Mode::evaluation),
                         [](const auto& mode) {
                           return mode.param == Mode::training ? "training" : "evaluation";
                         });

TEST(GradientEvidence, equals_the_plain_loops_along_every_axis) {
  TestTrainer net(kNet, for_classes(3));
  std::vector<EvidenceRequest> requests{{"scale", Reduction::scale_saliency}};
  for (const char* constant : {"added", "scale", "shift"}) {
    requests.push_back({constant, Reduction::weight_gradients});
  }
  for (const int64_t axis : {1, 2, 3}) {
    requests.push_back({"a", Reduction::gate_gradients, axis});
    requests.push_back({"a", Reduction::mean_gate_gradients, axis});
  }
  const Evidence evidence = collect(net, requests);
  const auto gradient = [&](const char* constant) -> plain::Values {
    return {evidence.at({constant, Reduction::weight_gradients})};
  };
  const std::vector<Tensor> images{net.images(3, kImages)};
  const std::vector<ValueId> watch{*find_value(net.graph, "a")};
  const Tensor a = run_reference(net.graph, images, watch).back();
  for (size_t i = 4; i < requests.size(); ++i) {
    expect_close(evidence.numbers(requests[i]),
                 plain::gate_gradients({a}, gradient("added"), requests[i]), 1e-4);
  }
  expect_close(evidence.numbers(requests[0]),
               plain::scale_saliency({net.loaded("scale")}, gradient("scale"),
                                     {net.loaded("shift")}, gradient("shift")),
               1e-5);
}

// A step writes over what a convolution computed; a * dC/da is the same on both sides of a Relu.
TEST(GradientEvidence, is_of_values_that_a_step_overwrites) {
  TestTrainer net(R"(
    input x float32 [N, 2, 6, 6]
    const w float32 [3, 2, 3, 3] random
    const v float32 [3, 3, 1, 1] random
    c = Conv(x, w)
    r = Relu(c)
    d = Conv(r, v)
    s = Add(d, r)
    q = Relu(s)
    p = GlobalAveragePool(q)
    y = Flatten(p)
    output y)",
                  for_classes(3));
  std::vector<EvidenceRequest> requests;
  for (const char* value : {"c", "r", "s", "q", "p"}) {
    requests.push_back({value, Reduction::gate_gradients});
  }
  const Evidence evidence = collect(net, requests);
  for (const size_t i : {0, 2, 3}) {
    const auto expected = evidence.numbers(requests[i + 1]);
    expect_close(evidence.numbers(requests[i]), {expected.begin(), expected.end()}, 1e-5);
  }
}

TEST(GradientEvidence, of_weights_is_what_a_step_goes_by_also_where_masked_or_frozen) {
  TrainingSetup setup = for_classes(3, {.momentum = 0, .weight_decay = 0});
  TestTrainer net(kNet, setup);
  const EvidenceRequest weight{"w2", Reduction::weight_gradients};
  const Tensor gradient = collect(net, {weight}, Mode::training).at(weight);
  net.trainer->step(net.images(3, kImages), kLabels, {.learning_rate = 1});
  const Tensor after = net.stored("w2");
  std::vector<float> moved;
  for (int64_t i = 0; i < after.size(); ++i) {
    moved.push_back(net.loaded("w2").as<float>()[i] - after.as<float>()[i]);
  }
  EXPECT_LT(difference(gradient, Tensor::of<float>(after.shape(), moved)), 1e-4);
  setup.frozen = {"w2"};
  EXPECT_EQ(collect(TestTrainer(kNet, setup), {weight}, Mode::training).at(weight), gradient);
  setup.frozen.clear();
  setup.masks["w2"] = Tensor::zeros(DType::f32, after.shape());
  const Tensor masked = collect(TestTrainer(kNet, setup), {weight}).at(weight);
  EXPECT_GT(*std::ranges::max_element(masked.as<float>()), 1e-6f);
}

TEST(GradientEvidence, of_a_step_is_that_of_its_batch_before_it_and_changes_no_bit) {
  TestTrainer plain(kNet, for_classes(3)), asking(kNet, for_classes(3));
  const std::vector<EvidenceRequest> requests{{"m", Reduction::mean_gate_gradients},
                                              {"n", Reduction::batch_gate_gradients},
                                              {"scale", Reduction::scale_saliency},
                                              {"w2", Reduction::weight_gradients}};
  for (uint64_t number = 0; number < 3; ++number) {
    StepOptions options{.learning_rate = 0.1, .seed = number};
    const Tensor images = plain.images(number, kImages);
    const Evidence expected =
        plain.trainer->collect(images, kLabels, requests, {.mode = Mode::training, .seed = number});
    const double loss = plain.trainer->step(images, kLabels, options).loss;
    options.requests = requests;
    const StepResult result = asking.trainer->step(images, kLabels, options);
    EXPECT_EQ(result.loss, loss);
    EXPECT_EQ(result.evidence.answers(), expected.answers());
  }
  EXPECT_EQ(plain.stored("w1"), asking.stored("w1"));
  EXPECT_EQ(plain.stored("scale2"), asking.stored("scale2"));
}

TEST(GradientEvidence, collected_between_steps_changes_no_bit) {
  TrainingSetup setup = for_classes(3);
  setup.frozen = {"w1"};
  TestTrainer plain(kNet, setup), looking(kNet, setup);
  const std::vector<EvidenceRequest> requests{{"m", Reduction::gate_gradients},
                                              {"scale", Reduction::scale_saliency},
                                              {"w1", Reduction::weight_gradients}};
  for (uint64_t number = 0; number < 4; ++number) {
    for (const Mode mode : {Mode::training, Mode::evaluation}) collect(looking, requests, mode);
    const auto step = [&](TestTrainer& net) {
      return net.trainer->step(net.images(number, kImages), kLabels,
                               {.learning_rate = 0.1, .seed = number});
    };
    EXPECT_EQ(step(plain).loss, step(looking).loss);
  }
  const auto [graph, state] = plain.stored();
  const auto [same, same_state] = looking.stored();
  for (size_t v = 0; v < graph.values.size(); ++v) {
    EXPECT_EQ(graph.values[v].constant, same.values[v].constant) << graph.values[v].name;
  }
  EXPECT_EQ(state.slots, same_state.slots);
}

// What steps overwrite in place is what second derivatives need, too.
TEST(GradientEvidence, of_the_hessian_goes_through_rectifiers_pools_streams_and_normalisations) {
  TestTrainer net(R"(
    input x float32 [N, 2, 8, 8]
    const w float32 [8, 2, 3, 3] random
    const scale float32 [8] positive
    const shift float32 [8] random
    const mean float32 [8] random
    const variance float32 [8] positive
    const v float32 [8, 8, 1, 1] random
    const u float32 [3, 8] random
    c = Conv(x, w)
    n = BatchNormalization(c, scale, shift, mean, variance)
    r = Relu(n)
    d = Conv(r, v)
    s = Add(d, r)
    q = Relu(s)
    m = MaxPool(q) {kernel_shape=[2, 2], strides=[2, 2]}
    p = GlobalAveragePool(m)
    f = Flatten(p)
    y = Gemm(f, u) {transB=1}
    output y)",
                  for_classes(3));
  std::vector<EvidenceRequest> requests;
  for (const char* weight : {"w", "v", "u"}) {
    requests.push_back({weight, Reduction::weight_hessian_gradients});
  }
  for (const Mode mode : {Mode::training, Mode::evaluation}) {
    const Evidence single = collect(net, requests, mode);
    const Evidence doubled =
        net.trainer->collect(net.images(3, kImages), kLabels, requests,
                             {.mode = mode, .numbers = CollectOptions::Numbers::f64});
    for (const EvidenceRequest& request : requests) {
      const auto numbers = single.at(request).as<float>();
      EXPECT_TRUE(std::ranges::any_of(numbers, [](float x) { return x != 0; })) << request.value;
      expect_close({doubled.numbers(request).begin(), doubled.numbers(request).end()},
                   {numbers.begin(), numbers.end()}, 1e-3);
    }
  }
}

TEST(GradientEvidence, in_double_is_the_same_but_finer_by_the_weights_as_trained) {
  TestTrainer net(kNet, for_classes(3));
  net.trainer->step(net.images(1, kImages), kLabels, {.learning_rate = 0.1});
  const std::vector<EvidenceRequest> requests{{"w2", Reduction::weight_gradients},
                                              {"scale", Reduction::weight_gradients},
                                              {"w1", Reduction::weight_hessian_gradients}};
  for (const Mode mode : {Mode::training, Mode::evaluation}) {
    const auto found = [&](CollectOptions::Numbers numbers) {
      return net.trainer->collect(net.images(3, kImages), kLabels, requests,
                                  {.mode = mode, .numbers = numbers});
    };
    const Evidence single = found(CollectOptions::Numbers::f32),
                   doubled = found(CollectOptions::Numbers::f64);
    for (const EvidenceRequest& request : requests) {
      const auto numbers = single.at(request).as<float>();
      ASSERT_EQ(doubled.at(request).dtype(), DType::f64);
      expect_close({doubled.numbers(request).begin(), doubled.numbers(request).end()},
                   {numbers.begin(), numbers.end()}, 1e-4);
      EXPECT_FALSE(std::ranges::equal(doubled.numbers(request), numbers));
    }
  }
}

TEST(GradientEvidence, refuses_by_name_what_has_no_gradient) {
  TestTrainer net(kNet, for_classes(3));
  const auto message = [&](const EvidenceRequest& request) -> std::string {
    try {
      collect(net, {request});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "(no error)";
  };
  const auto expect = [&](const EvidenceRequest& request, const std::string& why) {
    const std::string found = message(request);
    EXPECT_NE(found.find("'" + request.value + "'"), std::string::npos) << found;
    EXPECT_NE(found.find(why), std::string::npos) << found;
  };
  expect({"nowhere", Reduction::gate_gradients}, "computes none of that name");
  expect({"double", Reduction::gate_gradients}, "no gradient comes to it");
  expect({"other", Reduction::gate_gradients}, "the loss doesn't depend on it");
  expect({"side", Reduction::weight_gradients}, "the loss doesn't depend on it");
  expect({"m", Reduction::gate_gradients, 0}, "axis 0 of the shape 4x3x6x6");
  expect({"m", Reduction::gate_gradients, 4}, "axis 4 of the shape 4x3x6x6");
  expect({"mean", Reduction::weight_gradients}, "no trained weight of that name");
  expect({"w1", Reduction::scale_saliency}, "isn't the scale of a BatchNormalization");
  expect({"m", Reduction::mean}, "the runtime measures it");
}

}  // namespace
}  // namespace coppice::train
