// When masks change while a net trains, and by how much, as functions of an update's number alone.
#pragma once

#include <cstdint>

namespace coppice {

// s_t = s_f + (s_i - s_f) (1 - (t - t0) / (t_end - t0))^3 at the updates t = t0, t0 + dt, ..., and
// at t_end itself, whether or not dt divides the span: the last is exactly s_f.
//
// Source: Zhu, Gupta, "To prune, or not to prune", 2017, arXiv:1710.01878, eq. 1.
struct CubicSchedule {
  double initial = 0, final = 0;  // sparsities s_i, s_f
  int64_t first = 1, last = 1;    // updates t0, t_end, counted from 1
  int64_t every = 100;            // dt

  bool due(int64_t update) const;
  double sparsity(int64_t update) const;
};

// The share of a layer's weights that is dropped and grown again at an update t.
//
//   cosine    alpha / 2 (1 + cos(pi t / T_end))
//   constant  alpha
//
// Source: Evci, Gale, Menick, Castro, Elsen, "Rigging the Lottery", ICML 2020, arXiv:1911.11134,
// Sec. 3 (3); the authors' code has both.
struct DropSchedule {
  enum class Anneal { cosine, constant };

  double fraction = 0.3;  // alpha
  Anneal anneal = Anneal::cosine;
  int64_t every = 100;  // dT
  int64_t last = 0;     // T_end, in updates

  bool due(int64_t update) const { return update % every == 0 && update <= last; }
  double share(int64_t update) const;
};

// The update, from 1, at which that share of so many is done.
int64_t update_at(double share, int64_t updates);

}  // namespace coppice
