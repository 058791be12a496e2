// What a method comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/cost.h"
#include "graph/graph.h"
#include "prune/compensate/compensation.h"
#include "prune/masks/masks.h"
#include "prune/plan/plan.h"
#include "prune/regression/regress_layers.h"
#include "verify/compare.h"

namespace coppice {

enum class Verify { on, off };  // whether what comes out is proved

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
  std::optional<Compensated> recovered;                      // where it was asked for
  std::vector<RegressedLayer> regressed = {};                // in the graph's order
  std::optional<WeightCount> weights_before, weights_after;  // where there are masks
  bool verified = false;
  std::optional<Proof> proof;  // of a cut; that masks hold is seen by looking
  // What else a report should say, by name.
  std::vector<std::pair<std::string, int64_t>> facts = {};
};

}  // namespace coppice
