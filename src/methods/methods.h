// The pruning methods by name, each with its paper and what it needs. A method is one file here;
// one that trains gets a Session, the others decide from the weights alone.
// Structured ones cut channels and give a smaller model, unstructured ones give zeros and a mask.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "groups/groups.h"
#include "prune/allocate.h"
#include "prune/masks.h"
#include "prune/plan.h"
#include "prune/recover.h"
#include "verify/compare.h"

namespace coppice {

struct Method {
  // Cuts channels, zeroes weights one by one, or does so only on the way to a dense model.
  enum class Kind { structured, unstructured, dense };
  enum class Training { optional, part };  // `part`: of the method; it gets a Session

  const char* name;
  const char* paper;
  const char* about;
  const char* needs;  // "nothing but the model"
  Kind kind;
  const char* criterion;  // structured: prune/criterion.h; else null
  Training training = Training::optional;
};

std::span<const Method> methods();
// Throws Error::usage listing the names.
const Method& find_method(const std::string& name);

struct OneShotOptions {
  enum class Spine { prune, keep };
  enum class Verify { on, off };
  // Whether normalisations of a stream get units of their own (graph/passes/select_channels.h). The
  // streams that they read then stay as they are.
  enum class Selection { none, before_batch_norms };

  Budget budget;
  int64_t round_to = kRoundAuto;
  double most_of_group = 0.9;                  // the share of a group that may leave
  std::optional<Criterion::Scope> scope = {};  // in place of the criterion's own
  double norm_share = 0;                       // see ScoreOptions
  Aggregate aggregate = Aggregate::mean;
  std::vector<std::string> keep;  // regular expressions: groups to leave alone
  Spine spine = Spine::prune;
  std::optional<Selection> selection = {};  // empty: where the method ranks by bn-scale
  Verify verify = Verify::on;
  uint64_t seed = 0;
  RecoverOptions recover = {};  // what makes up for the cut
};

struct GroupCut {
  std::string name;
  int64_t before = 0, after = 0;  // units
};

struct Outcome {
  Graph graph;  // cut, or with weights zeroed
  Plan plan;    // model_file, model_sha256 and mask_files are left to the caller
  Costs before, after;
  std::vector<GroupCut> groups;
  int64_t rounding_moved = 0;
  std::optional<Recovered> recovered;                        // where it was asked for
  std::optional<WeightCount> weights_before, weights_after;  // where there are masks
  bool verified = false;
  std::optional<Proof> proof;  // of a cut; that masks hold is seen by looking
};

// Scores, allocates, cuts and proves, without data; for structured methods. Throws Error::target
// when the budget can't be reached, or when the proof fails (then nothing must be written).
Outcome prune_once(const Graph& graph, const Method& method, const OneShotOptions& options);

// Zeroes weights by magnitude (prune/masks.h), without data. Throws Error::target where that leaves
// nothing to do or a layer without weights.
Outcome prune_by_magnitude(const Graph& graph, const MagnitudeOptions& options,
                           OneShotOptions::Verify verify);

class Session;
struct Recipe;
// Prunes the session's original by `prune` and trains what is left; masks stay exact.
Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe);

// What a method that cut a session's model while it trained has come to: its plan, proved as a
// whole on the original, and the graph as it is now, which must be what was proved but for what
// training moves (same_structure.h). Throws as apply_plan does.
Outcome outcome_of(const Session& session, const Method& method, const OneShotOptions& options);

// Replays a plan on the model it was made for. A plan says what is cut and nothing of `recover`,
// which comes to the same again. Throws as prune_once and plan.h do.
Outcome apply_plan(const Graph& original, const Plan& plan, OneShotOptions::Verify verify,
                   uint64_t seed, const RecoverOptions& recover = {});

}  // namespace coppice
