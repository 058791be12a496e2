// Channel selections in the methods: who asks for them, what then stays, and that plans, passes and
// checkpoints know nothing of them.

#include <gtest/gtest.h>

#include "core/random.h"
#include "methods/slimming.h"
#include "onnx/onnx.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// The fake session's net with a residual stream of 4 channels that two normalisations read.
constexpr char kPreActivation[] = R"(
    input x float32 [N, 1, 4, 4]
    const w0 float32 [4, 1, 3, 3] random
    const g1 float32 [4] positive
    const b1 float32 [4] random
    const m1 float32 [4] random
    const v1 float32 [4] positive
    const w1 float32 [5, 4, 1, 1] random
    const g2 float32 [5] positive
    const b2 float32 [5] random
    const m2 float32 [5] random
    const v2 float32 [5] positive
    const w2 float32 [4, 5, 1, 1] random
    const g3 float32 [4] positive
    const b3 float32 [4] random
    const m3 float32 [4] random
    const v3 float32 [4] positive
    const fw float32 [3, 4] random
    const fb float32 [3] random
    s = Conv(x, w0) {pads=[1, 1, 1, 1]}
    n1 = BatchNormalization(s, g1, b1, m1, v1)
    r1 = Relu(n1)
    c1 = Conv(r1, w1)
    n2 = BatchNormalization(c1, g2, b2, m2, v2)
    r2 = Relu(n2)
    c2 = Conv(r2, w2)
    sum = Add(s, c2)
    n3 = BatchNormalization(sum, g3, b3, m3, v3)
    r3 = Relu(n3)
    g = GlobalAveragePool(r3)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

Graph with_random_scales(const std::string& name) {
  Graph graph = build_zoo_model(name, 1);
  uint64_t seed = 0;
  for (const Node& node : graph.nodes) {
    if (node.op_type != "BatchNormalization") continue;
    auto scale = graph.value(node.inputs[1]).constant->mutate<float>();
    Random(++seed).fill_uniform(scale, 0, 1);
  }
  return graph;
}

// Cuts are proved where a test is about them; proofs of these nets take seconds.
OneShotOptions ratio(double value, Verify verify = Verify::off) {
  OneShotOptions options;
  options.verify = verify;
  options.budget = {Budget::Of::ratio, 1 - value};
  options.round_to = 1;
  return options;
}

int64_t gathers(const Graph& graph) {
  return std::ranges::count(graph.nodes, "Gather", &Node::op_type);
}

Shape shape_of(const Graph& graph, const std::string& name) {
  return graph.value(*find_value(graph, name)).constant->shape();
}

TEST(Selection, bn_scale_cuts_behind_the_streams_and_leaves_them_alone) {
  const Graph graph = with_random_scales("preresnet20");
  const Outcome outcome = prune_once(graph, find_criterion("bn-scale"), ratio(0.4, Verify::on));
  EXPECT_TRUE(outcome.proof->comparison.equal());
  EXPECT_EQ(gathers(outcome.graph), 10);
  EXPECT_EQ(shape_of(outcome.graph, "conv1.weight")[0], 16);
  EXPECT_EQ(shape_of(outcome.graph, "layer3.2.conv2.weight")[0], 64);
  EXPECT_LT(shape_of(outcome.graph, "bn.weight")[0], 64);
  EXPECT_EQ(costs_of(outcome.graph, infer(outcome.graph)).parameters, outcome.after.parameters);
  int64_t leave = 0, all = 0;
  for (const GroupCut& group : outcome.groups) {
    if (group.name.find(".conv2.") != std::string::npos || group.name == "conv1.weight") continue;
    leave += group.before - group.after;
    all += group.before;
  }
  EXPECT_EQ(leave, all * 2 / 5) << "of all channels that a scale of their own decides about";
}

TEST(Selection, other_methods_cut_the_streams_unless_they_are_told) {
  const Graph graph = with_random_scales("preresnet20");
  OneShotOptions options = ratio(0.5);
  const Outcome streams = prune_once(graph, find_criterion("l1"), options);
  EXPECT_EQ(gathers(streams.graph), 0);
  EXPECT_EQ(shape_of(streams.graph, "conv1.weight")[0], 8);
  options.selection = OneShotOptions::Selection::before_batch_norms;
  const Outcome selected = prune_once(graph, find_criterion("l1"), options);
  EXPECT_EQ(gathers(selected.graph), 10);
  EXPECT_EQ(shape_of(selected.graph, "conv1.weight")[0], 16);
  options.selection = OneShotOptions::Selection::none;
  EXPECT_EQ(gathers(prune_once(graph, find_criterion("bn-scale"), options).graph), 0);
}

TEST(Selection, plans_replay_to_the_same_bytes_with_selections_or_without) {
  for (const char* name : {"preresnet20", "densenet40"}) {
    const Graph graph = with_random_scales(name);
    for (const char* method : {"bn-scale", "l1"}) {
      SCOPED_TRACE(std::string(name) + " by " + method);
      const Outcome cut = prune_once(graph, find_criterion(method), ratio(0.3));
      const Outcome again = apply_plan(graph, plan_from_json(to_json(cut.plan)), Verify::off, 0);
      EXPECT_EQ(fake::bytes_of(cut.graph), fake::bytes_of(again.graph));
      EXPECT_EQ(cut.plan, again.plan);
      EXPECT_EQ(cut.after.macs, again.after.macs);
    }
  }
}

TEST(Selection, of_several_passes_of_slimming_comes_to_one_plan) {
  fake::Fixture fixture;
  const Graph original = parse_text_graph(kPreActivation);
  Session& session = fixture.open(original);
  SlimmingOptions options;
  options.pruning = ratio(0.6, Verify::on);
  options.passes = 2;
  const Outcome outcome = slimming(session, options, fake::recipe(1), fake::recipe(1));
  EXPECT_TRUE(outcome.proof->comparison.equal());
  EXPECT_EQ(shape_of(outcome.graph, "w0"), (Shape{4, 1, 3, 3}));
  EXPECT_GT(gathers(outcome.graph), 0);
  const Outcome again = apply_plan(original, outcome.plan, Verify::on, 0);
  EXPECT_EQ(again.graph.nodes.size(), outcome.graph.nodes.size());
  for (const char* name : {"g1", "w1", "g2", "w2", "g3", "fw"}) {
    EXPECT_EQ(shape_of(again.graph, name), shape_of(outcome.graph, name)) << name;
  }
}

}  // namespace
}  // namespace coppice
