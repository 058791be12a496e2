// See amc.h.
#include "search/amc.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

constexpr uint64_t kAmcStream = 0x616d63;  // "amc": no other stream of the seed is like it
constexpr size_t kMovingFeatures = 3;      // reduced, rest, the last action
constexpr double kBaselineShare = 0.5;     // of the newest batch

// Each feature over all layers becomes 0 to 1.
void normalise(std::vector<AmcLayer>& layers) {
  for (size_t f = 0; f < layers.front().features.size(); ++f) {
    double low = INFINITY, high = -INFINITY;
    for (const AmcLayer& layer : layers) {
      low = std::min(low, layer.features[f]);
      high = std::max(high, layer.features[f]);
    }
    for (AmcLayer& layer : layers) {
      layer.features[f] = high > low ? (layer.features[f] - low) / (high - low) : 0;
    }
  }
}

// Of the normal distribution around `mean`, drawn again outside 0 to 1.
double truncated_normal(Random& random, double mean, double deviation) {
  for (int64_t tries = 0; tries < 1000; ++tries) {
    const double value = mean + deviation * random.normal();
    if (value >= 0 && value <= 1) return value;
  }
  return std::clamp(mean, 0.0, 1.0);
}

}  // namespace

Amc::Amc(SearchSpace space, std::vector<AmcLayer> layers, const AmcOptions& options,
         const OpenAgent& open)
    : space_(std::move(space)),
      layers_(std::move(layers)),
      options_(options),
      random_(Random::stream(options.seed, {kAmcStream})) {
  COPPICE_CHECK(!layers_.empty() && layers_.size() == space_.genes().size(),
                "an action for each gene");
  normalise(layers_);
  const size_t features = layers_.front().features.size() + kMovingFeatures;
  agent_ = open({.features = static_cast<int64_t>(features), .seed = options.seed});
}

// `so_far`: groups that had their action have their width, the others all of their units.
std::vector<float> Amc::state_at(size_t layer, const Widths& so_far, double last) const {
  Widths least = so_far;
  for (size_t l = layer; l < layers_.size(); ++l) {
    least[layers_[l].group] = space_.choices[layers_[l].group].front();
  }
  const double now = space_.cost(so_far);
  std::vector<float> state(layers_[layer].features.begin(), layers_[layer].features.end());
  for (const double moving : {1 - now, now - space_.cost(least), last}) {
    state.push_back(static_cast<float>(moving));
  }
  return state;
}

double Amc::action_for(const std::vector<float>& state) {
  if (done_ < options_.warm_up) return random_.uniform();
  const double deviation =
      options_.noise * std::pow(options_.decay, static_cast<double>(done_ - options_.warm_up));
  return truncated_normal(random_, agent_->act(state), deviation);
}

// The smallest choice that is at least the action's share, or the widest below it that leaves
// enough for the layers to come, were these cut as far as can be.
int64_t Amc::bounded(size_t layer, const Widths& so_far, double action) const {
  const size_t group = layers_[layer].group;
  const Widths& choices = space_.choices[group];
  const double wanted = action * static_cast<double>(choices.back());
  auto choice = std::ranges::find_if(
      choices, [&](int64_t width) { return static_cast<double>(width) >= wanted; });
  if (choice == choices.end()) --choice;
  Widths widths = so_far;
  for (size_t l = layer + 1; l < layers_.size(); ++l) {
    widths[layers_[l].group] = space_.choices[layers_[l].group].front();
  }
  for (;; --choice) {
    widths[group] = *choice;
    if (choice == choices.begin() || space_.fits(widths)) return *choice;
  }
}

std::vector<Widths> Amc::ask() {
  episode_.clear();
  if (done_ == options_.episodes) return {};
  Widths widths;
  for (const Widths& choices : space_.choices) widths.push_back(choices.back());
  double last = 1;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    std::vector<float> state = state_at(layer, widths, last);
    const double action = action_for(state);
    if (layer > 0) episode_.back().next = state;
    episode_.push_back({.state = std::move(state), .action = static_cast<float>(action)});
    const size_t group = layers_[layer].group;
    widths[group] = bounded(layer, widths, action);
    last = static_cast<double>(widths[group]) / static_cast<double>(space_.choices[group].back());
  }
  return {std::move(widths)};
}

void Amc::tell(std::span<const std::optional<double>> scores) {
  for (Transition& step : episode_) {
    step.reward = static_cast<float>(scores.front().value_or(0));
    memory_.push_back(std::move(step));
    if (std::ssize(memory_) > options_.memory) memory_.pop_front();
  }
  if (++done_ <= options_.warm_up) return;
  for (size_t update = 0; update < layers_.size(); ++update) learn();
}

void Amc::learn() {
  std::vector<Transition> batch;
  double mean = 0;
  for (int64_t i = 0; i < options_.batch; ++i) {
    batch.push_back(memory_[random_.below(memory_.size())]);
    mean += batch.back().reward / static_cast<double>(options_.batch);
  }
  baseline_ = has_baseline_ ? baseline_ + kBaselineShare * (mean - baseline_) : mean;
  has_baseline_ = true;
  std::vector<const Transition*> steps;
  for (Transition& step : batch) {
    step.reward -= static_cast<float>(baseline_);
    steps.push_back(&step);
  }
  agent_->learn(steps);
}

}  // namespace coppice
