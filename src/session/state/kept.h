// What training keeps of a model that comes sparse, or with weights that share values: zeros stay
// zero, and what shares a value goes on sharing one. Lost silently they can't be had back, and a
// sparse net that became dense looks like a success.
//
// Zeros are kept where more than a tenth of all maskable weights (prune/masks/masks.h) is zero,
// where more than a tenth of a layer of 256 weights or more is, and in layers that share values:
// training alone doesn't leave so many. A layer shares values where its nonzero weights, 16 or
// more, have at most 256 different ones (what 8 bits tell apart) and at most two thirds as many as
// there are weights: those of trained nets are nearly all different, also where they were rounded
// to 16 bits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "prune/masks/masks.h"
#include "prune/plan/plan.h"

namespace coppice {

struct Kept {
  Masks zeros;                            // of the weights that have some: 0 where they stay zero
  std::map<std::string, int64_t> values;  // of the weights that share some: how many
  bool empty() const { return zeros.empty() && values.empty(); }
};

Kept kept_of(const Graph& graph);
// How many nonzero values a weight shares, if it does.
std::optional<int64_t> shared_values(const Tensor& weight);
// Different nonzero values; more than `most` are counted as most + 1.
int64_t count_values(const Tensor& weight, int64_t most);

// The zeros beside the model that `plan` made of the one they are of.
Masks zeros_after(const Kept& kept, const Plan& plan);
// The weights of `graph`, which `plan` made of the one `kept` is of, that go on sharing values.
std::set<std::string> sharing_after(const Kept& kept, const Graph& graph);

// Makes `graph` keep what it has to, whatever was done to it: zeros become zero again, and layers
// with more values than they had share so many again, found by k-means. Returns whether any had.
bool restore(Graph& graph, const Kept& kept, const Plan& plan);

}  // namespace coppice
