// Greedy pruning under a fake trainer: what leaves, when, and how far it goes.
#include "methods/greedy/greedy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "methods/greedy/greedy_options.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "prune/runtimes/runtimes.h"
#include "support/curves.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

// Widths come as they come.
GreedyOptions options_for(const Budget& budget, int64_t updates = 2) {
  GreedyOptions options;
  options.pruning.budget = budget;
  options.pruning.round_to = 1;
  options.updates = updates;
  return options;
}

GreedyOptions removing_units(int64_t units, int64_t updates = 2) {
  GreedyOptions options;
  options.units = units;
  options.updates = updates;
  return options;
}

int64_t width(const Graph& graph, const char* weight) {
  return fake::tensor(graph, weight).shape()[0];
}

TEST(Greedy, removes_one_channel_after_so_many_updates_until_enough_have_left) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<int64_t> channels;
  fixture.watcher.after_step = [&] {
    channels.push_back(width(session.graph(), "w1") + width(session.graph(), "w2"));
  };
  const Outcome outcome = prune_greedily(session, find_criterion("taylor"), removing_units(3),
                                         fake::recipe(), fake::recipe(0));
  EXPECT_EQ(channels, (std::vector<int64_t>{7, 6, 6, 5, 5, 4}));
  EXPECT_EQ(width(outcome.graph, "w1") + width(outcome.graph, "w2"), 4);
  EXPECT_TRUE(outcome.verified);
  EXPECT_EQ(outcome.plan.method, "taylor");
  EXPECT_EQ(outcome.facts.front(), (std::pair<std::string, int64_t>("removed_channels", 3)));
  EXPECT_TRUE(fixture.trainer.collecting.empty()) << "evidence comes from the updates themselves";
}

TEST(Greedy, by_measured_curves_groups_end_at_the_widths_that_those_allocate) {
  const Graph net = parse_text_graph(fake::kNet);
  const Traced traced(net);
  GreedyOptions options = options_for({.of = Budget::Of::parameters, .kept = 0.6});
  options.pruning.sensitivity = curves_of(
      traced.groups(), [&](size_t g) { return traced.groups().free[g].name == "w1" ? 100 : 1; });
  OneShotOptions at_once = options.pruning;
  at_once.round_to = 1;
  const Outcome expected = prune_once(net, find_criterion("l2"), at_once);
  Fixture fixture;
  const Outcome outcome = prune_greedily(fixture.open(net), find_criterion("taylor"), options,
                                         fake::recipe(), fake::recipe(0));
  for (const char* weight : {"w1", "w2"}) {
    EXPECT_EQ(width(outcome.graph, weight), width(expected.graph, weight)) << weight;
  }
  EXPECT_LT(width(outcome.graph, "w2"), width(net, "w2"));
}

TEST(Greedy, goes_on_at_one_rate_and_is_tuned_by_the_recipe_afterwards) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  Recipe loop = fake::recipe();
  loop.optimizer.learning_rate = 0.003;
  prune_greedily(session, find_criterion("taylor"), removing_units(3, 3), loop, fake::recipe(2));
  ASSERT_EQ(session.history().size(), 5u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(session.history()[i].learning_rate, 0.003);
  EXPECT_EQ(session.history()[3].stage, "fine-tuning");
  EXPECT_EQ(session.history()[3].largest_rate, 0.05);
}

std::vector<std::vector<double>> updates_of_w1, means_of_w1;

std::vector<EvidenceRequest> gates(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& seen : view.activations) {
    requests.push_back({seen.value, Reduction::batch_gate_gradients, seen.axis});
  }
  return requests;
}

std::vector<std::vector<double>> members(const GroupView& view) {
  const auto numbers = view.evidence->numbers(gates(view).front());
  const std::vector<double> member(numbers.begin(), numbers.end());
  if (view.group.name == "w1") updates_of_w1.push_back(member);
  return {member};
}

std::vector<float> together(const GroupView& view, std::vector<std::vector<double>> members) {
  if (view.group.name != "w1") return {};
  means_of_w1.push_back(members.front());
  return {members.front().begin(), members.front().end()};
}

const Criterion kGates{.name = "gates",
                       .paper = "",
                       .about = "gates",
                       .scope = Criterion::Scope::global,
                       .needs = gates,
                       .answered = Criterion::Answered::by_training,
                       .members = members,
                       .together = together};

