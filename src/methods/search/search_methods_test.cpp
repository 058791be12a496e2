// Searches under a trainer that only pretends to train.
#include <gtest/gtest.h>

#include "methods/method.h"
#include "methods/search/pruning_net.h"
#include "methods/search/trials.h"
#include "runtime/executable.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

using fake::Fixture;

// 18 images train, 10 judge what is tried, 12 what comes of it.
Session& open(Fixture& fixture, const Graph& graph, const std::filesystem::path& checkpoint = {}) {
  return fixture.opened.emplace(
      graph, SessionData{fixture.dataset.get(), {}, {.held_out = 0.3, .search = 0.25}},
      fixture.trainer, fixture.watcher, SessionOptions{.checkpoint = checkpoint});
}

Settings settings_for(const Method& method, const Request& told) {
  Settings settings(options_of(method));
  for (const OptionUse& use : settings.options()) {
    for (const auto& [option, value] : told) {
      if (use.option->name() == option) settings.set(*use.option, value);
    }
  }
  method.settle(settings);
  return settings;
}

Outcome run(Session& session, const char* name, Request told, int64_t epochs = 0) {
  const Method& method = find_method(name);
  for (const auto& [option, value] : Request{{"keep-macs", "0.6"},
                                             {"round-to", "1"},
                                             {"population", "4"},
                                             {"generations", "2"},
                                             {"candidates", "6"},
                                             {"net-epochs", "2"},
                                             {"net-hidden", "3"},
                                             {"recalibrate", "2"}}) {
    told.emplace_back(option, value);
  }
  const Settings settings = settings_for(method, told);
  return run_in_training(method, session, fake::recipe(epochs), {.settings = settings});
}

const Graph& net() {
  static const Graph graph = parse_text_graph(fake::kNet);
  return graph;
}

const ResultTable& candidates_of(const Outcome& outcome) {
  const auto found = std::ranges::find(outcome.tables, "candidates", &ResultTable::key);
  EXPECT_NE(found, outcome.tables.end());
  return *found;
}

struct SearchMethods : testing::TestWithParam<const char*> {};

TEST_P(SearchMethods, gives_a_proved_cut_within_the_budget_and_all_that_it_tried) {
  Fixture fixture;
  const Outcome outcome = run(open(fixture, net()), GetParam(), {});
  EXPECT_TRUE(outcome.verified);
  EXPECT_LE(outcome.after.macs, 0.6 * static_cast<double>(outcome.before.macs));
  const ResultTable& candidates = candidates_of(outcome);
  EXPECT_FALSE(candidates.rows.empty());
  for (const auto& row : candidates.rows) EXPECT_LE(std::get<double>(row[0]), 0.6);
  for (const float pixel : fixture.trainer.stepped) {
    EXPECT_FALSE(std::ranges::count(fixture.opened->images(Part::search), int64_t(pixel) - 1));
  }
}

TEST_P(SearchMethods, trains_what_it_found_where_there_are_epochs) {
  Fixture fixture;
  const Outcome outcome = run(open(fixture, net()), GetParam(), {}, 2);
  EXPECT_EQ(fixture.opened->stages().back().stage, "fine-tuning");
  EXPECT_EQ(fixture.opened->stages().back().epochs, 2);
  EXPECT_TRUE(fake::bytes_of(outcome.graph) == fake::bytes_of(fixture.opened->graph()));
}

TEST_P(SearchMethods, goes_on_after_any_stage_to_the_same_bits) {
  Fixture whole;
  const Outcome expected = run(open(whole, net()), GetParam(), {}, 1);
  for (int64_t stages = 1; stages <= std::ssize(whole.opened->stages()); ++stages) {
    SCOPED_TRACE(stages);
    const TempDir dir;
    Fixture first, second;
    first.watcher.stop_after_stages = stages;
    EXPECT_THROW(run(open(first, net(), dir / "c"), GetParam(), {}, 1), Error);
    open(second, net()).resume(read_checkpoint(dir / "c"));
    const Outcome found = run(*second.opened, GetParam(), {}, 1);
    EXPECT_TRUE(fake::bytes_of(found.graph) == fake::bytes_of(expected.graph));
    EXPECT_EQ(found.plan, expected.plan);
    EXPECT_EQ(candidates_of(found).rows, candidates_of(expected).rows);
  }
}

INSTANTIATE_TEST_SUITE_P(, SearchMethods,
                         testing::Values("evolution", "random-search", "metapruning"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::ranges::replace(text, '-', '_');
                           return text;
                         });

TEST(Search, a_search_that_stopped_goes_on_without_judging_anything_twice) {
  const TempDir dir;
  Fixture first, second, whole;
  first.watcher.stop_after = 0;
  EXPECT_THROW(run(open(first, net(), dir / "c"), "random-search", {}), Error);
  const SessionState state = read_checkpoint(dir / "c");
  EXPECT_EQ(kept_trials(state.own).size(), 1u);
  open(second, net()).resume(read_checkpoint(dir / "c"));
  const Outcome found = run(*second.opened, "random-search", {});
  const Outcome expected = run(open(whole, net()), "random-search", {});
  EXPECT_EQ(candidates_of(found).rows, candidates_of(expected).rows);
  EXPECT_TRUE(fake::bytes_of(found.graph) == fake::bytes_of(expected.graph));
  EXPECT_LT(second.trainer.means.size(), whole.trainer.means.size());
}

