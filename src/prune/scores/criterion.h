// How important a unit is. A criterion sees one group at a time and gives one number a unit; larger
// means keep.
//
// A group's units are coupled over several tensors (all layers of a residual stage, say). A
// criterion scores each member, that is each slice with filters; members are normalised to mean 1,
// so that no member decides by its scale alone, and become one score (aggregate.cpp).
//
// A criterion that looks at data says what it needs of the values that a group's units are seen at
// (`needs`); all groups' needs are measured together, and come back in the same view.
//
// Scope says what a score may be compared with: `group` within its own group only (the budget then
// takes the same fraction of every group), `global` across the whole network (one rank).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.h"
#include "groups/groups.h"
#include "options/settings.h"

namespace coppice {

// What the scores of coupled layers become. `first`: the layer that comes first counts alone.
enum class Aggregate { mean, max, sum, first };

struct ScoreOptions {
  uint64_t seed = 0;  // of what is random
  Aggregate aggregate = Aggregate::mean;
  Settings own = {};     // of the criterion's own options
  Measure measure = {};  // of criteria that need evidence
};

// Where a group's units can be seen at work: a value that a layer with weights reads them from, so
// behind normalisation and activation. Layers that read the same value give it once.
struct Activation {
  std::string value;  // its name
  int64_t axis = 1;
  std::vector<std::vector<int64_t>> indices;  // by unit: which channels are its own
};

struct GroupView {
  const Graph& graph;
  const Group& group;
  const ScoreOptions& options;
  // Of criteria that need evidence.
  std::span<const Activation> activations = {};
  const Evidence* evidence = nullptr;  // the answers to all needs; null while these are asked for
  const Inferred* inferred = nullptr;  // shapes of the graph's values; the first axis is the batch
};

struct Criterion {
  enum class Scope { group, global };
  // What is looked at: the weights of filters, the scales of normalisations, or nothing.
  enum class Ranks { filters, normalisations, nothing };
  // What answers its needs: running the net on images, the same with their labels, or a training,
  // which has gradients, too.
  enum class Answered { by_running, by_labels, by_training };

  const char* name;
  const char* paper;
  const char* about;         // one line: what the score is
  const char* differs = "";  // from the paper
  Scope scope = Scope::group;
  Ranks ranks = Ranks::filters;
  OptionList options = {};  // its own, beside ScoreOptions
  // Empty where the group lacks what the criterion looks at (no BatchNormalization, say).
  std::vector<float> (*score)(const GroupView& view) = nullptr;
  // What must be measured before the group can be scored. Null: nothing.
  std::vector<EvidenceRequest> (*needs)(const GroupView& view) = nullptr;
  Answered answered = Answered::by_running;
  // `score` in two halves, for who adds up batch after batch between updates and keeps nothing of
  // them: scores of the group's members by unit, of which the mean over batches of one size is that
  // of all their images; and one score a unit from those. Null where there are no such halves.
  std::vector<std::vector<double>> (*members)(const GroupView& view) = nullptr;
  std::vector<float> (*together)(const GroupView& view,
                                 std::vector<std::vector<double>> members) = nullptr;
  bool aggregates = true;  // coupled layers become one score by ScoreOptions::aggregate
};

std::span<const Criterion> criteria();
// Throws Error::usage listing the names.
const Criterion& find_criterion(std::string_view name);

struct Scores {
  std::vector<float> units;    // by unit number over all groups
  std::vector<char> unscored;  // by group: 1 where the criterion has nothing to look at
};

// Throws Error::target where no group can be scored, Error::usage where the criterion needs
// evidence and there is nothing to measure on.
Scores score_units(const Graph& graph, const Groups& groups, const Criterion& criterion,
                   const ScoreOptions& options);
// Throws Error::input naming the tensor and the first index if a float constant holds a NaN or an
// infinity: no criterion can rank those.
void require_finite(const Graph& graph);

}  // namespace coppice
