// What came of the widths that a search tried: each is cut, its normalisations' statistics are
// found anew, and held-out images judge it, once: what was judged is kept in the session by the
// hash of its plan, so that a run that goes on, or a strategy that asks again, is answered at once.
//
// Source of judging by statistics found anew: Li, Wu, Su, Wang, "EagleEye", ECCV 2020,
// arXiv:2007.02491, Sec. 3.2.
// Differs: see Recalibration (session/options/options.h).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "methods/one_shot/one_shot.h"
#include "session/session.h"

namespace coppice {

struct Trial {
  std::string plan;  // the hash of what it cuts
  Widths widths;
  Costs costs = {};
  std::optional<Evaluation> judged = {};  // top-1 and loss; nothing where it can't be cut so
};

// The original with the weights that a net of such widths has, before it is cut.
using Weigh = std::function<Traced(const Widths& widths)>;

struct TrialOptions {
  OneShotOptions pruning;
  Recalibration recalibration = {};  // of 0 batches: statistics stay
};

class Trials {
 public:
  // `scores`: by which the units of a group leave. All lives as long.
  Trials(Session& session, Traced traced, Scores scores, Weigh weigh, TrialOptions options);

  const Trial& judge(const Widths& widths);
  // In the order in which they were judged first.
  const std::vector<Trial>& all() const { return trials_; }
  // Of the best top-1, then of the smallest loss, the first of equals; null where none was judged.
  const Trial* best() const;
  // Cut to these widths, proved if asked to, with the statistics that it was judged by.
  Outcome outcome(const Widths& widths) const;

 private:
  Graph recalibrated(Graph graph) const;
  Outcome cut(const Widths& widths, Verify verify) const;
  void keep() const;

  Session& session_;
  Traced traced_;
  Scores scores_;
  Weigh weigh_;
  TrialOptions options_;
  std::vector<Trial> trials_;
  std::map<std::string, size_t> by_plan_;  // which of the trials
};

// Those that a session keeps, in their order.
std::vector<Trial> kept_trials(const MethodState& state);

}  // namespace coppice
