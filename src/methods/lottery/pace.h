// How many weights leave in which round of iterative pruning.
//
// Source: Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv:1803.03635, Sec. 2
// and Fig. 2: the same share of what is left in every round, by layer.
// Differs: none known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prune/masks/masks.h"

namespace coppice {

struct Pace {
  int64_t rounds = 7;
  double rate = 0.2;  // the share of the weights left that a round takes
  // By regular expressions for layers, in place of it; the last that matches counts.
  std::vector<std::pair<std::string, double>> layers = {};
  // In place of rates: the share that is zero after the last round, with the same rate in each.
  std::optional<double> sparsity = {};
  MagnitudeOptions::Scope scope = MagnitudeOptions::Scope::layer;
};

// Fewest rounds in which no rate is above `rate`.
int64_t rounds_to(double sparsity, double rate);
// How many of `all` weights are left after `round` of `rounds` equal ones.
int64_t left_towards(double sparsity, int64_t all, int64_t round, int64_t rounds);
// How many of `left` weights a round takes.
int64_t leaving_at(double rate, int64_t left);

// Takes from `masks`, of the survivors of the rounds before, what round `round` (from 1) takes by
// the magnitudes of `graph`. `all`: the masks before the first round. Throws Error::usage for a
// pattern that matches no layer.
Masks next_masks(Masks masks, const Masks& all, const Graph& graph, const Pace& pace,
                 int64_t round);

int64_t count_left(const Masks& masks);

}  // namespace coppice
