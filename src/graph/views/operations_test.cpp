#include "graph/views/operations.h"

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// 4 * 36 * 8 * 8 = 9,216 and 3 * 4 multiply-accumulates a sample.
constexpr char kNet[] = R"(
    input x float32 [N, 4, 8, 8]
    const w float32 [4, 4, 3, 3] random
    const b float32 [4] random
    const scale float32 [4] positive
    const shift float32 [4] random
    const mean float32 [4] random
    const variance float32 [4] positive
    const turned float32 [3, 4] random
    a = Conv(x, w, b) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, scale, shift, mean, variance)
    r = Relu(n)
    p = MaxPool(r) {kernel_shape=[2, 2], strides=[2, 2]}
    g = GlobalAveragePool(p)
    f = Flatten(g)
    t = Transpose(turned)
    y = MatMul(f, t)
    output y)";

Operations counted(const Graph& graph, const std::map<std::string, Tensor>& masks = {}) {
  return operations_of(graph, infer(graph, fitting_sizes(graph, {})), masks);
}

TEST(Operations, without_masks_macs_are_those_of_costs) {
  const Graph graph = parse_text_graph(kNet);
  EXPECT_EQ(counted(graph).macs, 9'216 + 12);
  EXPECT_EQ(counted(graph).macs, costs_of(graph, infer(graph, fitting_sizes(graph, {}))).macs);
}

TEST(Operations, the_released_script_counts_biases_normalisations_activations_and_pools) {
  // Of 256 elements: a bias each, 2 of BatchNormalization, 1 of Relu; 4 for each of 64 that MaxPool
  // gives, 16 for each of 4 of the global pool.
  EXPECT_EQ(counted(parse_text_graph(kNet)).flops,
            2 * (9'216 + 12) + 256 + 2 * 256 + 256 + 4 * 64 + 16 * 4);
}

TEST(Operations, weights_that_a_mask_holds_at_zero_cost_nothing) {
  const Graph graph = parse_text_graph(kNet);
  Tensor quarter = Tensor::zeros(DType::f32, {4, 4, 3, 3});
  for (int64_t i = 0; i < 36; ++i) quarter.mutate<float>()[i] = 1;
  Tensor third = Tensor::zeros(DType::f32, {3, 4});
  for (int64_t i = 0; i < 4; ++i) third.mutate<float>()[i * 3] = 1;
  const Operations sparse = counted(graph, {{"w", quarter}, {"turned", third}});
  EXPECT_EQ(sparse.macs, 9'216 / 4 + 4) << "also behind a Transpose";
  EXPECT_EQ(counted(graph).flops - sparse.flops, 2 * (counted(graph).macs - sparse.macs));
}

}  // namespace
}  // namespace coppice
