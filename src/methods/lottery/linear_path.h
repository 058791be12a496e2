// Linear mode connectivity: the error along the line between two trained copies of a net.
//
// Source: Frankle, Dziugaite, Roy, Carbin, "Linear Mode Connectivity and the Lottery Ticket
// Hypothesis", ICML 2020, arXiv:1912.05671, Sec. 2: copies are stable to the noise of training
// where the error on the line between them is no higher than at its ends.
// Differs: running statistics of BatchNormalization are interpolated as weights are.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "session/session.h"

namespace coppice {

struct PathPoint {
  double share = 0;  // of the second copy: 0 at the first, 1 at the second
  double top1 = 0, loss = 0;
};

// (1 - share) `a` + share `b` of all that training moves; all else is `a`'s. Requires: graphs of
// the same structure and names.
Graph between(const Graph& a, const Graph& b, double share);

// Evenly placed points, both ends among them, judged by the session's held-out images. Requires:
// points > 1, session.can_evaluate().
std::vector<PathPoint> linear_path(Session& session, const Graph& a, const Graph& b,
                                   int64_t points);

struct Barrier {
  double error = 0, loss = 0;  // the highest on the line less the mean of the ends
};
Barrier barrier_of(const std::vector<PathPoint>& path);

}  // namespace coppice
