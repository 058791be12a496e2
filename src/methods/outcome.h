// What a method comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "graph/cost.h"
#include "graph/graph.h"
#include "prune/compensate/recover.h"
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

// How far the outputs of the model with its filters zeroed, and nothing else, are from those of the
// cut one, on random inputs: what BatchNormalization makes of a zeroed filter is a constant, which
// the proof of a cut, as it masks shifts with filters, doesn't see.
struct ZeroedFilters {
  double difference = 0;  // the largest of any output
  double share = 0;       // of that output's largest value
};

// A table for a report: of rounds, say.
struct ResultTable {
  enum class As { text, count, share, number };
  struct Column {
    std::string key, title;  // in JSON, and printed
    As as = As::number;
  };
  using Cell = std::variant<std::monostate, std::string, double>;  // nothing: it isn't known

  std::string key;  // in JSON, which has an object for each row
  // in_file: of many rows, in a file of its own beside the result.
  enum class Shown { printed, in_json, in_file } shown = Shown::printed;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows = {};
  std::vector<std::pair<std::string, std::string>> about = {};  // what all rows have in common
};

// Types of one sample by name: of the graph before the cut, and after it.
struct TracedTypes {
  using ByName = std::unordered_map<std::string, TensorType>;
  ByName before, after;
};

struct Outcome {
  Graph graph;  // cut, or with weights zeroed
  Plan plan;    // model_file, model_sha256 and mask_files are left to the caller
  Costs before, after;
  std::vector<GroupCut> groups;
  int64_t rounding_moved = 0;
  std::optional<Recovered> recovered;                        // where it was asked for
  std::vector<RegressedLayer> regressed = {};                // in the graph's order
  std::optional<WeightCount> weights_before, weights_after;  // where there are masks
  bool verified = false;
  std::string unproved = {};   // why nothing is, where nobody asked for that
  std::optional<Proof> proof;  // of a cut; that masks hold is seen by looking
  std::optional<ZeroedFilters> zeroed_filters;
  TracedTypes types = {};  // empty where tracing doesn't tell them
  // What else a report should say, by name.
  std::vector<std::pair<std::string, int64_t>> facts = {};
  std::vector<ResultTable> tables = {};
};

}  // namespace coppice
