// Widths drawn at random within the budget, the best of them taken: the control of every other
// search, and EagleEye's own.
//
// Source: Li, Wu, Su, Wang, "EagleEye: Fast Sub-net Evaluation for Efficient Neural Network
// Pruning", ECCV 2020, arXiv:2007.02491, Sec. 3.3.
// Differs: what is drawn is brought within the budget (space.h), where the authors draw until it
// happens to be.
#pragma once

#include <cstdint>

#include "search/strategy.h"
#include "search/unseen.h"

namespace coppice {

class RandomSearch : public Strategy {
 public:
  RandomSearch(SearchSpace space, int64_t trials, uint64_t seed);
  std::vector<Widths> ask() override;
  void tell(std::span<const std::optional<double>>) override {}
  int64_t trials() const override { return trials_; }

 private:
  SearchSpace space_;
  int64_t trials_;
  Random random_;
  bool asked_ = false;
};

}  // namespace coppice
