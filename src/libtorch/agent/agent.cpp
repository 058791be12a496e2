// DDPG on two nets of two hidden layers, with LibTorch's own Adam.
//
//   actor   s -> 300 -> 300 -> sigmoid
//   critic  relu(s W + a w + b) -> 300 -> Q
//
// Weights are drawn uniformly within 1 / sqrt(fan-in), as in both papers; those of the last layers
// within 0.003, so that the first actions are near 0.5.
#include "libtorch/agent/agent.h"

#include <torch/optim/adam.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace coppice::train {
namespace {

constexpr uint64_t kAgentStream = 0x6167656e74;  // "agent": no other stream of the seed is like it
constexpr float kLastLayer = 0.003f;

// Weight and bias of each layer, one after the other.
using Net = std::vector<at::Tensor>;

at::Tensor drawn(Random& random, std::vector<int64_t> shape, float bound) {
  at::Tensor values = at::empty(shape);
  random.fill_uniform({values.data_ptr<float>(), static_cast<size_t>(values.numel())}, -bound,
                      bound);
  return values.set_requires_grad(true);
}

Net net_of(Random& random, int64_t inputs, int64_t hidden) {
  Net net;
  const auto add = [&](int64_t in, int64_t out, bool last) {
    const float bound = last ? kLastLayer : 1 / std::sqrt(static_cast<float>(in));
    net.push_back(drawn(random, {out, in}, bound));
    net.push_back(drawn(random, {out}, bound));
  };
  add(inputs, hidden, false);
  add(hidden, hidden, false);
  add(hidden, 1, true);
  return net;
}

at::Tensor run(const Net& net, const at::Tensor& input) {
  at::Tensor x = at::linear(input, net[0], net[1]).relu();
  x = at::linear(x, net[2], net[3]).relu();
  return at::linear(x, net[4], net[5]);
}

at::Tensor action_of(const Net& actor, const at::Tensor& states) {
  return run(actor, states).sigmoid();
}

at::Tensor value_of(const Net& critic, const at::Tensor& states, const at::Tensor& actions) {
  return run(critic, at::cat({states, actions}, 1));
}

Net copy_of(const Net& net) {
  Net copy;
  for (const at::Tensor& weight : net) copy.push_back(weight.detach().clone());
  return copy;
}

void follow(Net& behind, const Net& ahead, double share) {
  const at::NoGradGuard none;
  for (size_t i = 0; i < behind.size(); ++i) behind[i].lerp_(ahead[i], share);
}

class Ddpg : public Agent {
 public:
  explicit Ddpg(const AgentOptions& options)
      : options_(options),
        random_(Random::stream(options.seed, {kAgentStream})),
        actor_(net_of(random_, options.features, options.hidden)),
        critic_(net_of(random_, options.features + 1, options.hidden)),
        actor_behind_(copy_of(actor_)),
        critic_behind_(copy_of(critic_)),
        actor_adam_(actor_, torch::optim::AdamOptions(options.actor_rate)),
        critic_adam_(critic_, torch::optim::AdamOptions(options.critic_rate)) {}

  float act(std::span<const float> state) override {
    COPPICE_CHECK(std::ssize(state) == options_.features, "a state of another length");
    const at::NoGradGuard none;
    const at::Tensor input =
        at::from_blob(const_cast<float*>(state.data()), {1, options_.features});
    return action_of(actor_, input).item<float>();
  }

  void learn(std::span<const Transition* const> batch) override {
    const auto count = std::ssize(batch);
    at::Tensor states = at::empty({count, options_.features}),
               next = at::zeros({count, options_.features});
    at::Tensor actions = at::empty({count, 1}), rewards = at::empty({count, 1}),
               goes_on = at::zeros({count, 1});
    for (int64_t i = 0; i < count; ++i) {
      const Transition& step = *batch[i];
      std::ranges::copy(step.state, states.data_ptr<float>() + i * options_.features);
      std::ranges::copy(step.next, next.data_ptr<float>() + i * options_.features);
      actions.data_ptr<float>()[i] = step.action;
      rewards.data_ptr<float>()[i] = step.reward;
      goes_on.data_ptr<float>()[i] = step.next.empty() ? 0.0f : 1.0f;
    }
    learn_values(states, actions, rewards + options_.discount * goes_on * value_behind(next));
    learn_actions(states);
    follow(actor_behind_, actor_, options_.follow);
    follow(critic_behind_, critic_, options_.follow);
  }

 private:
  at::Tensor value_behind(const at::Tensor& states) const {
    const at::NoGradGuard none;
    return value_of(critic_behind_, states, action_of(actor_behind_, states));
  }

  void learn_values(const at::Tensor& states, const at::Tensor& actions, const at::Tensor& goal) {
    critic_adam_.zero_grad();
    at::mse_loss(value_of(critic_, states, actions), goal).backward();
    critic_adam_.step();
  }

  void learn_actions(const at::Tensor& states) {
    actor_adam_.zero_grad();
    value_of(critic_, states, action_of(actor_, states)).mean().neg().backward();
    actor_adam_.step();
  }

  AgentOptions options_;
  Random random_;
  Net actor_, critic_, actor_behind_, critic_behind_;
  torch::optim::Adam actor_adam_, critic_adam_;
};

}  // namespace

std::unique_ptr<Agent> make_agent(const AgentOptions& options) {
  return std::make_unique<Ddpg>(options);
}

}  // namespace coppice::train
