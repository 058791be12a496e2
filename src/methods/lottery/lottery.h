// Lottery tickets: iterative magnitude pruning, with the weights rewound between rounds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/initialise.h"
#include "methods/lottery/pace.h"
#include "methods/outcome.h"
#include "session/session.h"

namespace coppice {

// What a round starts from.
struct Rewind {
  // weights: those of an update, from which the schedule goes on; rate: the weights stay as they
  // were trained, and the schedule is gone through from that update.
  enum class Of { weights, rate } of = Of::weights;
  int64_t epochs = 0, updates = 0;  // which update: one of them is 0

  int64_t update(int64_t updates_per_epoch) const { return epochs * updates_per_epoch + updates; }
};

// Nets that are no tickets, of a ticket's size: its masks on weights drawn anew, or its weights
// with as many zeros of each layer at random places.
struct TicketControls {
  bool redrawn = false, random_masks = false;
  int64_t seeds = 1;                 // of each kind a round
  std::vector<int64_t> rounds = {};  // beside which; empty: all

  bool any() const { return redrawn || random_masks; }
  bool beside(int64_t round) const;
};

struct LotteryOptions {
  Pace pace;
  std::vector<std::string> keep = {};  // regular expressions: layers that lose nothing
  Rewind rewind = {};
  // The first weights are drawn anew: by an initialisation, or by the net's own.
  enum class First { as_given, drawn } first = First::as_given;
  std::optional<Initialisation> by = {};
  // The model is trained already: pruning comes first. For rewinding the rate.
  bool trained = false;
  int64_t judge_every = 0;  // updates between looks at the held-out images; 0: an epoch's
  TicketControls controls = {};
  // How many points of the line between the last ticket and the same one trained once more are
  // judged; 0: none.
  int64_t stability = 0;
  uint64_t seed = 0;
  // Is handed nets of every training: "round-03-early" as the held-out loss was smallest, perhaps
  // more than once, and "round-03-end".
  std::function<void(const std::string& name, const Graph& graph)> deliver = {};
  std::function<void(const std::string& text)> warn = {};
};

// Trains the session's original by `recipe`, and so again after each round of pruning. The
// outcome's graph is the last round's, its plan holds the masks, its tables are of the rounds.
// Throws Error::usage for what contradicts the recipe, Error::target where there is nothing to
// mask.
Outcome find_ticket(Session& session, const LotteryOptions& options, const Recipe& recipe);

}  // namespace coppice
