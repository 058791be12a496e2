// Every pass keeps what a graph computes: each on 500 random graphs, judged by the reference
// executor. A failure names the pass and the seed.

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "graph/passes/driver.h"
#include "graph/passes/fold_weights.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "graph/passes/shuffles_to_gathers.h"
#include "graph/passes/simplify/remove_no_ops.h"
#include "graph/passes/simplify/simplify.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

constexpr uint64_t kGraphs = 500;

// Every weight becomes a product of what it was and one.
void compute_weights(Graph& graph) {
  const ValueId one = add_constant(graph, "one", Tensor::scalar(1));
  Graph computed = graph;
  computed.nodes.clear();
  for (Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId weight = node.inputs[i];
      if (reads_as(node, i) != Reads::weight || weight == kNoValue) continue;
      const auto& constant = computed.value(weight).constant;
      if (!constant || constant->dtype() != DType::f32) continue;
      node.inputs[i] = add_value(computed, unused_name(computed, "computed"), DType::f32);
      add_node(computed, "Mul", {weight, one}, {node.inputs[i]});
    }
    computed.nodes.push_back(std::move(node));
  }
  graph = std::move(computed);
}

// By the driver's names, each with what must have been done before it.
const std::map<std::string, std::function<void(Graph&)>> kRuns = {
    {"fold-weights",
     [](Graph& graph) {
       compute_weights(graph);
       fold_weights(graph);
     }},
    {"shuffles-to-gathers", shuffles_to_gathers},
    {"separate-vectors", separate_vectors},
    {"add-selections", [](Graph& graph) { add_selections(graph); }},
    {"merge-copies",
     [](Graph& graph) {
       separate_vectors(graph);
       merge_copies(graph);
     }},
    {"settle-selections",
     [](Graph& graph) {
       add_selections(graph);
       settle_selections(graph);
     }},
    {"fold-constants",
     [](Graph& graph) { fold_constants(graph, infer(graph, {.inputs = {}, .batch = 2})); }},
    {"remove-no-ops",
     [](Graph& graph) {
       const std::vector<Inferred> inferences = {infer(graph, {.inputs = {}, .batch = 2}),
                                                 infer(graph, {.inputs = {}, .batch = 3})};
       remove_no_ops(graph, inferences);
     }},
    {"fold-batch-norms", fuse_batch_norms},
};

TEST(RandomPasses, every_pass_is_run) {
  for (const Pass* pass : passes()) EXPECT_TRUE(kRuns.contains(pass->name)) << pass->name;
  EXPECT_EQ(kRuns.size(), passes().size());
}

TEST(RandomPasses, every_pass_keeps_what_a_graph_computes) {
  std::map<std::string, int64_t> changed;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    const Graph graph = RandomGraph(seed).build();
    Random random(seed);
    const std::vector<Tensor> inputs = random_inputs(graph, 2, random);
    const std::vector<Tensor> expected = run_reference(graph, inputs);
    for (const auto& [name, run] : kRuns) {
      SCOPED_TRACE(name + ", seed " + std::to_string(seed));
      Graph passed = graph;
      ASSERT_NO_THROW(run(passed));
      ASSERT_NO_THROW(verify(passed));
      changed[name] +=
          passed.nodes.size() != graph.nodes.size() || passed.values.size() != graph.values.size();
      const std::vector<Tensor> found = run_reference(passed, inputs);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_LT(difference(expected[i], found[i]), kCutTolerance) << "output " << i;
      }
    }
  }
  for (const auto& [name, count] : changed) EXPECT_GT(count, 10) << name << " has nothing to do";
}

TEST(RandomPasses, simplified_graphs_compute_the_same_at_any_batch) {
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build();
    Graph simple = graph;
    ASSERT_NO_THROW(simplify(simple));
    Random random(seed);
    for (const int64_t batch : {1, 3}) {
      const std::vector<Tensor> inputs = random_inputs(graph, batch, random);
      const std::vector<Tensor> expected = run_reference(graph, inputs);
      const std::vector<Tensor> found = run_reference(simple, inputs);
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_LT(difference(expected[i], found[i]), kCutTolerance) << "batch " << batch;
      }
    }
  }
}

}  // namespace
}  // namespace coppice
