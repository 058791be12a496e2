// How a soft pruning's budget grows: little of a fresh choice is zeroed, all of a settled one.
//
//   P(e) = a exp(-k e) + b   through (0, start P), (E / 8, 3/4 P), (E, P)
//
// Source: He, Dong, Kang, Fu, Yan, Yang, "Asymptotic Soft Filter Pruning for Deep Convolutional
// Neural Networks", IEEE Transactions on Cybernetics 2019, arXiv:1808.07471.
// Differs: e counts the epochs that are done, so that P is reached after the last one; `start` is a
// share of P, and P whatever a budget removes: of channels, of multiply-accumulates, of parameters.
#pragma once

#include <cstdint>

namespace coppice {

class Growth {
 public:
  // From here on the curve would be a straight line, or bent the other way.
  static constexpr double kMostStart = 5.0 / 7;

  // Requires: 0 <= start < kMostStart, epochs > 0.
  Growth(double start, int64_t epochs);
  // After so many epochs: a share of P.
  double after(int64_t epoch) const;

 private:
  double start_, decay_;  // decay_: exp(-k E / 8)
  int64_t epochs_;
};

}  // namespace coppice
