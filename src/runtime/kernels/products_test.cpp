// Gemm and MatMul with constant and computed operands: compiled equals reference.

#include "support/test_net.h"

namespace coppice {
namespace {

Shape maybe_transposed(bool transposed, int64_t rows, int64_t columns) {
  return transposed ? Shape{columns, rows} : Shape{rows, columns};
}

enum class B { constant, computed };

void expect_gemm(uint64_t seed, bool trans_a, bool trans_b, const Shape& c, B b, float alpha,
                 float beta, Fallbacks fallbacks) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int64_t kRows = 3, kInner = 17, kColumns = 10;
  TestNet net(seed);
  const ValueId a = net.input(maybe_transposed(trans_a, kRows, kInner));
  const Shape shape = maybe_transposed(trans_b, kInner, kColumns);
  const ValueId other = b == B::constant ? net.weight(shape) : net.input(shape);
  std::vector<ValueId> inputs{a, other};
  if (!c.empty()) inputs.push_back(net.weight(c));
  net.output(net.add("Gemm", inputs,
                     {{"transA", int64_t{trans_a}},
                      {"transB", int64_t{trans_b}},
                      {"alpha", alpha},
                      {"beta", beta}}));
  expect_fast_equals_reference(net.graph, fallbacks);
}

TEST(FastGemm, equals_reference_for_every_transposition_and_bias) {
  uint64_t seed = 0;
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      for (const Shape& c : {Shape{}, Shape{10}, Shape{1, 10}, Shape{1}}) {
        expect_gemm(++seed, trans_a, trans_b, c, B::constant, 1, 1, Fallbacks::none);
        expect_gemm(++seed, trans_a, trans_b, c, B::computed, 1, 1, Fallbacks::none);
      }
      expect_gemm(++seed, trans_a, trans_b, {3, 1}, B::constant, 1, 1, Fallbacks::allowed);
      expect_gemm(++seed, trans_a, trans_b, {3, 10}, B::computed, 2, -1, Fallbacks::allowed);
    }
  }
}

TEST(FastGemm, honours_alpha_and_beta) {
  expect_gemm(1, false, true, {10}, B::constant, 0.25f, -2, Fallbacks::none);
  expect_gemm(2, false, false, {}, B::computed, 0.25f, 1, Fallbacks::none);
  expect_gemm(3, true, false, {10}, B::computed, 3, 0.5f, Fallbacks::allowed);
}

TEST(FastGemm, takes_normalisation_activation_and_sum_along) {
  TestNet net(1);
  const ValueId x = net.input({5, 20}), other = net.input({5, 7});
  const ValueId y =
      net.batch_norm(net.add("Gemm", {x, net.weight({20, 7}), net.weight({7})}, {{"beta", 0.5f}}));
  net.output(net.add("Add", {other, net.add("Relu", {y})}));
  const auto layers = expect_fast_equals_reference(net.graph);
  EXPECT_EQ(kinds_of(layers), std::vector<std::string>{"Gemm+BatchNormalization+Relu+Add"});
}

TEST(FastMatMul, equals_reference_for_every_rank) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{4, 7}, {7, 5}},       {{2, 4, 7}, {7, 5}},       {{2, 3, 4, 7}, {7, 5}},
      {{2, 4, 7}, {2, 7, 5}}, {{3, 1, 4, 7}, {2, 7, 5}}, {{1, 4, 7}, {6, 7, 5}}};
  uint64_t seed = 0;
  for (const auto& [a, b] : shapes) {
    SCOPED_TRACE(to_string(a) + " * " + to_string(b));
    TestNet constant(++seed), computed(seed);
    constant.output(constant.add("MatMul", {constant.input(a), constant.weight(b)}));
    expect_fast_equals_reference(constant.graph);
    const ValueId left = computed.input(a), right = computed.input(b);
    computed.output(computed.add("MatMul", {left, right}));
    expect_fast_equals_reference(computed.graph);
  }
}

TEST(FastMatMul, operands_of_rank_one_use_the_reference_kernel) {
  TestNet net(1);
  const ValueId row = net.add("MatMul", {net.input({7}), net.weight({7, 5})});
  net.output(net.add("MatMul", {row, net.input({5})}));
  expect_fast_equals_reference(net.graph, Fallbacks::allowed);
}

TEST(FastMatMul, takes_bias_and_activation_along) {
  for (const Shape& shape : {Shape{4, 7}, Shape{2, 3, 7}}) {
    TestNet net(1);
    const ValueId y = net.add("MatMul", {net.input(shape), net.weight({7, 5})});
    net.output(net.add("Sigmoid", {net.add("Add", {y, net.weight({5})})}));
    const auto layers = expect_fast_equals_reference(net.graph);
    EXPECT_EQ(kinds_of(layers), std::vector<std::string>{"MatMul+Add+Sigmoid"});
  }
}

TEST(FastMatMul, a_batch_is_separated_from_what_follows) {
  TestNet net(1);
  const ValueId a = net.input({2, 4, 7}), b = net.input({2, 7, 5});
  net.output(net.add("Relu", {net.add("Add", {net.add("MatMul", {a, b}), net.weight({5})})}));
  expect_fast_equals_reference(net.graph);
}

}  // namespace
}  // namespace coppice
