#include "graph/views/linear_layer.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::optional<LinearLayer> layer_of(const std::string& node, int weight = 1) {
  const Graph graph = parse_text_graph(
      "input x float32 [N]\nconst w float32 [2, 2] random\ny = " + node + "\noutput y");
  return linear_layer_of(graph.nodes[0], weight);
}

TEST(LinearLayerView, is_one_for_convolutions_and_products) {
  EXPECT_EQ(layer_of("Conv(x, w)")->kind, LinearLayer::Kind::convolution);
  EXPECT_EQ(layer_of("ConvTranspose(x, w)")->kind, LinearLayer::Kind::transposed_convolution);
  EXPECT_EQ(layer_of("Gemm(x, w)")->kind, LinearLayer::Kind::product);
  EXPECT_EQ(layer_of("MatMul(x, w)")->kind, LinearLayer::Kind::product);
}

TEST(LinearLayerView, says_groups_scales_and_axes) {
  const auto conv = layer_of("Conv(x, w) {group=3}");
  EXPECT_EQ(conv->groups, 3);
  EXPECT_EQ(conv->outputs, 0);
  const auto gemm = layer_of("Gemm(x, w) {alpha=0.5, beta=0.25, transB=1}");
  EXPECT_EQ(gemm->scale, 0.5);
  EXPECT_EQ(gemm->bias_scale, 0.25);
  EXPECT_EQ(gemm->outputs, 0);
  EXPECT_EQ(gemm->bias, 2);
  EXPECT_EQ(layer_of("MatMul(x, w)")->bias, -1);
  EXPECT_EQ(from_the_front(layer_of("MatMul(x, w)")->inputs, 3), 1);
}

TEST(LinearLayerView, the_weight_of_a_product_may_stand_on_either_side) {
  EXPECT_EQ(layer_of("MatMul(w, x)", 0)->data, 1);
  EXPECT_EQ(layer_of("Gemm(w, x)", 0)->channels, 0);
  EXPECT_FALSE(layer_of("Conv(x, w)", 0));
  EXPECT_FALSE(layer_of("Gemm(x, w, w)", 2));
}

TEST(LinearLayerView, is_none_for_other_operators_and_other_domains) {
  for (const char* node : {"Einsum(x, w)", "Gather(x, w)", "Add(x, w)", "Mystery(x, w)"}) {
    EXPECT_FALSE(layer_of(node)) << node;
  }
  Node foreign;
  foreign.domain = "com.example";
  foreign.op_type = "Conv";
  foreign.inputs = {0, 1};
  EXPECT_FALSE(linear_layer_of(foreign));
}

}  // namespace
}  // namespace coppice