TEST(Greedy, a_score_is_the_mean_over_the_updates_since_the_last_removal_and_the_least_leaves) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  updates_of_w1.clear();
  means_of_w1.clear();
  const Tensor before = fake::tensor(session.original(), "w1");
  const Outcome outcome =
      prune_greedily(session, kGates, removing_units(2, 3), fake::recipe(), fake::recipe(0));
  ASSERT_EQ(means_of_w1.size(), 2u);
  ASSERT_EQ(updates_of_w1.size(), 6u);
  std::vector<int64_t> kept{0, 1, 2, 3};
  for (size_t round = 0; round < 2; ++round) {
    for (size_t u = 0; u < means_of_w1[round].size(); ++u) {
      double mean = 0;
      for (size_t i = 0; i < 3; ++i) mean += updates_of_w1[3 * round + i][u] / 3;
      EXPECT_NEAR(means_of_w1[round][u], mean, 1e-12);
    }
    kept.erase(kept.begin() +
               (std::ranges::min_element(means_of_w1[round]) - means_of_w1[round].begin()));
  }
  for (const PlanSlice& slice : outcome.plan.slices) {
    if (slice.tensor != "w1") continue;
    EXPECT_EQ(slice.keep, kept);
  }
}

TEST(Greedy, stops_with_the_removal_that_meets_the_budget) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<double> macs;
  fixture.watcher.after_step = [&] {
    macs.push_back(static_cast<double>(session.traced().costs().all().macs));
  };
  const Outcome outcome =
      prune_greedily(session, find_criterion("taylor-fo"), options_for({Budget::Of::macs, 0.6}, 1),
                     fake::recipe(), fake::recipe(0));
  const double budget = 0.6 * static_cast<double>(outcome.before.macs);
  ASSERT_GE(macs.size(), 2u);
  EXPECT_LE(macs.back(), budget);
  EXPECT_GT(macs[macs.size() - 2], budget);
  EXPECT_EQ(static_cast<double>(outcome.after.macs), macs.back());
}

TEST(Greedy, a_step_of_several_takes_no_more_than_are_wanted) {
  Fixture fixture;
  GreedyOptions options = removing_units(4, 1);
  options.units_per_step = 3;
  const Outcome outcome =
      prune_greedily(fixture.open(parse_text_graph(fake::kNet)), find_criterion("taylor"), options,
                     fake::recipe(), fake::recipe(0));
  EXPECT_EQ(width(outcome.graph, "w1") + width(outcome.graph, "w2"), 3);
  EXPECT_EQ(fixture.watcher.steps, 2);
}

TEST(Greedy, keeps_a_share_of_every_group_and_refuses_more_before_it_trains) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  GreedyOptions all = removing_units(5, 1);
  all.pruning.most_of_group = 0.99;
  const Outcome outcome =
      prune_greedily(session, find_criterion("taylor"), all, fake::recipe(), fake::recipe(0));
  EXPECT_EQ(width(outcome.graph, "w1"), 1);
  EXPECT_EQ(width(outcome.graph, "w2"), 1);
  Fixture other;
  Session& untouched = other.open(parse_text_graph(fake::kNet));
  const std::string message = fake::message_of(ErrorKind::target, [&] {
    prune_greedily(untouched, find_criterion("taylor"), removing_units(6), fake::recipe(),
                   fake::recipe(0));
  });
  EXPECT_NE(message.find("can't remove 6 channels: at most 5 can go"), std::string::npos)
      << message;
  EXPECT_EQ(other.watcher.steps, 0);
  const std::string costs = fake::message_of(ErrorKind::target, [&] {
    prune_greedily(untouched, find_criterion("taylor"), options_for({Budget::Of::macs, 0.01}),
                   fake::recipe(), fake::recipe(0));
  });
  EXPECT_NE(costs.find("is the least that can be reached"), std::string::npos) << costs;
  EXPECT_EQ(other.watcher.steps, 0);
}

TEST(Greedy, leaves_alone_what_is_to_be_kept) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  GreedyOptions options = removing_units(2, 1);
  options.pruning.keep = {"w1"};
  const Outcome outcome =
      prune_greedily(session, find_criterion("taylor"), options, fake::recipe(), fake::recipe(0));
  EXPECT_EQ(width(outcome.graph, "w1"), 4);
  EXPECT_EQ(width(outcome.graph, "w2"), 1);
}

// Of 24 and 16 filters.
constexpr char kWiderNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [24, 1, 3, 3] random
    const w2 float32 [16, 24, 3, 3] random
    const fw float32 [3, 16] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    b = Conv(r, w2) {pads=[1, 1, 1, 1]}
    g = GlobalAveragePool(b)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)";

