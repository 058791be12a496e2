// Channels of a group may change places: on random graphs and on real ones, with residual streams,
// concatenations and grouped convolutions, outputs stay what they were but for rounding.

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "groups/permute.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"
#include "verify/compare.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// Every group that may, at random; returns how many did.
int64_t permute(Graph& graph, Random& random) {
  const Groups groups = find_groups(graph);
  std::vector<ChannelOrder> orders;
  int64_t permuted = 0;
  const std::vector<char> may = permutable(groups);
  for (size_t g = 0; g < groups.free.size(); ++g) {
    if (!may[g]) continue;
    const Group& group = groups.free[g];
    const auto more = orders_of(graph, group, random.permutation(group.units()));
    orders.insert(orders.end(), more.begin(), more.end());
    ++permuted;
  }
  reorder_channels(graph, composed(orders));
  return permuted;
}

TEST(PermutedChannels, random_graphs_compute_what_they_did) {
  int64_t permuted = 0;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build();
    Graph other = graph;
    Random random(seed);
    permuted += permute(other, random);
    const std::vector<Tensor> inputs = random_inputs(graph, 3, random);
    const std::vector<Tensor> expected = run_reference(graph, inputs);
    const std::vector<Tensor> found = run_reference(other, inputs);
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_LT(difference(expected[i], found[i]), kCutTolerance);
    }
  }
  EXPECT_GT(permuted, 500) << "little is tested";
}

TEST(PermutedChannels, residual_nets_compute_what_they_did) {
  for (const char* name : {"resnet20", "resnet56", "mobilenetv2", "densenet40", "lenet5"}) {
    SCOPED_TRACE(name);
    const Graph graph = build_zoo_model(name, 1);
    Graph other = graph;
    Random random(7);
    EXPECT_GT(permute(other, random), 1);
    const Comparison comparison = compare(graph, other, fitting_sizes(graph, {}), 1);
    EXPECT_FALSE(comparison.blind());
    EXPECT_LT(comparison.error, 1e-5);
  }
}

TEST(PermutedChannels, orders_one_after_the_other_are_one) {
  const std::vector<ChannelOrder> orders = {
      {"w", 0, {2, 0, 1}}, {"w", 1, {1, 0}}, {"w", 0, {1, 0, 2}}};
  const std::vector<ChannelOrder> both = {{"w", 0, {0, 2, 1}}, {"w", 1, {1, 0}}};
  EXPECT_EQ(composed(orders), both);
}

TEST(PermutedChannels, orders_that_do_not_fit_are_refused) {
  const auto fails_with = [](const ChannelOrder& order, const std::string& expected) {
    Graph graph = build_zoo_model("lenet5", 1);
    try {
      reorder_channels(graph, {&order, 1});
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  const Graph net = build_zoo_model("lenet5", 1);
  const std::string weight = net.value(find_groups(net).free.front().slices.front().tensor).name;
  fails_with({"missing", 0, {0}}, "the model has no such tensor");
  fails_with({weight, 9, {0}}, "the order is of 1 indices");
  fails_with({weight, 0, {0, 1}}, "the order is of 2 indices");
  const int64_t size = net.value(*find_value(net, weight)).constant->shape()[0];
  fails_with({weight, 0, std::vector<int64_t>(static_cast<size_t>(size), 0)}, "once");
}

}  // namespace
}  // namespace coppice
