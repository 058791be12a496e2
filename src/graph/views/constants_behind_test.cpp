#include "graph/views/constants_behind.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

TEST(ConstantsBehind, are_followed_through_reshapes_and_no_further) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 4]
    const w float32 [2, 4] random
    const shape int64 [2] = 4 2
    t = Transpose(w) {perm=[1, 0]}
    r = Reshape(t, shape)
    n = Neg(r)
    i = Identity(x)
    y = MatMul(i, r)
    output y)");
  const std::vector<ValueId> behind = constants_behind(graph);
  const auto name_behind = [&](const char* value) -> std::string {
    const ValueId id = behind[*find_value(graph, value)];
    return id == kNoValue ? "none" : graph.value(id).name;
  };
  for (const char* value : {"w", "t", "r"}) EXPECT_EQ(name_behind(value), "w") << value;
  for (const char* value : {"x", "n", "i", "y"}) EXPECT_EQ(name_behind(value), "none") << value;
}

TEST(ConstantsBehind, are_seen_behind_a_cast_to_the_type_that_they_have) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 4]
    const w float32 [4, 2] random
    const v int64 [4, 2] ones
    same = Cast(w) {to=1}
    whole = Cast(w) {to=7}
    wide = Cast(v) {to=1}
    y = MatMul(x, same)
    output y)");
  const std::vector<ValueId> behind = constants_behind(graph);
  EXPECT_EQ(behind[*find_value(graph, "same")], *find_value(graph, "w"));
  EXPECT_EQ(behind[*find_value(graph, "whole")], kNoValue);
  EXPECT_EQ(behind[*find_value(graph, "wide")], kNoValue);
}

TEST(ConstantsBehind, an_empty_graph_has_none) { EXPECT_TRUE(constants_behind(Graph{}).empty()); }

}  // namespace
}  // namespace coppice
