// Do two graphs compute the same? Asked on random inputs, by our own runtime.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/infer.h"
#include "groups/groups.h"

namespace coppice {

// Terms are summed in another order once channels are gone: differences of some 1e-6 of the largest
// output are rounding; a wrong cut shows from 1e-3 up.
inline constexpr double kProofTolerance = 1e-4;

struct Comparison {
  double error = 0;  // largest difference of any output, relative to that output's largest value
  double reaction =
      0;             // the same between two different inputs to A: near 0, the comparison is blind
  InputSizes sizes;  // what was fed
  bool equal() const { return error <= kProofTolerance; }
};

// Runs A and B on the same random inputs. Throws Error::input where inputs or outputs differ in
// name or shape, or where an operator can't be run.
Comparison compare(const Graph& a, const Graph& b, const InputSizes& sizes, uint64_t seed);

struct Proof {
  Comparison comparison;
  bool randomised_weights = false;  // the real ones hardly reacted to their input
};

// Proves a cut: `original` with the units masked against `cut`, at the smallest sizes the graph
// allows.
Proof prove_removal(const Graph& original, const Groups& groups, const Removal& removal,
                    const Graph& cut, uint64_t seed);

}  // namespace coppice
