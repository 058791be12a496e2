// One function equals the composition of LibTorch's in double, in values, gradients and statistics.
#include "libtorch/fused/norm.h"

#include <gtest/gtest.h>

#include <vector>

#include "libtorch/torch.h"

namespace coppice::train {
namespace {

// Rounding of float32, also where a mean is some deviations away from 0.
constexpr double kTolerance = 2e-5;

enum class Follows { nothing, relu, sum_and_relu };
constexpr Follows kAll[] = {Follows::nothing, Follows::relu, Follows::sum_and_relu};

struct Case {
  at::Tensor x, other, scale, shift, mean, variance;

  NormSettings settings() const { return {scale, shift, mean, variance, 0.2, 1e-3}; }
  std::vector<at::Tensor> leaves() const { return {x, scale, shift, other}; }
};

at::Tensor leaf(const at::Tensor& tensor) {
  at::Tensor copy = tensor.clone();
  if (copy.dim() == 4) copy = at::empty_like(copy, at::MemoryFormat::ChannelsLast).copy_(copy);
  return copy.requires_grad_();
}

Case make_case(at::IntArrayRef shape) {
  const int64_t channels = shape[1];
  // Means far from 0 are where sums of squares would lose digits.
  return {leaf(at::randn(shape) * 2 + 30), leaf(at::randn(shape)), leaf(at::rand({channels}) + 0.5),
          leaf(at::randn({channels})),     at::randn({channels}),  at::rand({channels})};
}

Case copy_of(const Case& from, at::ScalarType type = at::kFloat) {
  const auto as = [&](const at::Tensor& tensor) { return leaf(tensor.detach().to(type)); };
  return {as(from.x),
          as(from.other),
          as(from.scale),
          as(from.shift),
          from.mean.to(type, false, /*copy=*/true),
          from.variance.to(type, false, /*copy=*/true)};
}

at::Tensor composed(const Case& c, Follows follows) {
  const NormSettings s = c.settings();
  const at::Tensor y = at::batch_norm(c.x, s.scale, s.shift, s.mean, s.variance, /*training=*/true,
                                      s.momentum, s.epsilon, false);
  if (follows == Follows::nothing) return y;
  return follows == Follows::relu ? y.relu() : (y + c.other).relu();
}

at::Tensor fused(const Case& c, Follows follows) {
  const at::Tensor other = follows == Follows::sum_and_relu ? c.other : at::Tensor();
  EXPECT_TRUE(fits_normalise_batch(c.x, c.settings(), other));
  return normalise_batch(c.x, c.settings(), other,
                         follows == Follows::nothing ? Rectify::no : Rectify::yes);
}

std::vector<at::Tensor> gradients(const at::Tensor& y, const Case& c, bool again = false) {
  const at::Tensor weights = at::arange(y.numel(), at::kFloat).reshape(y.sizes()).sin();
  return torch::autograd::grad({(y * weights).sum()}, c.leaves(), {}, /*retain_graph=*/{},
                               /*create_graph=*/again, /*allow_unused=*/true);
}

void expect_near(const at::Tensor& expected, const at::Tensor& found, const std::string& what) {
  ASSERT_EQ(expected.defined(), found.defined()) << what;
  if (!expected.defined()) return;
  ASSERT_EQ(expected.sizes(), found.sizes()) << what;
  const double scale = std::max(1e-3, expected.abs().max().item<double>());
  EXPECT_LE((expected - found).abs().max().item<double>(), kTolerance * scale) << what;
}

void expect_same(at::IntArrayRef shape, Follows follows) {
  SCOPED_TRACE(testing::Message() << shape << ", what follows: " << static_cast<int>(follows));
  const Case ours = make_case(shape), plain = copy_of(ours, at::kDouble);
  const at::Tensor expected = composed(plain, follows), found = fused(ours, follows);
  expect_near(expected, found, "values");
  EXPECT_EQ(found.strides(), ours.x.strides());
  expect_near(plain.mean, ours.mean, "running mean");
  expect_near(plain.variance, ours.variance, "running variance");
  const auto wanted = gradients(expected, plain), given = gradients(found, ours);
  for (size_t i = 0; i < wanted.size(); ++i) {
    expect_near(wanted[i], given[i], "gradient " + std::to_string(i));
  }
}

TEST(NormaliseBatch, equals_the_composition_for_any_number_of_channels) {
  at::manual_seed(1);
  for (const int64_t channels : {1, 2, 7, 12, 16, 33, 64}) {
    for (const Follows follows : kAll) {
      expect_same({3, channels, 5, 4}, follows);
      expect_same({9, channels}, follows);
    }
  }
}

TEST(NormaliseBatch, equals_the_composition_over_many_chunks) {
  at::manual_seed(2);
  for (const Follows follows : kAll) {
    expect_same({16, 24, 33, 17}, follows);
    expect_same({40, 600, 3, 3}, follows);
  }
}

TEST(NormaliseBatch, gives_the_same_bits_on_any_number_of_threads) {
  at::manual_seed(3);
  const Case c = make_case({16, 20, 33, 17});
  std::vector<at::Tensor> first;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const at::Tensor y = fused(copy_of(c), Follows::nothing);
    const Case own = copy_of(c);
    std::vector<at::Tensor> found = gradients(fused(own, Follows::sum_and_relu), own);
    found.push_back(y.detach());
    found.push_back(own.variance);
    if (first.empty()) first = found;
    for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(found[i].equal(first[i])) << i;
  }
  at::set_num_threads(1);
}

TEST(NormaliseBatch, has_gradients_that_can_be_differentiated_again) {
  at::manual_seed(4);
  for (const Follows follows : kAll) {
    const Case ours = make_case({4, 3, 3, 2}), plain = copy_of(ours, at::kDouble);
    std::vector<at::Tensor> second[2];
    for (const bool own : {false, true}) {
      const Case& c = own ? ours : plain;
      const at::Tensor y = own ? fused(c, follows) : composed(c, follows);
      const auto found = gradients(y, c, /*again=*/true);
      const at::Tensor along = found[0].square().sum() + found[1].square().sum();
      second[own] = torch::autograd::grad({along}, {c.x, c.scale}, {}, {}, false, true);
    }
    for (size_t i = 0; i < 2; ++i) expect_near(second[0][i], second[1][i], std::to_string(i));
  }
}

TEST(NormaliseBatch, leaves_other_numbers_and_orders_to_libtorch) {
  const Case c = make_case({2, 3, 4, 4});
  EXPECT_FALSE(fits_normalise_batch(c.x.contiguous(), c.settings(), {}));
  EXPECT_FALSE(fits_normalise_batch(c.x.to(at::kDouble), c.settings(), {}));
  EXPECT_FALSE(fits_normalise_batch(c.x, c.settings(), c.other.contiguous()));
  EXPECT_FALSE(fits_normalise_batch(c.x, c.settings(), c.other.sum(0, true)));
}

}  // namespace
}  // namespace coppice::train
