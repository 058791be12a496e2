// One-shot pruning without data: score every unit, choose by rank for the budget, cut, prove. What
// a method's paper does between and after (training) is not here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "groups/traced.h"
#include "methods/outcome.h"
#include "options/settings.h"
#include "prune/budget/allocate.h"
#include "prune/budget/widths.h"
#include "session/session.h"

namespace coppice {

class LatencyMeter;

struct OneShotOptions {
  enum class Spine { prune, keep };
  // Whether normalisations of a stream get units of their own (graph/passes/select_channels.h). The
  // streams that they read then stay as they are.
  enum class Selection { none, before_batch_norms, before_layers };

  Budget budget;
  // Ratios by layer (prune/budget/widths.h), in place of one budget: exact, without rounding or a
  // cap. A budget's ratio is then that of all other groups; they stay as they are under any other.
  std::vector<LayerRatio> layer_ratios = {};
  int64_t round_to = kRoundAuto;               // or a multiple of so many channels
  const Runtime* runtime = nullptr;            // that the result is for; null: the usual one
  double most_of_group = 0.9;                  // the share of a group that may leave
  std::optional<Criterion::Scope> scope = {};  // in place of the criterion's own
  Aggregate aggregate = Aggregate::mean;
  Settings of_criterion = {};     // its own options
  std::vector<std::string> keep;  // regular expressions: groups to leave alone
  Spine spine = Spine::prune;
  std::optional<Selection> selection = {};  // empty: where the criterion ranks normalisations
  Verify verify = Verify::on;
  uint64_t seed = 0;
  RecoverOptions recover = {};  // what makes up for the cut
  Measure measure = {};         // of criteria that need evidence
  int64_t images = 500;         // that they look at where a session measures
  // How much of each group leaves, in place of the scope (prune/budget/allocate.h).
  std::shared_ptr<const SensitivityTable> sensitivity = {};
  // Of a budget of latency: what measures for it.
  std::shared_ptr<LatencyMeter> latency = {};
};

// Throws Error::target when the budget can't be reached, or when the proof fails (then nothing must
// be written). The plan's method is the criterion's name.
Outcome prune_once(const Graph& graph, const Criterion& criterion, const OneShotOptions& options);

// Takes these units out of a graph that is prepared, and loosened at least; the plan has no method.
// Throws as require_cut does.
Outcome cut_to(Traced traced, const Removal& removal, const OneShotOptions& options);

// Replays a plan on the model it was made for. Channels stay in their order, which the outcome's
// plan has for who writes it (methods/unstructured/reorder.h). A plan cuts, and of `recover` it only tells; given
// again, with the same images, that comes to the same again. Throws as prune_once and plan.h do.
Outcome apply_plan(const Graph& original, const Plan& plan, Verify verify, uint64_t seed,
                   const RecoverOptions& recover = {});

// A plan on the graph that it fits: loosened, and with selections only if it doesn't fit without.
// They give a normalisation units of its own, but hold a few other things more tightly (a stream
// that a grouped convolution reads through one). Throws as plan.h does.
struct Replay {
  Traced traced;
  Removal removal;
};
Replay replay_of(Graph graph, const Plan& plan);

// The first half, for methods that train before they cut: the graph as `choose` takes it: loosened,
// and with the selections that the criterion or the options ask for. They are to be settled after
// the cut (graph/passes/select_channels.h).
Graph prepared(Graph graph, const Criterion& criterion, const OneShotOptions& options);

// By group: 1 for those that the options say to leave alone, and for streams that selections read.
// Throws as matching_groups does.
std::vector<char> groups_to_keep(const Graph& graph, const Groups& groups,
                                 const OneShotOptions& options);

// Which widths the options ask for, in these groups.
Rounding rounding_of(const Traced& traced, const OneShotOptions& options);

// Scores and allocates. The graph: prepared, or at least loosened, and finite but for bounds.
// Throws as prune_once does.
Allocation choose(const Traced& traced, const Criterion& criterion, const OneShotOptions& options);

// The second half: what is left of the graph without these units, its groups, and the proof where
// one is asked for. `zeroed`: the graph with the filters that leave at zero, where the outcome is
// to say how far that is from the cut. Throws as require_cut does.
void cut_and_prove(const Graph& graph, const Groups& groups, const Removal& removal,
                   const OneShotOptions& options, Outcome& outcome, const Graph* zeroed = nullptr);

// The options as a session's cuts take them.
RemoveOptions removing(const OneShotOptions& options);

}  // namespace coppice
