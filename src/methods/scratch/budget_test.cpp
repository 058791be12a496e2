#include "methods/scratch/budget.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using Length = ScratchBudget::Length;
using Rule = ScratchBudget::Rule;

int64_t epochs(int64_t dense, const ScratchCosts& costs, Rule rule, int64_t rival = 0) {
  return scratch_epochs(dense, costs, {.length = Length::matched, .rule = rule, .rival = rival});
}

TEST(ScratchBudget, the_dense_length_is_the_dense_nets_whatever_is_saved) {
  EXPECT_EQ(scratch_epochs(160, {100, 10}, {.length = Length::dense}), 160);
}

TEST(ScratchBudget, the_papers_rule_has_no_cap_and_rounds_down) {
  EXPECT_EQ(epochs(160, {1379, 1000}, Rule::paper), 220);
  EXPECT_EQ(epochs(160, {30, 1}, Rule::paper), 4800);
  EXPECT_EQ(epochs(161, {23, 161}, Rule::paper), 23) << "whole numbers stay whole";
  EXPECT_EQ(epochs(3, {1, 10}, Rule::paper), 1) << "a structure may cost more than the net";
}

TEST(ScratchBudget, on_imagenet_it_is_twice_the_dense_schedule_at_most) {
  EXPECT_EQ(epochs(90, {3, 2}, Rule::imagenet), 135);
  EXPECT_EQ(epochs(90, {2, 1}, Rule::imagenet), 180);
  EXPECT_EQ(epochs(90, {5, 1}, Rule::imagenet), 180);
}

TEST(ScratchBudget, the_strict_rule_counts_what_the_rival_was_tuned_for) {
  EXPECT_EQ(epochs(160, {2, 1}, Rule::strict, 40), 360);
}

TEST(ScratchBudget, of_masks_the_cost_is_what_they_leave) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 4]
      const w float32 [5, 4] random
      y = Gemm(x, w) {transB=1}
      output y)");
  Tensor mask = Tensor::zeros(DType::f32, {5, 4});
  for (int64_t i = 0; i < 5; ++i) mask.mutate<float>()[i * 4] = 1;
  const auto macs = ScratchBudget::Counter::macs;
  EXPECT_EQ(cost_of_pass(graph, {}, macs), 20);
  EXPECT_EQ(cost_of_pass(graph, {{"w", mask}}, macs), 5);
  EXPECT_EQ(cost_of_pass(graph, {{"w", mask}}, ScratchBudget::Counter::flops), 10);
  EXPECT_EQ(epochs(10, {20, 5}, Rule::paper), 40) << "the released script trains 10";
}

TEST(ScratchBudget, costs_are_of_one_image_whatever_the_batch_of_the_file) {
  const auto cost = [](const std::string& batch) {
    return cost_of_pass(parse_text_graph("input x float32 [" + batch +
                                         ", 4]\nconst w float32 [5, 4] random\n"
                                         "y = Gemm(x, w) {transB=1}\noutput y"),
                        {}, ScratchBudget::Counter::macs);
  };
  EXPECT_EQ(cost("8"), cost("N"));
}

}  // namespace
}  // namespace coppice
