// AMC: a reinforcement learner walks over the groups and says what share of each stays.
//
// Source: He, Lin, Liu, Wang, Li, Han, "AMC: AutoML for Model Compression and Acceleration on
// Mobile Devices", ECCV 2018, arXiv:1802.03494, Sec. 3 and Alg. 1; numbers from the authors' code.
// Differs: an action is of a group, so that coupled layers have one, and its state describes the
// layer that gives the group's channels, where the paper's describes the one that reads them;
// "reduced" and "rest" are of the budget's own measure; widths end at a choice of the space; all
// transitions of an episode are learnt from, of which the authors' memory leaves out the first.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "search/strategy.h"
#include "training/agent.h"

namespace coppice {

struct AmcOptions {
  int64_t episodes = 400;
  int64_t warm_up = 100;  // episodes of actions drawn uniformly, nothing learnt
  double noise = 0.5;     // sigma of the truncated normal after these
  double decay = 0.95;    // of the noise, an episode
  int64_t memory = 2000;  // transitions that are remembered
  int64_t batch = 64;
  uint64_t seed = 0;
};

// What an action is about, before anything is known of the others.
struct AmcLayer {
  size_t group = 0;
  std::vector<double> features = {};  // as many for every layer
};

// Makes the learner for states of so many features.
using OpenAgent = std::function<std::unique_ptr<Agent>(const AgentOptions& options)>;

class Amc : public Strategy {
 public:
  // `layers`: in the order in which the net computes them, one for each gene of the space.
  Amc(SearchSpace space, std::vector<AmcLayer> layers, const AmcOptions& options,
      const OpenAgent& open);
  // One episode, which may be one that was asked before.
  std::vector<Widths> ask() override;
  void tell(std::span<const std::optional<double>> scores) override;
  int64_t trials() const override { return options_.episodes; }

 private:
  std::vector<float> state_at(size_t layer, const Widths& so_far, double last) const;
  double action_for(const std::vector<float>& state);
  int64_t bounded(size_t layer, const Widths& so_far, double action) const;
  void learn();

  SearchSpace space_;
  std::vector<AmcLayer> layers_;  // features between 0 and 1
  AmcOptions options_;
  std::unique_ptr<Agent> agent_;
  Random random_;
  std::vector<Transition> episode_;
  std::deque<Transition> memory_;
  double baseline_ = 0;
  bool has_baseline_ = false;
  int64_t done_ = 0;
};

}  // namespace coppice
