// A learner of one action on tasks whose best action is known.
#include "libtorch/agent/agent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice::train {
namespace {

// Rewards actions near to `goal(state)`.
float learnt(float state, uint64_t seed, float (*goal)(float state)) {
  const auto agent = make_agent({.features = 1, .hidden = 64, .seed = seed});
  Random random(seed);
  for (int i = 0; i < 600; ++i) {
    std::vector<Transition> batch(32);
    std::vector<const Transition*> steps;
    for (Transition& step : batch) {
      const auto s = static_cast<float>(random.uniform()), a = static_cast<float>(random.uniform());
      step = {.state = {s}, .action = a, .reward = -(a - goal(s)) * (a - goal(s))};
      steps.push_back(&step);
    }
    agent->learn(steps);
  }
  return agent->act(std::vector<float>{state});
}

TEST(AgentTest, first_actions_are_near_a_half_and_as_the_seed_says) {
  const std::vector<float> state = {0.1f, 0.9f, 0.3f};
  const float a = make_agent({.features = 3, .seed = 1})->act(state);
  EXPECT_NEAR(a, 0.5, 0.05);
  EXPECT_EQ(make_agent({.features = 3, .seed = 1})->act(state), a);
  EXPECT_NE(make_agent({.features = 3, .seed = 2})->act(state), a);
}

TEST(AgentTest, learns_the_action_that_is_rewarded) {
  EXPECT_NEAR(learnt(0.5f, 3, [](float) { return 0.8f; }), 0.8, 0.1);
  EXPECT_NEAR(learnt(0.5f, 3, [](float) { return 0.2f; }), 0.2, 0.1);
}

TEST(AgentTest, the_action_depends_on_the_state) {
  const auto goal = [](float state) { return state < 0.5f ? 0.3f : 0.7f; };
  EXPECT_GT(learnt(0.9f, 5, goal), learnt(0.1f, 5, goal) + 0.1f);
}

}  // namespace
}  // namespace coppice::train
