// From labels to groups: names, order, numbering, signatures and explanations. What single
// operators tie is in tests/ties/ties_test.cpp and its neighbours, where the cuts are also run.

#include <gtest/gtest.h>

#include <set>

#include "groups/cut/surgery.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kResidual[] = R"(
    input x float32 [N, 3, 4, 4]
    const stem float32 [6, 3, 1, 1] random
    const stem_bias float32 [6] random
    const inner float32 [5, 6, 3, 3] random
    const outer float32 [6, 5, 1, 1] random
    const head float32 [2, 6, 1, 1] random
    s = Conv(x, stem, stem_bias)
    a = Conv(s, inner) {pads=[1, 1, 1, 1]}
    b = Relu(a)
    c = Conv(b, outer)
    sum = Add(s, c)
    y = Conv(sum, head)
    output y)";

// Two producers of 6 and 9 channels, added over the first 4 of each.
constexpr char kPartlyTied[] = R"(
    input x float32 [N, 3]
    const from int64 [1] = 0
    const to int64 [1] = 4
    const axis int64 [1] = 1
    const w1 float32 [3, 6] random
    const w2 float32 [3, 9] random
    const w3 float32 [4, 2] random
    const w4 float32 [6, 2] random
    const w5 float32 [9, 2] random
    a = MatMul(x, w1)
    b = MatMul(x, w2)
    a4 = Slice(a, from, to, axis)
    b4 = Slice(b, from, to, axis)
    sum = Add(a4, b4)
    y1 = MatMul(sum, w3)
    y2 = MatMul(a, w4)
    y3 = MatMul(b, w5)
    output y1 y2 y3)";

Groups explained(const Graph& graph) {
  GroupOptions options;
  options.explain = Explain::pins;
  return find_groups(graph, options);
}

const Pinned& pin_of(const Graph& graph, const Groups& groups, const std::string& tensor,
                     int64_t axis) {
  for (const Pinned& pin : groups.pinned) {
    if (graph.value(pin.tensor).name == tensor && pin.axis == axis) return pin;
  }
  throw std::runtime_error("not pinned: " + tensor);
}

TEST(FindGroups, a_group_is_called_by_its_first_filters_and_lists_filters_first) {
  const Graph graph = parse_text_graph(kResidual);
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.free.size(), 2u);
  const Group& spine = groups.free[0];
  EXPECT_EQ(spine.name, "stem");
  EXPECT_EQ(groups.free[1].name, "inner");
  std::vector<Role> roles;
  for (const Slice& slice : spine.slices) roles.push_back(slice.role);
  EXPECT_EQ(roles, (std::vector<Role>{Role::filter, Role::filter, Role::bias, Role::input_channel,
                                      Role::input_channel}));
}

TEST(FindGroups, units_are_numbered_through_over_all_groups) {
  const Groups groups = find_groups(parse_text_graph(kResidual));
  EXPECT_EQ(groups.unit_count, 11);
  EXPECT_EQ(groups.free[0].first_unit, 0);
  EXPECT_EQ(groups.free[1].first_unit, 6);
  EXPECT_EQ(group_of(groups, 0), 0u);
  EXPECT_EQ(group_of(groups, 5), 0u);
  EXPECT_EQ(group_of(groups, 6), 1u);
  EXPECT_EQ(group_of(groups, 10), 1u);
}

TEST(FindGroups, all_slices_of_a_group_have_as_many_units) {
  for (const char* text : {kResidual, kPartlyTied}) {
    for (const Group& group : find_groups(parse_text_graph(text)).free) {
      for (const Slice& slice : group.slices) {
        EXPECT_EQ(static_cast<int64_t>(slice.indices.size()), group.units());
      }
    }
  }
}

