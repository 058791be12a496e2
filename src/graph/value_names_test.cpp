#include "graph/value_names.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

TEST(ValueNames, finds_the_first_value_of_a_name_and_gives_names_as_unused_name_does) {
  Graph graph;
  for (const char* name : {"x", "w", "w_1", "x", "w_3"}) add_value(graph, name);
  ValueNames names(graph);
  EXPECT_EQ(names.find("x"), 0);
  EXPECT_EQ(names.find("y"), std::nullopt);
  for (const char* stem : {"w", "w", "y", "y", "w_1", "w", "x"}) {
    const std::string expected = unused_name(graph, stem);
    EXPECT_EQ(names.unused(stem), expected) << stem;
    EXPECT_EQ(names.find(expected), std::nullopt) << "a name without a value";
    add_value(graph, expected);
  }
  names.set("y", 5);
  EXPECT_EQ(names.find("y"), 5);
}

}  // namespace
}  // namespace coppice
