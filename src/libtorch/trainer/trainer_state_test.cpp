// What goes out of a trainer and back in: training that was stored and loaded goes on as if it had
// never stopped, and pruned weights stay zero whatever state comes in.
#include <gtest/gtest.h>

#include <bit>

#include "support/test_trainer.h"
#include "training/parameters.h"

namespace coppice::train {
namespace {

constexpr char kNet[] = R"(
  input x float32 [N, 2, 4, 4]
  const w1 float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] random
  const mean float32 [3] random
  const variance float32 [3] positive
  const ratio float32 [] = 0.25
  const w2 float32 [4, 48] random
  const b2 float32 [4] random
  c = Conv(x, w1) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, scale, shift, mean, variance)
  r = Relu(n)
  f = Flatten(r)
  d = Dropout(f, ratio)
  y = Gemm(d, w2, b2) {transB=1}
  output y)";

std::vector<OptimizerOptions> optimizers() {
  return {{},
          {.form = OptimizerOptions::Momentum::plain},
          {.momentum = 0},
          {.kind = OptimizerOptions::Kind::adam}};
}

void expect_same_constants(const Graph& expected, const Graph& found) {
  for (size_t id = 0; id < expected.values.size(); ++id) {
    EXPECT_EQ(expected.values[id].constant, found.values[id].constant) << expected.values[id].name;
  }
}

TEST(TrainerState, stored_and_loaded_training_goes_on_bit_by_bit) {
  for (const OptimizerOptions& optimizer : optimizers()) {
    TestTrainer whole(kNet, for_classes(4, optimizer)), first(kNet, for_classes(4, optimizer));
    for (uint64_t number = 0; number < 3; ++number) {
      EXPECT_EQ(whole.step(number).loss, first.step(number).loss);
    }
    const auto [graph, state] = first.stored();
    TestTrainer second(graph, for_classes(4, optimizer), state);
    for (uint64_t number = 3; number < 6; ++number) {
      EXPECT_EQ(whole.step(number).loss, second.step(number).loss);
    }
    const auto [expected_graph, expected_state] = whole.stored();
    const auto [found_graph, found_state] = second.stored();
    expect_same_constants(expected_graph, found_graph);
    EXPECT_EQ(expected_state.updates, 6);
    EXPECT_EQ(found_state.updates, 6);
    EXPECT_EQ(expected_state.slots, found_state.slots);
  }
}

TEST(TrainerState, loading_again_forgets_what_was_loaded_before) {
  TestTrainer used(kNet, for_classes(4)), fresh(kNet, for_classes(4));
  used.step(1);
  used.trainer->load(used.graph, used.setup, {});
  EXPECT_EQ(used.step(2).loss, fresh.step(2).loss);
  expect_same_constants(fresh.stored().first, used.stored().first);
  EXPECT_EQ(used.stored().second.updates, 1);
}

TEST(TrainerState, storing_what_was_not_stepped_changes_nothing) {
  const TestTrainer net(kNet, for_classes(4));
  const auto [graph, state] = net.stored();
  expect_same_constants(net.graph, graph);
  EXPECT_EQ(state.updates, 0);
  EXPECT_TRUE(state.slots.empty());
}

TEST(TrainerState, slots_hold_a_tensor_of_its_shape_for_each_parameter) {
  TestTrainer net(kNet, for_classes(4, {.kind = OptimizerOptions::Kind::adam}));
  net.step(1);
  const auto [graph, state] = net.stored();
  ASSERT_EQ(state.slots.size(), 2u);
  for (const char* slot : {"moment1", "moment2"}) {
    const NamedTensors& tensors = state.slots.at(slot);
    EXPECT_EQ(tensors.size(), trained_parameters(graph).size());
    for (const auto& [name, tensor] : tensors) {
      EXPECT_EQ(tensor.shape(), TestTrainer::constant_in(graph, name).shape()) << name;
    }
  }
}

// Every second element.
Tensor checkered(const Shape& shape) {
  Tensor mask = Tensor::zeros(DType::f32, shape);
  for (size_t i = 0; i < mask.mutate<float>().size(); i += 2) mask.mutate<float>()[i] = 1;
  return mask;
}

void expect_masked(const Tensor& mask, const Tensor& tensor, const std::string& what) {
  int64_t others = 0;
  for (int64_t i = 0; i < mask.size(); ++i) {
    const float element = tensor.as<float>()[i];
    if (mask.as<float>()[i] == 0) {
      EXPECT_EQ(std::bit_cast<uint32_t>(element), 0u) << what << " element " << i;
    } else {
      others += element != 0;
    }
  }
  EXPECT_GT(others, 0) << what;
}

