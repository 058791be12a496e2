#include "graph/views/batch_norm.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// BatchNormalization of four channels, its attributes and the shape of its variance as given.
Graph net(const std::string& attributes, const std::string& variance = "float32 [4] positive") {
  return parse_text_graph(R"(
    input x float32 [N, 4]
    const scale float32 [4] random
    const shift float32 [4] random
    const mean float32 [4] random
    const variance )" + variance +
                          R"(
    y = BatchNormalization(x, scale, shift, mean, variance) {)" +
                          attributes + R"(}
    output y)");
}

TEST(BatchNormView, says_what_the_node_reads_at_inference) {
  const Graph graph = net("epsilon=0.25");
  const auto view = batch_norm_of(graph, graph.nodes[0]);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->channels, 4);
  EXPECT_EQ(view->epsilon, 0.25);
  EXPECT_EQ(graph.value(view->scale).name, "scale");
  EXPECT_EQ(graph.value(view->shift).name, "shift");
  EXPECT_EQ(graph.value(view->mean).name, "mean");
  EXPECT_EQ(graph.value(view->variance).name, "variance");
}

TEST(BatchNormView, tells_the_modes_apart_by_all_three_attributes) {
  const auto mode = [](const std::string& attributes) { return mode_of(net(attributes).nodes[0]); };
  EXPECT_EQ(mode("is_test=1, spatial=1, training_mode=0"), BatchNormMode::inference);
  EXPECT_EQ(mode("training_mode=1"), BatchNormMode::training);
  EXPECT_EQ(mode("is_test=0"), BatchNormMode::training);
  EXPECT_EQ(mode("spatial=0"), BatchNormMode::by_pixel);
}

TEST(BatchNormView, is_none_where_the_node_is_anothers_or_in_another_mode) {
  Graph graph = net("");
  graph.nodes[0].domain = "com.example";
  EXPECT_FALSE(is_batch_norm(graph.nodes[0]));
  EXPECT_FALSE(batch_norm_of(graph, graph.nodes[0]));
  for (const char* attributes : {"training_mode=1", "is_test=0", "spatial=0"}) {
    const Graph other = net(attributes);
    EXPECT_TRUE(is_batch_norm(other.nodes[0]));
    EXPECT_FALSE(is_batch_norm_at_inference(other.nodes[0])) << attributes;
    EXPECT_FALSE(batch_norm_of(other, other.nodes[0])) << attributes;
  }
}

TEST(BatchNormView, is_none_where_a_vector_is_computed_of_another_type_or_size) {
  Graph graph = net("");
  graph.value(*find_value(graph, "mean")).constant.reset();
  EXPECT_FALSE(batch_norm_of(graph, graph.nodes[0]));
  const Graph longer = net("", "float32 [5] positive");
  EXPECT_FALSE(batch_norm_of(longer, longer.nodes[0]));
  Graph doubles = net("");
  doubles.value(*find_value(doubles, "shift")).constant = Tensor::zeros(DType::f64, {4});
  EXPECT_FALSE(batch_norm_of(doubles, doubles.nodes[0]));
}

}  // namespace
}  // namespace coppice