TEST(Search, says_where_there_is_nothing_to_recalibrate) {
  Graph plain = parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const fw float32 [3, 4] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    g = GlobalAveragePool(r)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)");
  const Method& method = find_method("random-search");
  const Settings settings = settings_for(method, {{"candidates", "2"}, {"round-to", "1"}});
  Fixture fixture;
  std::vector<std::string> remarks;
  method.train(
      open(fixture, plain), fake::recipe(0),
      {.settings = settings, .remark = [&](const std::string& text) { remarks.push_back(text); }});
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_NE(remarks[0].find("no BatchNormalization"), std::string::npos);
}

// The criterion says nothing of w2, whose channels no BatchNormalization scales.
TEST(Search, groups_that_the_criterion_cannot_rank_stay_whole) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [8, 1, 3, 3] random
    const s float32 [8] positive
    const b float32 [8] random
    const m float32 [8] random
    const v float32 [8] positive
    const w2 float32 [8, 8, 1, 1] random
    const fw float32 [3, 8] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, s, b, m, v)
    r = Relu(n)
    c = Conv(r, w2)
    q = Relu(c)
    g = GlobalAveragePool(q)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)");
  Fixture fixture;
  const Outcome outcome = run(open(fixture, graph), "random-search", {{"rank-by", "bn-scale"}});
  for (const GroupCut& group : outcome.groups) {
    EXPECT_EQ(group.before == group.after, group.name == "w2") << group.name;
  }
}

TEST(Search, options_that_would_decide_nothing_are_refused) {
  const auto refusal = [](const char* name, const Request& told) {
    return fake::message_of(ErrorKind::usage, [&] { settings_for(find_method(name), told); });
  };
  EXPECT_NE(refusal("metapruning", {{"recover", "all"}}).find("add --weights inherit"),
            std::string::npos);
  EXPECT_EQ(refusal("metapruning", {{"rank-by", "l2"}, {"weights", "inherit"}}), "(no error)");
  EXPECT_NE(refusal("evolution", {{"lr", "0.1"}}).find("add --epochs N"), std::string::npos);
  EXPECT_EQ(refusal("metapruning", {{"optimizer", "adam"}}), "(no error)");
  EXPECT_NE(refusal("metapruning", {{"lr", "0.1"}}).find("add --epochs N"), std::string::npos);
  EXPECT_NE(refusal("evolution", {{"population", "5"}, {"parents", "6"}}).find("has 5"),
            std::string::npos);
  EXPECT_NE(
      refusal("amc", {{"episodes", "5"}, {"warm-up-episodes", "5"}}).find("nothing is learnt"),
      std::string::npos);
}

// What the PruningNet computes for widths, masked, is what the cut net with its weights computes.
void expect_masking_is_cropping(const Graph& original, uint64_t seed) {
  OneShotOptions options;
  options.verify = Verify::off;
  const Traced traced(prepared(original, find_criterion("l1"), options));
  const PruningNet net = pruning_net_of(traced, {.hidden = 5, .seed = seed});
  verify(net.graph);
  Random random(seed);
  Widths widths;
  for (const Group& group : traced.groups().free) {
    widths.push_back(1 + static_cast<int64_t>(random.below(group.units())));
  }
  const Traced weighed = generated(traced, net.graph, widths);
  const Outcome cut =
      cut_to(weighed, removal_for(traced.groups(), in_order(traced.groups()), widths), options);
  const Shape shape = input_shape(original, original.inputs[0], {.inputs = {}, .batch = 2});
  Tensor image = Tensor::zeros(DType::f32, shape);
  random.fill_normal(image.mutate<float>(), 1);
  std::vector<Tensor> feeds = {image};
  const NamedTensors given = feeds_for(traced.groups(), widths);
  for (size_t i = 1; i < net.graph.inputs.size(); ++i) {
    feeds.push_back(given.at(net.graph.value(net.graph.inputs[i]).name));
  }
  const auto masked = compile(net.graph, {.inputs = {}, .batch = 2}).run(feeds);
  const auto cropped = compile(cut.graph, {.inputs = {}, .batch = 2}).run(std::span(&feeds[0], 1));
  const auto a = masked[0].as<float>(), b = cropped[0].as<float>();
  double largest = 0;
  for (const float x : a) largest = std::max<double>(largest, std::fabs(x));
  ASSERT_GT(largest, 0);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4 * largest);
}

TEST(PruningNetTest, masking_what_is_generated_is_cropping_it) {
  for (const char* name :
       {"resnet20", "preresnet20", "plain20", "mlp500-300-bn", "lenet5", "densenet40"}) {
    SCOPED_TRACE(name);
    expect_masking_is_cropping(build_zoo_model(name, 1), 2);
  }
}

TEST(PruningNetTest, every_weight_that_cuts_reach_is_a_function_of_the_widths) {
  const Traced traced(prepared(build_zoo_model("resnet20", 1), find_criterion("l1"), {}));
  const PruningNet net = pruning_net_of(traced, {.hidden = 32});
  Widths full, half;
  for (const Group& group : traced.groups().free) {
    full.push_back(group.units());
    half.push_back(group.units() / 2);
  }
  const Graph a = generated(traced, net.graph, full).graph();
  const Graph b = generated(traced, net.graph, half).graph();
  int64_t different = 0;
  for (size_t v = 0; v < a.values.size(); ++v) {
    if (a.values[v].constant) different += *a.values[v].constant != *b.values[v].constant;
  }
  EXPECT_EQ(different, 19);  // convolutions
}

}  // namespace
}  // namespace coppice