TEST(FindGroups, units_of_one_kind_partition_the_free_indices) {
  const Graph graph = parse_text_graph(kPartlyTied);
  std::set<std::tuple<ValueId, int64_t, int64_t>> seen;
  for (const Group& group : find_groups(graph).free) {
    for (const Slice& slice : group.slices) {
      for (const auto& indices : slice.indices) {
        for (const int64_t index : indices) {
          EXPECT_TRUE(seen.emplace(slice.tensor, slice.axis, index).second) << "in two units";
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), 6u + 9 + 4 + 6 + 9);
}

TEST(FindGroups, what_ties_only_some_indices_splits_the_group) {
  const Groups groups = find_groups(parse_text_graph(kPartlyTied));
  std::multiset<int64_t> sizes;
  for (const Group& group : groups.free) sizes.insert(group.units());
  EXPECT_EQ(sizes, (std::multiset<int64_t>{2, 4, 5}));  // alone in a, tied, alone in b
}

TEST(FindGroups, a_pin_names_reason_node_and_the_way_there) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [4, 3, 1, 1] random
      const w2 float32 [2, 4, 1, 1] random
      c = Conv(x, w1)
      r = Relu(c)
      q = Quantum(r)
      y = Conv(r, w2)
      output y q)");
  const Groups groups = explained(graph);
  const Pinned pin = pin_of(graph, groups, "w1", 0);
  EXPECT_EQ(pin.kind, PinKind::unknown);
  EXPECT_EQ(pin.indices, 4);
  EXPECT_EQ(pin.reason, "operator Quantum isn't known to coppice, says node 'q' (Quantum)");
  EXPECT_EQ(pin.path, (std::vector<std::string>{"c", "r", "q"}));
  EXPECT_EQ(pin_of(graph, groups, "w2", 1).path, (std::vector<std::string>{"y", "q"}));
}

TEST(FindGroups, a_partly_pinned_axis_says_how_many_indices) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const picks int64 [2, 1] = 1 3
      const w1 float32 [3, 5] random
      const w2 float32 [5, 2] random
      a = MatMul(x, w1)
      b = Gather(a, picks) {axis=1}
      y = MatMul(a, w2)
      output y b)");
  const Groups groups = explained(graph);
  EXPECT_EQ(pin_of(graph, groups, "w1", 1).indices, 2);
  ASSERT_EQ(groups.free.size(), 1u);
  EXPECT_EQ(groups.free[0].units(), 3);
}

TEST(FindGroups, pins_are_explained_only_when_asked) {
  EXPECT_TRUE(find_groups(parse_text_graph(kResidual)).pinned.empty());
  EXPECT_FALSE(explained(parse_text_graph(kResidual)).pinned.empty());
}

TEST(FindGroups, a_constant_that_nobody_reads_is_in_no_group) {
  const Groups groups = find_groups(parse_text_graph(R"(
      input x float32 [N, 3]
      const unused float32 [7] random
      const w1 float32 [3, 4] random
      const w2 float32 [4, 2] random
      a = MatMul(x, w1)
      y = MatMul(a, w2)
      output y)"));
  ASSERT_EQ(groups.free.size(), 1u);
  EXPECT_EQ(groups.free[0].name, "w1");
}

TEST(FindGroups, a_graph_without_weights_has_no_groups) {
  const Groups groups = find_groups(parse_text_graph(R"(
      input x float32 [N, 3]
      y = Relu(x)
      output y)"));
  EXPECT_TRUE(groups.free.empty());
  EXPECT_EQ(groups.unit_count, 0);
}

TEST(FindGroups, shapes_that_do_not_fit_are_the_files_fault) {
  const Graph graph = parse_text_graph(R"(
      input x float32 [N, 3]
      const w float32 [4, 2] random
      y = MatMul(x, w)
      output y)");
  try {
    find_groups(graph);
    FAIL() << "no error";
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(),
                 "node 'y' (MatMul): right operand expects 4 features, input 'x' of shape 2x3 has "
                 "3");
  }
}

TEST(FindGroups, alive_says_for_each_index_whether_it_stays) {
  const Graph graph = parse_text_graph(kResidual);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[1] = removal[6] = 1;  // stem's filter 1, inner's filter 0
  const ValueId sum = *find_value(graph, "sum"), inner = *find_value(graph, "inner");
  EXPECT_EQ(alive(groups, sum, 1, removal), (std::vector<char>{1, 0, 1, 1, 1, 1}));
  EXPECT_EQ(alive(groups, inner, 0, removal), (std::vector<char>{0, 1, 1, 1, 1}));
  EXPECT_TRUE(alive(groups, sum, 2, removal).empty()) << "nothing on it can go";
  EXPECT_EQ(shape_after(groups, inner, {5, 6, 3, 3}, alive_counts(groups, removal)),
            (Shape{4, 5, 3, 3}));
}

TEST(FindGroups, the_same_graph_gives_the_same_groups) {
  const Graph graph = parse_text_graph(kPartlyTied);
  const Groups once = find_groups(graph), again = find_groups(graph);
  ASSERT_EQ(once.free.size(), again.free.size());
  for (size_t g = 0; g < once.free.size(); ++g) {
    ASSERT_EQ(once.free[g].slices.size(), again.free[g].slices.size());
    for (size_t s = 0; s < once.free[g].slices.size(); ++s) {
      EXPECT_EQ(once.free[g].slices[s].indices, again.free[g].slices[s].indices);
    }
  }
}

}  // namespace
}  // namespace coppice
