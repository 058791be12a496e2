// Strategies on a made-up landscape, which they can't know.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "search/amc.h"
#include "search/evolution.h"
#include "search/pareto.h"
#include "search/random_search.h"

namespace coppice {
namespace {

// Six groups of 4 to 32 units; a unit costs the same everywhere, the last group can't change.
SearchSpace space(double most = 0.5) {
  SearchSpace space;
  for (int64_t g = 0; g < 6; ++g) {
    Widths choices;
    for (int64_t width = 4; width <= 32; width += 2) choices.push_back(width);
    space.choices.push_back(g == 5 ? Widths{32} : choices);
  }
  space.cost = [](const Widths& widths) {
    return static_cast<double>(std::accumulate(widths.begin(), widths.end(), int64_t{0})) / 192;
  };
  space.most = most;
  return space;
}

// Wide first groups and narrow later ones are good.
double worth(const Widths& widths) {
  double sum = 0;
  for (size_t g = 0; g < widths.size(); ++g) {
    sum += static_cast<double>(widths[g]) * (2.5 - static_cast<double>(g));
  }
  return sum / 200;
}

void expect_chosen(const SearchSpace& space, const Widths& widths) {
  ASSERT_EQ(widths.size(), space.choices.size());
  for (size_t g = 0; g < widths.size(); ++g) {
    EXPECT_TRUE(std::ranges::count(space.choices[g], widths[g])) << widths[g];
  }
  EXPECT_LE(space.cost(widths), space.most);
}

std::vector<Widths> all_of(Strategy& strategy, std::vector<double>* best = nullptr) {
  std::vector<Widths> all;
  double most = -1e9;
  for (;;) {
    const std::vector<Widths> asked = strategy.ask();
    if (asked.empty()) return all;
    std::vector<std::optional<double>> scores;
    for (const Widths& widths : asked) {
      scores.push_back(worth(widths));
      most = std::max(most, *scores.back());
    }
    if (best) best->push_back(most);
    strategy.tell(scores);
    all.insert(all.end(), asked.begin(), asked.end());
  }
}

TEST(SearchSpaceTest, what_is_drawn_is_brought_just_below_the_budget) {
  Random random(3);
  for (const double most : {0.3, 0.5, 0.9}) {
    const SearchSpace narrow = space(most);
    for (int i = 0; i < 50; ++i) {
      Widths widths = drawn_anyhow(narrow, random);
      bring_within(narrow, widths, random);
      expect_chosen(narrow, widths);
      EXPECT_GE(narrow.cost(widths), most - narrow.slack);
    }
  }
}

TEST(SearchSpaceTest, a_budget_that_cannot_be_reached_is_refused_with_what_can_be) {
  try {
    require_reachable(space(0.1), "parameters");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_NE(std::string(error.what())
                  .find("of the parameters: the narrowest widths of the "
                        "search keep 0.27"),
              std::string::npos)
        << error.what();
  }
}

TEST(RandomSearchTest, asks_for_different_widths_and_as_the_seed_says) {
  RandomSearch first(space(), 40, 7), again(space(), 40, 7), other(space(), 40, 8);
  const std::vector<Widths> drawn = all_of(first);
  EXPECT_EQ(drawn.size(), 40u);
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 40u);
  for (const Widths& widths : drawn) expect_chosen(space(), widths);
  EXPECT_EQ(all_of(again), drawn);
  EXPECT_NE(all_of(other), drawn);
}

TEST(RandomSearchTest, ends_where_the_space_is_used_up) {
  SearchSpace tiny = space();
  for (size_t g = 1; g < 5; ++g) tiny.choices[g] = {4};
  RandomSearch search(tiny, 100, 0);
  EXPECT_LE(all_of(search).size(), 15u);
}

TEST(EvolutionTest, never_falls_back_and_beats_as_many_random_ones) {
  std::vector<double> best, drawn;
  Evolution evolution(space(), {.population = 12, .generations = 15, .parents = 5, .seed = 1});
  const std::vector<Widths> all = all_of(evolution, &best);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
  for (const Widths& widths : all) expect_chosen(space(), widths);
  ASSERT_EQ(best.size(), 15u);
  EXPECT_TRUE(std::ranges::is_sorted(best));
  RandomSearch random(space(), std::ssize(all), 1);
  all_of(random, &drawn);
  EXPECT_GT(best.back(), drawn.back());
}

// Says what it is told to, and remembers what it learns from.
struct FakeAgent : Agent {
  explicit FakeAgent(int64_t count) : features(count) {}
  float act(std::span<const float> state) override {
    EXPECT_EQ(std::ssize(state), features);
    for (const float number : state) EXPECT_TRUE(number >= 0 && number <= 1) << number;
    ++acted;
    return 0.9f;
  }
  void learn(std::span<const Transition* const> batch) override {
    ++learnt;
    for (const Transition* step : batch) rewards.insert(step->reward);
  }
  int64_t features, acted = 0, learnt = 0;
  std::set<float> rewards;
};

TEST(AmcTest, every_episode_is_within_the_budget_and_learning_follows_the_warm_up) {
  FakeAgent* agent = nullptr;
  std::vector<AmcLayer> layers;
  for (const size_t g : space().genes()) {
    layers.push_back({.group = g, .features = {static_cast<double>(g), 7}});
  }
  Amc amc(space(), layers, {.episodes = 30, .warm_up = 10, .memory = 60, .batch = 8},
          [&](const AgentOptions& options) {
            auto made = std::make_unique<FakeAgent>(options.features);
            agent = made.get();
            return made;
          });
  const std::vector<Widths> all = all_of(amc);
  ASSERT_EQ(all.size(), 30u);
  for (const Widths& widths : all) expect_chosen(space(), widths);
  EXPECT_EQ(agent->features, 2 + 3);
  EXPECT_EQ(agent->acted, 20 * 5);
  EXPECT_EQ(agent->learnt, 20 * 5);
  EXPECT_GT(agent->rewards.size(), 5u);
  // Wide is what the agent says, so the first layers take what the last leave.
  EXPECT_GT(all.back()[0], all.back()[4]);
}

TEST(ParetoTest, nothing_on_the_front_is_beaten) {
  const std::vector<std::vector<double>> costs = {{1}, {2}, {3}, {2}, {2}, {1}};
  const std::vector<double> scores = {0.5, 0.7, 0.6, 0.7, 0.65, 0.4};
  EXPECT_EQ(pareto_front(costs, scores), (std::vector<char>{1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(pareto_front({{1, 5}, {5, 1}, {5, 5}}, {1, 1, 1}), (std::vector<char>{1, 1, 0}));
}

}  // namespace
}  // namespace coppice
