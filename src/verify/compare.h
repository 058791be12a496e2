// Do two graphs compute the same? Asked on random inputs, by our own runtime.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/infer.h"
#include "groups/groups.h"

namespace coppice {

// Terms are summed in another order once channels are gone: differences of some 1e-6 of the largest
// output are rounding; a wrong cut shows from 1e-3 up.
inline constexpr double kProofTolerance = 1e-4;
// Deep nets may magnify rounding beyond that. What a change of the input by a millionth does to the
// outputs is noise, too, if it stays below the smallest difference that a wrong cut makes.
inline constexpr double kMostNoise = 1e-3;

struct Comparison {
  double error = 0;  // largest difference of any output, relative to that output's largest value
  double difference = 0;  // the same in the output's own unit
  double reaction =
      0;             // the same between two different inputs to A: near 0, the comparison is blind
  double noise = 0;  // what rounding may do to the outputs; measured only where the error is large
  InputSizes sizes;  // what was fed
  double allowed() const { return std::clamp(noise, kProofTolerance, kMostNoise); }
  bool equal() const { return error <= allowed(); }
  // The outputs move too little to say anything about the layers behind them.
  bool blind() const { return reaction < 1e-3; }
};

// Runs A and B on the same random inputs. Throws Error::input where inputs or outputs differ in
// name or shape, or where an operator can't be run.
Comparison compare(const Graph& a, const Graph& b, const InputSizes& sizes, uint64_t seed);

struct Proof {
  Comparison comparison;
  bool randomised_weights = false;   // the real ones hardly reacted to their input
  std::optional<Comparison> zeroed;  // against the cut, where it was given
  // Nodes that can't be run: what they read was compared, and what they give taken as given. As
  // "'nms' (NonMaxSuppression)".
  std::vector<std::string> around;
};

// Proves a cut: `original` with the units masked against `cut`, at the smallest sizes the graph
// allows. `zeroed`: another way to be without the units, of the same graph, to be told how far it
// is from the cut.
Proof prove_removal(const Graph& original, const Groups& groups, const Removal& removal,
                    const Graph& cut, uint64_t seed, const Graph* zeroed = nullptr);
// The same. Throws Error::internal where the cut isn't the masked original.
Proof require_cut(const Graph& original, const Groups& groups, const Removal& removal,
                  const Graph& cut, uint64_t seed, const Graph* zeroed = nullptr);

// Proves that passes changed how a graph is written, and not what it computes, at these sizes.
// `rewritten` has the original's values, and maybe more. Throws Error::internal, with `what` was
// done, where the outputs changed.
Proof require_same(const Graph& original, const Graph& rewritten, const InputSizes& sizes,
                   const std::string& what, uint64_t seed);

}  // namespace coppice
