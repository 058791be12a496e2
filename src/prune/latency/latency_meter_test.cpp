// No test asserts how long something takes: tables are written by hand, or only their form counts.
#include "prune/latency/latency_meter.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "support/allocated.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// 1x1 convolutions of 8, 16 and 4 channels at 2x2.
Traced chain() { return Traced(allocated::chain({8, 16, 4})); }

Scores in_order(const Traced& traced) {
  Scores scores{std::vector<float>(traced.groups().unit_count), {}};
  for (size_t unit = 0; unit < scores.units.size(); ++unit) {
    scores.units[unit] = static_cast<float>(unit);
  }
  return scores;
}

Removal first_units(const Traced& traced, std::initializer_list<int64_t> leaving) {
  Removal removal(traced.groups().unit_count, 0);
  size_t g = 0;
  for (const int64_t count : leaving) {
    std::fill_n(removal.begin() + traced.groups().free[g++].first_unit, count, 1);
  }
  return removal;
}

// A thousandth of a millisecond for each multiply-accumulate of the first two layers; the last
// takes 1 ms whatever it does, and so does an operator that isn't in the graph.
LatencyTable table_of(const Traced& traced) {
  const Graph& graph = traced.graph();
  const double first = 3 * 8 * 4, second = 8 * 16 * 4;
  return {
      .cpu = "here",
      .threads = 1,
      .net = structure_hash(traced),
      .layers = {
          {label_of(graph, graph.nodes[0]), {{first / 8, first / 8e3}, {first, first / 1e3}}},
          {label_of(graph, graph.nodes[1]), {{second / 99, second / 99e3}, {second, second / 1e3}}},
          {label_of(graph, graph.nodes[2]), {{1, 1}, {1e9, 1}}},
          {"no such node", {{7, 1}}}}};
}

TEST(LatencyModel, adds_up_what_layers_take_at_their_widths) {
  const Traced traced = chain();
  ASSERT_EQ(traced.groups().free.size(), 2u);
  const LatencyModel model(traced, table_of(traced));
  EXPECT_NEAR(model.whole_ms(), (3 * 8 * 4 + 8 * 16 * 4) / 1e3 + 2, 1e-9);
  EXPECT_NEAR(model.ms(first_units(traced, {4, 8})), (3 * 4 * 4 + 4 * 8 * 4) / 1e3 + 2, 1e-9);
  EXPECT_NEAR(model.share(first_units(traced, {0, 0})), 1, 1e-12);
}

TEST(LatencyModel, a_budget_is_kept_by_what_it_foretells) {
  const Traced traced = chain();
  const auto model = std::make_shared<LatencyModel>(traced, table_of(traced));
  for (const double kept : {0.99, 0.97, 0.95}) {
    const Allocation found =
        allocate(traced.groups(), traced.costs(), in_order(traced),
                 {.budget = {.of = Budget::Of::latency, .kept = kept}, .latency = model});
    EXPECT_LE(model->share(found.removal), kept);
    EXPECT_GT(model->share(found.removal), kept - 0.01);
  }
}

TEST(LatencyModel, a_budget_below_what_layers_take_at_least_is_refused_with_what_can_be_had) {
  const Traced traced = chain();
  const auto model = std::make_shared<LatencyModel>(traced, table_of(traced));
  try {
    allocate(traced.groups(), traced.costs(), in_order(traced),
             {.budget = {.of = Budget::Of::latency, .kept = 0.1}, .latency = model});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what()).find("of the latency"), std::string::npos) << error.what();
  }
}

std::string refusal(LatencyMeter meter, const Traced& traced) {
  try {
    meter.model(traced, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "(taken)";
}

TEST(LatencyMeter, goes_by_a_table_of_this_net_and_processor_and_no_other) {
  const TempDir folder;
  const std::string path = (folder / "table.json").string();
  const Traced traced = chain();
  write_text(path, to_json(table_of(traced)));
  LatencyMeter meter({.table_file = path, .cpu = "here"});
  EXPECT_EQ(meter.model(traced, {})->table(), table_of(traced));
  EXPECT_NE(refusal(LatencyMeter({.table_file = path, .cpu = "there"}), traced)
                .find("on another processor: found 'here', this is 'there'"),
            std::string::npos);
  EXPECT_NE(refusal(LatencyMeter({.table_file = path, .cpu = "here", .threads = 2}), traced)
                .find("with 1 threads, expected 2"),
            std::string::npos);
  const Traced other(allocated::chain({8, 12, 4}));
  EXPECT_NE(
      refusal(LatencyMeter({.table_file = path, .cpu = "here"}), other).find("of another net"),
      std::string::npos);
}

TEST(LatencyMeter, measures_every_layer_at_several_widths_and_keeps_that_where_it_was_named) {
  const TempDir folder;
  const std::string path = (folder / "table.json").string();
  const Traced traced = chain();
  LatencyMeter meter({.table_file = path, .cpu = "here"});
  const LatencyTable measured = meter.model(traced, {.budget = {}})->table();
  EXPECT_EQ(read_latency_table(path), measured);
  ASSERT_GE(measured.layers.size(), 3u);
  for (const Node& node : traced.graph().nodes) {
    const auto layer =
        std::ranges::find(measured.layers, label_of(traced.graph(), node), &LayerTimes::name);
    ASSERT_NE(layer, measured.layers.end()) << node.name;
    EXPECT_GE(layer->points.size(), 4u);
  }
}

TEST(LatencyMeter, says_what_was_asked_foretold_and_measured) {
  const Traced traced = chain();
  LatencyMeter meter({.cpu = "here"});
  const AllocationOptions options{.budget = {.of = Budget::Of::latency, .kept = 0.97}};
  const Allocation first = meter.allocate(traced, in_order(traced), options);
  ASSERT_TRUE(meter.found());
  EXPECT_EQ(meter.found()->asked, 0.97);
  EXPECT_DOUBLE_EQ(meter.found()->foretold, meter.model(traced, options)->share(first.removal));
  EXPECT_GE(meter.found()->tries, 1);
  ASSERT_TRUE(meter.correction());
  EXPECT_EQ(meter.allocate(traced, in_order(traced), options).removal, first.removal);
}

}  // namespace
}  // namespace coppice
