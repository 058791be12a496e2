// Channel Pruning as a whole: budgets with and without samplers, what stays whole, and plans that
// say what was cut.
#include "methods/channel_pruning/channel_pruning.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "evidence/collector.h"
#include "prune/latency/latency_meter.h"
#include "runtime/executable.h"
#include "support/curves.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using Sampler = ChannelPruningOptions::Sampler;
using ShareBy = ChannelPruningOptions::ShareBy;

// Two blocks on a residual stream of 8 channels.
constexpr char kBlocks[] = R"(
  input x float32 [N, 3, 6, 6]
  const w0 float32 [8, 3, 3, 3] random
  const b0 float32 [8] random
  const w1 float32 [12, 8, 3, 3] random
  const s1 float32 [12] positive
  const t1 float32 [12] random
  const m1 float32 [12] random
  const v1 float32 [12] positive
  const w2 float32 [8, 12, 3, 3] random
  const w3 float32 [12, 8, 1, 1] random
  const b3 float32 [12] random
  const w4 float32 [8, 12, 3, 3] random
  const f float32 [4, 8] random
  c0 = Conv(x, w0, b0) {pads=[1, 1, 1, 1]}
  r0 = Relu(c0)
  c1 = Conv(r0, w1) {pads=[1, 1, 1, 1]}
  n1 = BatchNormalization(c1, s1, t1, m1, v1)
  r1 = Relu(n1)
  c2 = Conv(r1, w2) {pads=[1, 1, 1, 1]}
  a1 = Add(r0, c2)
  q1 = Relu(a1)
  c3 = Conv(q1, w3, b3)
  r3 = Relu(c3)
  c4 = Conv(r3, w4) {pads=[1, 1, 1, 1]}
  a2 = Add(q1, c4)
  g = GlobalAveragePool(a2)
  h = Flatten(g)
  y = Gemm(h, f) {transB=1}
  output y)";

Measure measure_on_noise(int64_t images) {
  return [images](const Graph& graph, std::span<const EvidenceRequest> requests) {
    Random random(7);
    const InputSizes sizes{.inputs = {}, .batch = images};
    Tensor x = Tensor::zeros(DType::f32, input_shape(graph, graph.inputs.front(), sizes));
    random.fill_normal(x.mutate<float>(), 1);
    Collector collector(graph, requests);
    compile(graph, sizes, {.threads = 1}, collector.observation()).run(std::vector<Tensor>{x});
    return collector.finish();
  };
}

ChannelPruningOptions keeping(double macs) {
  ChannelPruningOptions options;
  options.pruning.budget = {.of = Budget::Of::macs, .kept = macs};
  options.pruning.round_to = 1;
  options.pruning.measure = measure_on_noise(40);
  return options;
}

int64_t kept(const Outcome& outcome, const std::string& name) {
  const auto found = std::ranges::find(outcome.groups, name, &GroupCut::name);
  return found == outcome.groups.end() ? -1 : found->after;
}

int64_t gathers(const Graph& graph) {
  return std::ranges::count(graph.nodes, "Gather", &Node::op_type);
}

TEST(ChannelPruning, meets_the_budget_within_the_blocks_and_leaves_streams_whole) {
  const Graph graph = parse_text_graph(kBlocks);
  const Outcome outcome = channel_pruning(graph, keeping(0.6));
  EXPECT_LE(static_cast<double>(outcome.after.macs),
            0.6 * static_cast<double>(outcome.before.macs));
  EXPECT_EQ(kept(outcome, "w0"), 8);
  EXPECT_LT(kept(outcome, "w1"), kept(outcome, "w3")) << "nothing is saved by w3";
  EXPECT_TRUE(outcome.verified && outcome.proof->comparison.equal());
  EXPECT_EQ(outcome.plan.method, "channel-pruning");
  ASSERT_EQ(outcome.regressed.size(), 2u);
  EXPECT_EQ(outcome.regressed[0].kept, kept(outcome, "w1"));
}

TEST(ChannelPruning, its_plan_cuts_the_original_to_the_same_shapes) {
  const Graph graph = parse_text_graph(kBlocks);
  for (const Sampler sampler : {Sampler::off, Sampler::on}) {
    ChannelPruningOptions options = keeping(0.5);
    options.sampler = sampler;
    const Outcome outcome = channel_pruning(graph, options);
    const Outcome again = apply_plan(graph, outcome.plan, Verify::on, 0);
    EXPECT_EQ(again.after.macs, outcome.after.macs);
    EXPECT_EQ(gathers(again.graph), gathers(outcome.graph));
    EXPECT_EQ(gathers(outcome.graph) > 0, sampler == Sampler::on);
    EXPECT_TRUE(again.verified);
  }
}

TEST(ChannelPruning, samplers_count_towards_the_budget) {
  ChannelPruningOptions options = keeping(0.5);
  options.sampler = Sampler::on;
  const Outcome outcome = channel_pruning(parse_text_graph(kBlocks), options);
  ASSERT_EQ(outcome.facts.size(), 1u);
  EXPECT_EQ(outcome.facts[0].first, "sampler_macs");
  EXPECT_GT(outcome.facts[0].second, 0);
  EXPECT_EQ(outcome.facts[0].second % 36, 0) << "kept channels at 6 x 6 places each";
  EXPECT_LE(static_cast<double>(outcome.after.macs + outcome.facts[0].second),
            0.5 * static_cast<double>(outcome.before.macs));
}

