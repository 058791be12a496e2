// SFP and ASFP as the table has them, under a fake trainer: what is zeroed, how much of it and
// when, what comes back, and what becomes of BatchNormalization's constants.
#include <gtest/gtest.h>

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/soft/growth.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

// Two layers of filters whose zeroed ones would say something: 16 and 8 filters.
constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [16, 1, 3, 3] random
    const s1 float32 [16] positive
    const b1 float32 [16] positive
    const m1 float32 [16] random
    const v1 float32 [16] positive
    const w2 float32 [8, 16, 1, 1] random
    const s2 float32 [8] positive
    const b2 float32 [8] positive
    const m2 float32 [8] random
    const v2 float32 [8] positive
    const w3 float32 [3, 8, 1, 1] random
    const fw float32 [3, 3] random
    const fb float32 [3] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, s1, b1, m1, v1)
    r = Relu(n)
    c = Conv(r, w2)
    m = BatchNormalization(c, s2, b2, m2, v2)
    s = Relu(m)
    d = Conv(s, w3)
    g = GlobalAveragePool(d)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

int64_t zeros_of(const Graph& graph, const std::string& name) {
  const Tensor& filters = fake::tensor(graph, name);
  const int64_t count = filters.shape()[0], each = filters.size() / count;
  int64_t zeros = 0;
  for (int64_t f = 0; f < count; ++f) {
    zeros += std::ranges::all_of(filters.as<float>().subspan(f * each, each),
                                 [](float x) { return x == 0; });
  }
  return zeros;
}

double fact(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts) {
    if (key == name) return value;
  }
  return -1;
}

struct Pruned {
  Fixture fixture;
  Outcome outcome;
  std::vector<std::pair<int64_t, int64_t>> zeros;  // of both layers, after each epoch

  const std::vector<EpochRecord>& history() const { return fixture.opened->history(); }
  const Facts& facts(int64_t epoch) const {
    return epoch == 0 ? fixture.opened->stages()[0].facts : history()[epoch - 1].facts;
  }
};

using Given = std::vector<std::pair<std::string, std::string>>;

Settings settings_of(const Method& method, const Given& given) {
  Settings settings(options_of(method));
  for (const auto& [name, value] : given) {
    for (const OptionUse& use : settings.options()) {
      if (use.option->name() == name) settings.set(*use.option, value);
    }
  }
  method.settle(settings);
  return settings;
}

std::unique_ptr<Pruned> ran(const char* name, int64_t epochs, const Given& given) {
  auto run = std::make_unique<Pruned>();
  const Method& method = find_method(name);
  const Settings settings = settings_of(method, given);
  Session& session = run->fixture.open(parse_text_graph(kNet));
  run->fixture.watcher.after_epoch = [&] {
    run->zeros.emplace_back(zeros_of(session.graph(), "w1"), zeros_of(session.graph(), "w2"));
  };
  run->outcome =
      run_in_training(method, session, fake::recipe(epochs), {.settings = settings, .seed = 3});
  return run;
}

Given ratio(const char* share, Given more = {}) {
  more.insert(more.end(), {{"prune-ratio", share}, {"round-to", "1"}});
  return more;
}

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

TEST(Sfp, zeroes_exactly_the_ratio_of_every_layer_after_every_epoch_and_the_last) {
  const auto run = ran("sfp", 3, ratio("0.3"));
  EXPECT_EQ(run->zeros, Pairs(3, {4, 2})) << "floor(0.3 N)";
  EXPECT_EQ(fake::tensor(run->outcome.graph, "w1").shape()[0], 12);
  EXPECT_EQ(fake::tensor(run->outcome.graph, "w2").shape()[0], 6);
  EXPECT_EQ(run->outcome.plan.method, "sfp");
  EXPECT_TRUE(run->outcome.proof->comparison.equal());
}

TEST(Sfp, zeroed_filters_come_back_and_are_counted) {
  const auto run = ran("sfp", 3, ratio("0.3"));
  EXPECT_EQ(fact(run->facts(0), "zeroed_filters"), 6);
  EXPECT_EQ(fact(run->facts(0), "revived_filters"), -1) << "there was none before";
  for (int64_t epoch = 1; epoch <= 3; ++epoch) {
    EXPECT_EQ(fact(run->facts(epoch), "zeroed_filters"), 6);
    EXPECT_GE(fact(run->facts(epoch), "revived_filters"), 1);
    EXPECT_GE(fact(run->facts(epoch), "rechosen_share"), 0);
    EXPECT_LE(fact(run->facts(epoch), "rechosen_share"), 1);
  }
}

TEST(Sfp, is_judged_before_and_after_each_zeroing) {
  const auto run = ran("sfp", 2, ratio("0.5"));
  EXPECT_GE(fact(run->facts(0), "held_out_top1_before"), 0);
  EXPECT_TRUE(run->fixture.opened->stages()[0].held_out.has_value());
  for (const EpochRecord& record : run->history()) {
    EXPECT_TRUE(record.held_out && record.held_out_after) << record.epoch;
  }
}

