// A reinforcement learner with one action between 0 and 1, as a search asks it: what it knows is
// two small nets, so LibTorch's.
//
// Source: Lillicrap et al., "Continuous Control with Deep Reinforcement Learning" (DDPG), ICLR
// 2016, arXiv:1509.02971, with the sizes and rates of He, Lin, Liu, Wang, Li, Han, "AMC: AutoML for
// Model Compression", ECCV 2018, arXiv:1802.03494, App. and the authors' code.
// Differs: none known.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace coppice {

struct AgentOptions {
  int64_t features = 1;                          // of a state
  int64_t hidden = 300;                          // of both layers, of actor and critic
  double actor_rate = 1e-4, critic_rate = 1e-3;  // of Adam
  double follow = 0.01;                          // tau: how fast the target nets follow
  double discount = 1;
  uint64_t seed = 0;  // of the first weights
};

// One step of an episode; `next` is empty after the last.
struct Transition {
  std::vector<float> state;
  float action = 0, reward = 0;
  std::vector<float> next = {};
};

class Agent {
 public:
  virtual ~Agent() = default;
  // What the actor says, from 0 to 1. Requires: a state of `features` numbers.
  virtual float act(std::span<const float> state) = 0;
  // One update of critic and actor, and of the nets that follow them, on these transitions.
  virtual void learn(std::span<const Transition* const> batch) = 0;
};

// Throws as open_trainer does.
std::unique_ptr<Agent> open_agent(const AgentOptions& options);

}  // namespace coppice