TEST(ChannelPruning, layers_to_keep_more_of_keep_more) {
  ChannelPruningOptions options = keeping(0.6);
  const Outcome even = channel_pruning(parse_text_graph(kBlocks), options);
  options.keep_more = {{"w3", 2}};
  const Outcome more = channel_pruning(parse_text_graph(kBlocks), options);
  EXPECT_GT(kept(more, "w3"), kept(even, "w3"));
  EXPECT_LT(kept(more, "w1"), kept(even, "w1"));
}

TEST(ChannelPruning, by_measured_curves_a_group_that_is_dear_keeps_more) {
  const Graph graph = parse_text_graph(kBlocks);
  const Traced traced(graph);
  ChannelPruningOptions options = keeping(0.6);
  const Outcome even = channel_pruning(graph, options);
  options.pruning.sensitivity = curves_of(
      traced.groups(), [&](size_t g) { return traced.groups().free[g].name == "w3" ? 100 : 1; });
  const Outcome outcome = channel_pruning(graph, options);
  EXPECT_LE(static_cast<double>(outcome.after.macs),
            0.6 * static_cast<double>(outcome.before.macs));
  EXPECT_GT(kept(outcome, "w3"), kept(even, "w3"));
  EXPECT_LT(kept(outcome, "w1"), kept(even, "w1"));
}

TEST(ChannelPruning, by_errors_a_layer_that_can_do_with_less_keeps_less) {
  Graph graph = parse_text_graph(kBlocks);
  // Nine of the channels of the second block do hardly anything.
  const auto element = graph.value(*find_value(graph, "w4")).constant->mutate<float>();
  for (int64_t i = 0; i < std::ssize(element); ++i) {
    if (i / 9 % 12 > 2) element[i] *= 1e-3f;
  }
  ChannelPruningOptions options = keeping(0.75);
  options.share_by = ShareBy::errors;
  const Outcome outcome = channel_pruning(graph, options);
  EXPECT_LE(kept(outcome, "w3"), 4);
  EXPECT_GT(kept(outcome, "w1"), 6);
  EXPECT_LE(static_cast<double>(outcome.after.macs),
            0.75 * static_cast<double>(outcome.before.macs));
}

TEST(ChannelPruning, a_budget_of_time_is_shared_by_what_layers_are_foretold_to_save) {
  Graph graph = parse_text_graph(kBlocks);
  const Traced traced(graph);
  // The first block takes nearly all of the time, whatever its layers' multiply-accumulates.
  LatencyTable table{.cpu = "here", .threads = 1, .net = structure_hash(traced)};
  for (const Node& node : traced.graph().nodes) {
    const double ms = node.outputs[0] == find_value(traced.graph(), "c2") ? 90 : 0.01;
    table.layers.push_back({label_of(traced.graph(), node), {{1, ms / 1e6}, {1e6, ms}}});
  }
  const TempDir folder;
  const std::string path = (folder / "table.json").string();
  write_text(path, to_json(table));
  ChannelPruningOptions options = keeping(0.8);
  options.share_by = ShareBy::errors;
  options.pruning.budget.of = Budget::Of::latency;
  options.pruning.latency =
      std::make_shared<LatencyMeter>(LatencyMeter::Options{.table_file = path, .cpu = "here"});
  const Outcome outcome = channel_pruning(graph, options);
  EXPECT_LT(kept(outcome, "w1"), kept(outcome, "w3")) << "nothing is saved by w3";
  ASSERT_TRUE(options.pruning.latency->found());
  EXPECT_EQ(options.pruning.latency->found()->asked, 0.8);
}

TEST(ChannelPruning, ratios_by_layer_are_exact) {
  ChannelPruningOptions options = keeping(1);
  options.pruning.layer_ratios = {{"w1", 0.5}};
  const Outcome outcome = channel_pruning(parse_text_graph(kBlocks), options);
  EXPECT_EQ(kept(outcome, "w1"), 6);
  EXPECT_EQ(kept(outcome, "w3"), 12);
}

TEST(ChannelPruning, channels_that_nobody_can_choose_from_stay_with_a_reason) {
  ChannelPruningOptions options = keeping(0.8);
  std::vector<std::string> remarks;
  options.remark = [&](const std::string& text) { remarks.push_back(text); };
  const Outcome outcome = channel_pruning(parse_text_graph(R"(
    input x float32 [N, 3, 6, 6]
    const w float32 [8, 3, 3, 3] random
    const t float32 [8, 5, 2, 2] random
    const u float32 [6, 5, 3, 3] random
    const z float32 [2, 6, 1, 1] random
    a = Conv(x, w)
    b = ConvTranspose(a, t)
    c = Conv(b, u)
    y = Conv(c, z)
    output y)"),
                                          options);
  EXPECT_EQ(kept(outcome, "w"), 8);
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_EQ(remarks[0],
            "channels of 'w' all stay: node 'b' (ConvTranspose) doesn't sum over all channels with "
            "weight 't'");
}

TEST(ChannelPruning, without_images_it_says_what_it_lacks) {
  ChannelPruningOptions options = keeping(0.5);
  options.pruning.measure = {};
  try {
    channel_pruning(parse_text_graph(kBlocks), options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.hints()[0].name, "data");
  }
}

}  // namespace
}  // namespace coppice
