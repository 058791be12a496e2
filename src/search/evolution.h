// An evolutionary search: the best widths so far are mutated and crossed.
//
// Source: Liu, Mu, Zhang, Guo, Yang, Cheng, Sun, "MetaPruning: Meta Learning for Automatic Neural
// Network Channel Pruning", ICCV 2019, arXiv:1903.10258, Sec. 3.2, Alg. 1, and the authors' code
// for its numbers: of a generation half are mutations, each gene changed with probability 0.1, half
// are crossings of two parents gene by gene, and parents are the ten best so far.
// Differs: what falls out of the budget is brought back into it (space.h), where the authors draw
// again; a parent counts by rank among all that were judged, of which they keep the 50 best.
#pragma once

#include <cstdint>

#include "search/strategy.h"
#include "search/unseen.h"

namespace coppice {

struct EvolutionOptions {
  int64_t population = 50, generations = 20, parents = 10;
  double mutation = 0.1;  // the probability that a gene changes
  uint64_t seed = 0;
};

class Evolution : public Strategy {
 public:
  Evolution(SearchSpace space, const EvolutionOptions& options);
  std::vector<Widths> ask() override;
  void tell(std::span<const std::optional<double>> scores) override;
  int64_t trials() const override { return options_.population * options_.generations; }

 private:
  struct Judged {
    Widths widths;
    double score;
  };
  Widths drawn();
  Widths mutated();
  Widths crossed();
  const Widths& parent();
  void add(std::vector<Widths>& to, Widths (Evolution::*make)(), int64_t count);

  SearchSpace space_;
  EvolutionOptions options_;
  Random random_;
  Unseen unseen_;
  std::vector<Widths> asked_;
  std::vector<Judged> parents_;  // the best so far, the best first
  int64_t generation_ = 0;
};

}  // namespace coppice
