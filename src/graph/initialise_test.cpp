// Variances of large layers against the initialisations' formulas, and what a graph says of its
// own.
#include "graph/initialise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"

namespace coppice {
namespace {

// With 200,000 weights a sample variance is off by 0.3 % (one standard error): 2 % is six of them.
constexpr double kVarianceTolerance = 0.02;
const Shape kLargeLayer{400, 500, 1, 1};

struct Moments {
  double mean = 0, variance = 0, largest = 0;
};

Moments draw(Initialise initialise, const Shape& shape) {
  std::vector<float> weights(static_cast<size_t>(element_count(shape)));
  Random random = Random::stream(1, {2});
  initialise(random, fans_of(shape), weights);
  const auto count = static_cast<double>(weights.size());
  Moments moments;
  for (const float w : weights) {
    moments.mean += w / count;
    moments.variance += static_cast<double>(w) * w / count;
    moments.largest = std::max(moments.largest, std::abs(static_cast<double>(w)));
  }
  return moments;
}

void expect_variance(Initialise initialise, const Shape& shape, double variance) {
  const Moments moments = draw(initialise, shape);
  EXPECT_NEAR(moments.variance / variance, 1, kVarianceTolerance);
  EXPECT_NEAR(moments.mean / std::sqrt(variance), 0, kVarianceTolerance);
}

TEST(Initialise, he_has_variance_2_over_fan_in_or_fan_out) {
  expect_variance(he_fan_in, kLargeLayer, 2.0 / 500);
  expect_variance(he_fan_out, kLargeLayer, 2.0 / 400);
  expect_variance(he_fan_in, {100, 200, 3, 3}, 2.0 / 1800);
  expect_variance(he_fan_out, {100, 200, 3, 3}, 2.0 / 900);
}

TEST(Initialise, caffe_xavier_is_uniform_with_variance_1_over_fan_in) {
  expect_variance(caffe_xavier, kLargeLayer, 1.0 / 500);
  EXPECT_LE(draw(caffe_xavier, kLargeLayer).largest, std::sqrt(3.0 / 500) + 1e-7);
}

TEST(Initialise, glorot_has_variance_2_over_both_fans) {
  expect_variance(glorot_normal, kLargeLayer, 2.0 / 900);
  expect_variance(glorot_normal, {100, 200, 3, 3}, 2.0 / 2700);
}

TEST(Initialise, fixed_deviations_ignore_the_shape) {
  expect_variance(normal_0_01, kLargeLayer, 0.01 * 0.01);
  // A normal cut at two deviations keeps 0.7737 of its variance.
  expect_variance(truncated_normal_0_09, kLargeLayer, 0.7737 * 0.09 * 0.09);
  EXPECT_LE(draw(truncated_normal_0_09, kLargeLayer).largest, 0.18 + 1e-7);
}

TEST(Initialise, fewer_fans_give_larger_weights) {
  std::vector<float> all(1000), half(1000);
  Random first(3), second(3);
  he_fan_out(first, {.in = 8, .out = 32}, all);
  he_fan_out(second, {.in = 4, .out = 16}, half);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(half[i], all[i] * std::sqrt(2.0), 1e-6);
}

TEST(Initialisation, a_graph_says_its_own_and_another_none) {
  Graph graph;
  EXPECT_FALSE(initialisation_of(graph).has_value());
  for (const Initialise conv : {he_fan_in, he_fan_out, caffe_xavier, normal_0_01}) {
    const Initialisation own{.conv = conv, .linear = truncated_normal_0_09, .norm_scale = 0.1f};
    set_initialisation(graph, own);
    EXPECT_EQ(initialisation_of(graph), own);
  }
}

TEST(Initialisation, one_that_nobody_knows_is_refused_by_name) {
  const auto message = [](const std::string& text) -> std::string {
    Graph graph;
    set_metadata(graph, "coppice.initialisation", text);
    try {
      initialisation_of(graph);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "(no error)";
  };
  const std::string begin = "the model's metadata 'coppice.initialisation': ";
  EXPECT_EQ(message("conv=ones,linear=he-fan-in,scale=1"),
            begin +
                "initialisation 'ones', expected one of he-fan-in, he-fan-out, caffe-xavier, "
                "glorot-normal, normal-0.01, truncated-normal-0.09");
  EXPECT_EQ(message("conv=he-fan-in,scale=1"),
            begin + "'linear' is missing in 'conv=he-fan-in,scale=1'");
  for (const char* scale : {"", "x", "1x", "nan", "inf"}) {
    EXPECT_EQ(message("conv=he-fan-in,linear=he-fan-in,scale=" + std::string(scale)),
              begin + "scale '" + scale + "', expected a number");
  }
}

}  // namespace
}  // namespace coppice
