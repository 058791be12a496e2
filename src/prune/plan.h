// A plan: what was cut, in the original model's names, so that it can be replayed, reviewed,
// compared, and carried back to the framework the model came from. Written as JSON:
//
//   {"model": {"file", "sha256"}, "method": "...",
//    "slices": [{"tensor", "axis", "size", "keep": [...], "fill"?: 1}]}
//
// Setting every index that is not in `keep` to 0 (to `fill` where given) in the original model
// gives the cut model's outputs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "groups/groups.h"

namespace coppice {

struct PlanSlice {
  std::string tensor;
  int64_t axis = 0, size = 0;
  std::vector<int64_t> keep;  // ascending
  float fill = 0;             // the neutral value of what is masked
  friend bool operator==(const PlanSlice&, const PlanSlice&) = default;
};

struct Plan {
  std::string model_file, model_sha256, method;
  std::vector<PlanSlice> slices;  // tensors in the model's order, then axes
  friend bool operator==(const Plan&, const Plan&) = default;
};

Plan plan_of(const Graph& graph, const Groups& groups, const Removal& removal);

// The units that a plan removes from the graph it was made for. Throws Error::input, naming the
// tensor, where the plan and the graph don't fit, or where an index leaves that the graph's ties
// keep.
Removal removal_of(const Graph& graph, const Groups& groups, const Plan& plan);

std::string to_json(const Plan& plan);
// Throws Error::input naming the field that is missing or of the wrong kind.
Plan plan_from_json(const std::string& text);

}  // namespace coppice