// State as another training would leave it: nothing in it is zero.
OptimizerState full_state(const Graph& graph, const OptimizerOptions& optimizer) {
  OptimizerState state{.updates = 5, .slots = {}};
  const bool adam = optimizer.kind == OptimizerOptions::Kind::adam;
  for (const char* slot : {"momentum", "moment1", "moment2"}) {
    if (adam == (std::string(slot) == "momentum")) continue;
    for (const Parameter& parameter : trained_parameters(graph)) {
      Tensor tensor = random_tensor(graph.value(parameter.id).constant->shape(), 3);
      for (float& x : tensor.mutate<float>()) x = std::abs(x) + 0.1f;
      state.slots[slot][graph.value(parameter.id).name] = tensor;
    }
  }
  return state;
}

TEST(TrainerMasks, masked_weights_are_plus_zero_after_every_step_whatever_the_state_was) {
  const Graph graph = parse_text_graph(kNet);
  for (const OptimizerOptions& optimizer : optimizers()) {
    for (const bool loaded : {false, true}) {
      TrainingSetup setup = for_classes(4, optimizer);
      for (const char* name : {"w1", "w2"}) {
        setup.masks[name] = checkered(TestTrainer::constant_in(graph, name).shape());
      }
      TestTrainer net(graph, setup, loaded ? full_state(graph, optimizer) : OptimizerState{});
      for (uint64_t number = 0; number < 4; ++number) {
        for (const auto& [name, mask] : setup.masks) expect_masked(mask, net.stored(name), name);
        net.step(number);
      }
      for (const auto& [slot, tensors] : net.stored().second.slots) {
        for (const auto& [name, mask] : setup.masks) {
          expect_masked(mask, tensors.at(name), slot + " of " + name);
        }
      }
    }
  }
}

TEST(TrainerMasks, a_masked_column_trains_like_an_input_that_is_zero) {
  const char* const text = R"(
    input x float32 [N, 4]
    const w float32 [4, 3] random
    y = MatMul(x, w)
    output y)";
  TrainingSetup setup = for_classes(3, {.weight_decay = 0});
  TestTrainer blind(text, setup);
  setup.masks["w"] =
      Tensor::of<float>({4, 3}, std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1});
  TestTrainer masked(text, setup);
  for (uint64_t number = 0; number < 3; ++number) {
    Tensor images = masked.images(number, 8);
    const std::vector<int64_t> labels = random_labels(8, 3, number);
    const double loss = masked.trainer->step(images, labels, {.learning_rate = 0.1}).loss;
    for (size_t n = 0; n < 8; ++n) images.mutate<float>()[4 * n + 1] = 0;
    EXPECT_EQ(blind.trainer->step(images, labels, {.learning_rate = 0.1}).loss, loss);
  }
  for (const int64_t i : {0, 1, 2, 6, 7, 8, 9, 10, 11}) {
    EXPECT_EQ(masked.stored("w").as<float>()[i], blind.stored("w").as<float>()[i]) << i;
  }
}

TEST(TrainerMasks, gradients_of_masked_weights_do_not_count_in_the_norm_that_is_clipped) {
  TrainingSetup setup = for_classes(3, {.momentum = 0, .weight_decay = 0, .clip_norm = 0.01});
  setup.masks["w"] =
      Tensor::of<float>({4, 3}, std::vector<float>{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1});
  TestTrainer net(R"(
    input x float32 [N, 4]
    const w float32 [4, 3] random
    y = MatMul(x, w)
    output y)",
                  setup);
  const Tensor before = net.stored("w");
  net.step(1, 1.0);
  const Tensor after = net.stored("w");
  double squares = 0;
  for (size_t i = 0; i < 12; ++i) {
    squares += std::pow(double{after.as<float>()[i]} - before.as<float>()[i], 2);
  }
  EXPECT_NEAR(std::sqrt(squares), 0.01, 1e-5);  // weights near 1 are floats to 1e-7
}

TEST(TrainerState, values_of_a_tied_weight_that_meet_are_still_two_where_training_goes_on) {
  const char* const text = R"(
    input x float32 [N, 3]
    const a float32 [3, 2] = 0.5 0.5 -1 -1 0.5 -1
    y = MatMul(x, a)
    output y)";
  TrainingSetup setup = for_classes(2);
  setup.tied = {"a"};
  TestTrainer whole(text, setup);
  whole.step(1);
  auto [graph, state] = whole.stored();
  // A step could leave them so.
  for (float& weight : graph.value(*find_value(graph, "a")).constant->mutate<float>())
    weight = 0.25f;
  TestTrainer on(graph, setup, state);
  on.step(2);
  const Tensor after = on.stored("a");
  const auto weights = after.as<float>();
  EXPECT_NE(weights[0], weights[2]);
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[4]);
  EXPECT_EQ(weights[2], weights[5]);
}

}  // namespace
}  // namespace coppice::train