TEST(Sfp, zeroes_every_few_epochs_and_after_the_last) {
  const auto run = ran("sfp", 6, ratio("0.5", {{"interval", "3"}}));
  EXPECT_EQ(run->zeros, (Pairs{{8, 4}, {0, 0}, {0, 0}, {8, 4}, {0, 0}, {8, 4}}));
}

TEST(Sfp, cuts_what_was_zeroed_last) {
  const auto run = ran("sfp", 2, ratio("0.5"));
  const Graph& graph = run->outcome.graph;
  EXPECT_EQ(zeros_of(graph, "w1") + zeros_of(graph, "w2"), 0);
}

TEST(Sfp, masked_is_compact_where_constants_are_zeroed_and_otherwise_the_gap_is_told) {
  const auto zero = ran("sfp", 2, ratio("0.5", {{"bn-constant", "zero"}}));
  ASSERT_TRUE(zero->outcome.zeroed_filters);
  EXPECT_LE(zero->outcome.zeroed_filters->share, kProofTolerance);
  const auto keep = ran("sfp", 2, ratio("0.5", {{"bn-constant", "keep"}}));
  ASSERT_TRUE(keep->outcome.zeroed_filters);
  EXPECT_GT(keep->outcome.zeroed_filters->share, 0.01);
  EXPECT_GT(keep->outcome.zeroed_filters->difference, 0);
}

TEST(Sfp, folds_constants_into_what_reads_them) {
  const auto bias_of = [](const Pruned& run) {
    const Graph& graph = run.outcome.graph;
    const auto node = std::ranges::find(
        graph.nodes, "d", [&](const Node& n) { return graph.value(n.outputs[0]).name; });
    return node->inputs.size() > 2;
  };
  EXPECT_TRUE(bias_of(*ran("sfp", 1, ratio("0.5"))));
  EXPECT_FALSE(bias_of(*ran("sfp", 1, ratio("0.5", {{"bn-constant", "keep"}}))));
}

TEST(Asfp, zeroes_as_much_as_its_schedule_says) {
  constexpr int64_t kEpochs = 16;
  const auto run = ran("asfp", kEpochs, ratio("0.5"));
  const Growth growth(0, kEpochs);
  for (int64_t epoch = 1; epoch <= kEpochs; ++epoch) {
    const auto filters = [&](double count) {
      return static_cast<int64_t>(count * 0.5 * growth.after(epoch) + 1e-9);
    };
    EXPECT_EQ(run->zeros[epoch - 1], (std::pair{filters(16), filters(8)})) << epoch;
  }
  EXPECT_EQ(fact(run->facts(0), "zeroed_filters"), 0);
  EXPECT_EQ(run->zeros.back(), (std::pair<int64_t, int64_t>{8, 4}));
}

TEST(Asfp, grows_a_budget_of_multiplications_and_of_parameters_too) {
  for (const char* budget : {"keep-macs", "keep-params"}) {
    SCOPED_TRACE(budget);
    const auto run = ran("asfp", 8, {{budget, "0.4"}, {"round-to", "1"}});
    for (size_t e = 1; e < run->zeros.size(); ++e) {
      EXPECT_GE(run->zeros[e].first, run->zeros[e - 1].first);
    }
    EXPECT_LT(run->zeros.front().first, run->zeros.back().first);
    EXPECT_EQ(16 - fake::tensor(run->outcome.graph, "w1").shape()[0], run->zeros.back().first);
    const Costs &before = run->outcome.before, &after = run->outcome.after;
    const double kept =
        budget == std::string("keep-macs")
            ? static_cast<double>(after.macs) / static_cast<double>(before.macs)
            : static_cast<double>(after.parameters) / static_cast<double>(before.parameters);
    EXPECT_LE(kept, 0.4);
  }
}

TEST(Asfp, a_budget_out_of_reach_fails_before_training) {
  EXPECT_THROW(ran("asfp", 8, {{"keep-macs", "0.001"}}), Error);
}

TEST(Asfp, starts_with_a_share_of_its_budget_where_that_is_asked_for) {
  const auto run = ran("asfp", 8, ratio("0.5", {{"start-share", "0.5"}}));
  EXPECT_EQ(fact(run->facts(0), "zeroed_filters"), 4 + 2);
}

TEST(SfpSettings, what_is_recovered_and_what_becomes_of_constants_say_the_same) {
  const Method& method = find_method("sfp");
  const auto recovers = [&](const Given& given) { return settings_of(method, given)[kRecover]; };
  EXPECT_TRUE(recovers({}).bias);
  EXPECT_FALSE(recovers({}).merge);
  EXPECT_FALSE(recovers({{"bn-constant", "keep"}}).any());
  EXPECT_FALSE(recovers({{"recover", "none"}}).any());
  EXPECT_TRUE(recovers({{"recover", "all"}, {"bn-constant", "fold"}}).merge);
  EXPECT_THROW(recovers({{"recover", "none"}, {"bn-constant", "fold"}}), Error);
  EXPECT_THROW(recovers({{"recover", "all"}, {"bn-constant", "keep"}}), Error);
}

}  // namespace
}  // namespace coppice