struct Rounded {
  Outcome outcome;
  std::vector<double> macs;  // after each update
  int64_t most_off = 0;      // groups whose width wasn't a multiple, at a time
};

Rounded removed_in_blocks(const GreedyOptions& options, int64_t multiple) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kWiderNet));
  Rounded rounded;
  fixture.watcher.after_step = [&] {
    int64_t off = 0;
    for (const char* weight : {"w1", "w2"}) off += width(session.graph(), weight) % multiple != 0;
    rounded.most_off = std::max(rounded.most_off, off);
    rounded.macs.push_back(static_cast<double>(session.traced().costs().all().macs));
  };
  rounded.outcome =
      prune_greedily(session, find_criterion("taylor"), options, fake::recipe(), fake::recipe(0));
  return rounded;
}

TEST(Greedy, leaves_round_widths_and_misses_the_budget_by_less_than_a_block) {
  for (const double kept : {0.8, 0.5, 0.3}) {
    SCOPED_TRACE(kept);
    GreedyOptions options = options_for({Budget::Of::macs, kept}, 1);
    options.pruning.round_to = 4;
    const Rounded rounded = removed_in_blocks(options, 4);
    const Graph& graph = rounded.outcome.graph;
    EXPECT_EQ(width(graph, "w1") % 4, 0);
    EXPECT_EQ(width(graph, "w2") % 4, 0);
    EXPECT_EQ(rounded.most_off, 1) << "one by one, and one group after the other";
    const double budget = kept * static_cast<double>(rounded.outcome.before.macs);
    EXPECT_LE(static_cast<double>(rounded.outcome.after.macs), budget);
    ASSERT_GT(rounded.macs.size(), 4u);
    EXPECT_GT(rounded.macs[rounded.macs.size() - 5], budget) << "a block earlier it wasn't met";
  }
}

TEST(Greedy, of_a_ratio_comes_as_near_as_round_widths_do) {
  for (const auto& [kept, removed] : {std::pair(0.7, 12), {0.77, 8}, {0.95, 4}}) {
    SCOPED_TRACE(kept);
    GreedyOptions options = options_for({Budget::Of::ratio, kept}, 1);
    options.pruning.round_to = 4;
    const Rounded rounded = removed_in_blocks(options, 4);
    EXPECT_EQ(width(rounded.outcome.graph, "w1") + width(rounded.outcome.graph, "w2"),
              40 - removed);
  }
}

TEST(Greedy, of_a_ratio_below_half_a_block_is_refused_before_it_trains) {
  GreedyOptions options = options_for({Budget::Of::ratio, 0.96}, 1);
  options.pruning.round_to = 4;
  const std::string message =
      fake::message_of(ErrorKind::target, [&] { removed_in_blocks(options, 4); });
  EXPECT_NE(message.find("too small to be rounded"), std::string::npos) << message;
}

TEST(Greedy, rounds_as_the_runtime_likes_and_finer_where_that_does_not_reach_the_budget) {
  GreedyOptions options = options_for({Budget::Of::macs, 0.6}, 1);
  options.pruning.round_to = kRoundAuto;
  options.pruning.runtime = find_runtime("onnxruntime-avx2");
  const Graph eights = removed_in_blocks(options, 8).outcome.graph;
  EXPECT_EQ(width(eights, "w1") % 8 + width(eights, "w2") % 8, 0);
  options.pruning.budget.kept = 0.05;  // below 8 of 24 and 8 of 16
  const Graph fours = removed_in_blocks(options, 4).outcome.graph;
  EXPECT_EQ(width(fours, "w1") % 4 + width(fours, "w2") % 4, 0);
  EXPECT_LT(width(fours, "w1") * width(fours, "w2"), 64);
}

// Where what a map costs counts, dear maps leave first, and so fewer do.
TEST(Greedy, with_costs_counted_a_budget_of_macs_is_met_with_more_maps_left) {
  const auto maps_left = [](const char* weight) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w1 float32 [12, 1, 3, 3] random
      const w2 float32 [12, 12, 3, 3] random
      const w3 float32 [12, 12, 1, 1] random
      const fw float32 [3, 12] random
      a = Conv(x, w1) {pads=[1, 1, 1, 1]}
      r = Relu(a)
      b = Conv(r, w2) {pads=[1, 1, 1, 1]}
      s = Relu(b)
      c = Conv(s, w3)
      g = GlobalAveragePool(c)
      f = Flatten(g)
      y = Gemm(f, fw) {transB=1}
      output y)"));
    GreedyOptions options = options_for({Budget::Of::macs, 0.4}, 1);
    const Criterion& taylor = find_criterion("taylor");
    options.pruning.of_criterion = Settings(taylor.options);
    for (const OptionUse& use : taylor.options) {
      if (use.option->name() == "flops-weight")
        options.pruning.of_criterion.set(*use.option, weight);
    }
    const Outcome outcome =
        prune_greedily(session, taylor, options, fake::recipe(), fake::recipe(0));
    EXPECT_LE(static_cast<double>(outcome.after.macs),
              0.4 * static_cast<double>(outcome.before.macs));
    int64_t left = 0;
    for (const GroupCut& group : outcome.groups) left += group.after;
    return left;
  };
  EXPECT_GT(maps_left("100"), maps_left("0"));
}

