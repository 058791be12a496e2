// What there is to know of a model, as data and JSON.
#include "model/description.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "model/norms.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const w2 float32 [3, 4, 1, 1] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    y = Conv(r, w2)
    output y)";

Model model_of(const std::string& text) {
  return {.name = "tiny.onnx", .graph = parse_text_graph(text), .bytes = 1234, .newer = ""};
}

TEST(Describe, layers_costs_groups_and_pins_are_in_its_json) {
  const Model model = model_of(kNet);
  const Json json = to_json(describe(model.graph, 2), model);
  EXPECT_EQ(json["model"], "tiny.onnx");
  EXPECT_EQ(json["bytes"], 1234);
  EXPECT_EQ(json["parameters"], 36 + 12);
  EXPECT_EQ(json["macs"], 2 * 16 * (36 + 12));
  EXPECT_EQ(json["inputs"], "x 2x1x4x4");
  ASSERT_EQ(json["layers"].size(), 2u);
  EXPECT_EQ(json["layers"][0]["op"], "Conv");
  EXPECT_EQ(json["layers"][0]["shape"], "2x4x4x4");
  ASSERT_EQ(json["groups"].size(), 1u);
  EXPECT_EQ(json["groups"][0]["units"], 4);
  EXPECT_FALSE(json["pinned"].empty());
}

TEST(Describe, each_part_stands_without_the_others) {
  const Model model = model_of(R"(
      input x float32 [N, 4]
      a = NoSuchOperator(x)
      y = Relu(a)
      output y)");
  const ModelDescription found = describe(model.graph, 1);
  EXPECT_EQ(found.unknown_operators.at("NoSuchOperator"), 1);
  EXPECT_EQ(found.others.at("Relu"), 1);
}

TEST(DescribeNode, a_node_is_found_by_its_output_and_what_is_none_is_refused) {
  const Graph graph = parse_text_graph(kNet);
  const Json json = to_json(describe_node(graph, "a"));
  EXPECT_EQ(json["op"], "Conv");
  EXPECT_FALSE(json["axes"].empty());
  EXPECT_THROW(describe_node(graph, "b"), Error);
}

TEST(DescribeNorms, counts_the_layers_whose_norms_say_little) {
  const NormsDescription found = describe_norms(parse_text_graph(kNet));
  EXPECT_EQ(found.sets, 1);
  EXPECT_EQ(to_json(found)["norms"].size(), 1u);
  EXPECT_EQ(found.trusted(), found.narrow == 0 && found.far_from_zero == 0);
  EXPECT_THROW(describe_norms(Graph()), Error);
}

}  // namespace
}  // namespace coppice
