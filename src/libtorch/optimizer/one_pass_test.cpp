// One pass equals LibTorch's functions one after the other, over many steps.
#include "libtorch/optimizer/one_pass.h"

#include <gtest/gtest.h>

#include "libtorch/torch.h"

namespace coppice::train {
namespace {

// Sums that are rounded in another order; relative to the largest number.
constexpr double kTolerance = 1e-6;
constexpr int kSteps = 50;

using Kind = OptimizerOptions::Kind;
using Form = OptimizerOptions::Momentum;

std::vector<Trained> some_parameters() {
  std::vector<Trained> parameters(4);
  parameters[0].weight = at::randn({70, 1000});  // more than a thread takes
  parameters[1].weight = at::randn({6, 5, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  parameters[2].weight = at::randn({17});
  parameters[3].weight = at::randn({});
  for (const size_t masked : {0, 1}) {
    Trained& parameter = parameters[masked];
    parameter.pruned = at::rand_like(parameter.weight).lt(0.5);
    parameter.decayed = true;
    apply_mask(parameter);
  }
  parameters[2].l1 = 0.01;
  return parameters;
}

std::vector<Trained> copies_of(const std::vector<Trained>& parameters) {
  std::vector<Trained> copies = parameters;
  for (Trained& copy : copies) copy.weight = copy.weight.clone();
  return copies;
}

void expect_near(const at::Tensor& expected, const at::Tensor& found, const std::string& what) {
  const double scale = expected.abs().max().item<double>();
  EXPECT_LE((expected - found).abs().max().item<double>(), kTolerance * scale) << what;
}

void expect_equal(const std::vector<Trained>& expected, const std::vector<Trained>& found) {
  for (size_t p = 0; p < expected.size(); ++p) {
    const std::string what = "parameter " + std::to_string(p);
    expect_near(expected[p].weight, found[p].weight, what);
    for (size_t s = 0; s < expected[p].slots.size(); ++s) {
      ASSERT_EQ(expected[p].slots[s].defined(), found[p].slots[s].defined()) << what;
      if (!expected[p].slots[s].defined()) continue;
      expect_near(expected[p].slots[s], found[p].slots[s], what + ", slot " + std::to_string(s));
    }
    if (!found[p].pruned.defined()) continue;
    EXPECT_EQ(found[p].weight.masked_select(found[p].pruned).count_nonzero().item<int64_t>(), 0);
  }
}

void expect_same_steps(const OptimizerOptions& options) {
  at::manual_seed(1);
  std::vector<Trained> expected = some_parameters(), found = copies_of(expected);
  for (int64_t number = 1; number <= kSteps; ++number) {
    std::vector<at::Tensor> gradients;
    for (const Trained& parameter : expected) gradients.push_back(at::randn_like(parameter.weight));
    if (number % 2 == 0) gradients[1] = gradients[1].contiguous();  // another order of elements
    const Update update{.learning_rate = 0.01, .number = number};
    update_side_by_side(expected, gradients, options, update);
    for (size_t p = 0; p < found.size(); ++p) {
      ASSERT_TRUE(fits_one_pass(found[p], gradients[p]));
      const at::Tensor before = gradients[p].clone();
      update_in_one_pass(found[p], gradients[p], options, update);
      ASSERT_TRUE(gradients[p].equal(before));
    }
  }
  expect_equal(expected, found);
}

TEST(OnePass, equals_sgd_without_momentum) { expect_same_steps({.momentum = 0}); }

TEST(OnePass, equals_sgd_with_either_form_of_momentum) {
  for (const Form form : {Form::plain, Form::nesterov}) {
    expect_same_steps({.momentum = 0.9, .form = form, .weight_decay = 0.05});
  }
}

TEST(OnePass, equals_adam) {
  expect_same_steps({.kind = Kind::adam, .weight_decay = 0.05});
  expect_same_steps({.kind = Kind::adam, .beta1 = 0.5, .epsilon = 0.01, .weight_decay = 0});
}

TEST(OnePass, gives_the_same_bits_on_any_number_of_threads) {
  at::manual_seed(2);
  const std::vector<Trained> parameters = some_parameters();
  const at::Tensor gradient = at::randn_like(parameters[0].weight);
  at::Tensor first;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    std::vector<Trained> moved = copies_of(parameters);
    update_in_one_pass(moved[0], gradient, {.kind = Kind::adam}, {0.1, 1});
    if (!first.defined()) first = moved[0].weight;
    EXPECT_TRUE(moved[0].weight.equal(first));
  }
  at::set_num_threads(1);
}

TEST(OnePass, moves_equal_numbers_alike_wherever_they_stand) {
  for (const Kind kind : {Kind::sgd, Kind::adam}) {
    Trained parameter;
    parameter.weight = at::full({37}, 0.3f);
    parameter.decayed = true;
    for (int64_t number = 1; number <= 5; ++number) {
      const at::Tensor gradient = at::full({37}, 0.7f / static_cast<float>(number));
      update_in_one_pass(parameter, gradient, {.kind = kind, .weight_decay = 0.01}, {0.1, number});
    }
    EXPECT_TRUE(parameter.weight.eq(parameter.weight[0]).all().item<bool>());
  }
}

TEST(OnePass, leaves_other_numbers_to_libtorch) {
  Trained parameter;
  parameter.weight = at::ones({3}, at::kDouble);
  EXPECT_FALSE(fits_one_pass(parameter, at::ones({3}, at::kDouble)));
  parameter.weight = at::ones({1, 3}).expand({2, 3});
  EXPECT_FALSE(fits_one_pass(parameter, at::ones({2, 3})));
}

}  // namespace
}  // namespace coppice::train