TEST(Greedy, chance_takes_other_places_in_every_round) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [40, 1, 3, 3] random
    const w2 float32 [40, 40, 1, 1] random
    const fw float32 [3, 40] random
    a = Conv(x, w1)
    r = Relu(a)
    b = Conv(r, w2)
    g = GlobalAveragePool(b)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)"));
  const Outcome outcome = prune_greedily(session, find_criterion("random"), removing_units(30, 1),
                                         fake::recipe(), fake::recipe(0));
  EXPECT_GT(width(outcome.graph, "w1"), 15);
  EXPECT_GT(width(outcome.graph, "w2"), 15);
}

Settings settings_for(const char* method,
                      const std::vector<std::pair<const Option*, const char*>>& set) {
  Settings settings(options_of(find_method(method)));
  for (const auto& [option, value] : set) settings.set(*option, value);
  return settings;
}

TEST(GreedyOptionsOfMethods, by_taylor_it_is_always_greedy_by_others_where_they_are_told_so) {
  EXPECT_FALSE(find_method("taylor").prune);
  EXPECT_TRUE(has_option(options_of(find_method("taylor")), kRoundTo));
  EXPECT_FALSE(has_option(options_of(find_method("taylor")), kKeepLatency));
  EXPECT_TRUE(has_option(options_of(find_method("taylor")), kAggregate));
  EXPECT_FALSE(has_option(options_of(find_method("taylor-fo")), kAggregate));
  EXPECT_FALSE(find_method("random").decides_in_training(settings_for("random", {})));
  const auto refused = [](const char* method,
                          const std::vector<std::pair<const Option*, const char*>>& set) {
    return fake::message_of(ErrorKind::usage, [&] {
      Settings settings = settings_for(method, set);
      find_method(method).settle(settings);
    });
  };
  EXPECT_NE(refused("random", {{&kUpdates, "3"}}).find("add --greedy"), std::string::npos);
  EXPECT_NE(
      refused("taylor", {{&kRemoveUnits, "3"}, {&kKeepMacs, "0.5"}}).find("found --keep-macs"),
      std::string::npos);
}

TEST(GreedyOptionsOfMethods, round_widths_but_not_where_a_number_of_channels_is_said) {
  Settings greedy = settings_for("l1", {{&kRoundTo, "4"}});
  for (const OptionUse& use : greedy.options()) {
    if (use.option->name() == "greedy") greedy.set(*use.option, "true");
  }
  EXPECT_NO_THROW(find_method("l1").settle(greedy));
  Settings exactly = settings_for("taylor", {{&kRemoveUnits, "3"}, {&kRoundTo, "1"}});
  EXPECT_NO_THROW(find_method("taylor").settle(exactly));
  const std::string message = fake::message_of(ErrorKind::usage, [] {
    Settings settings = settings_for("taylor", {{&kRemoveUnits, "3"}, {&kRoundTo, "8"}});
    find_method("taylor").settle(settings);
  });
  EXPECT_NE(message.find("found --round-to"), std::string::npos) << message;
}

TEST(GreedyOptionsOfMethods, become_a_pruning) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Method& method = find_method("taylor-fo");
  Settings settings = settings_for("taylor-fo", {{&kRemoveUnits, "4"},
                                                 {&kUnitsPerStep, "2"},
                                                 {&kUpdates, "3"},
                                                 {&kSmoothing, "0.9"},
                                                 {&kTuneEpochs, "0"}});
  method.settle(settings);
  const Outcome outcome = run_in_training(method, session, fake::recipe(2), {.settings = settings});
  EXPECT_EQ(width(outcome.graph, "w1") + width(outcome.graph, "w2"), 3);
  EXPECT_EQ(fixture.watcher.steps, 6);
  EXPECT_NEAR(session.history().front().learning_rate, 0.005, 1e-12);
}

}  // namespace
}  // namespace coppice
