// How a result is written: passes that change that, and not what it computes.
#pragma once

#include <cstdint>
#include <optional>

#include "methods/outcome.h"
#include "options/settings.h"

namespace coppice {

inline constexpr int64_t kLowestOpset = 0;

// What is asked for, or what the runtime wants where nothing is said.
struct Form {
  bool simplifies = false, folds = false, convolves = false;
  bool for_old_importer = false;  // that takes fewer forms (prune/runtimes/runtimes.h)
  std::optional<int64_t> opset;   // kLowestOpset: that which the operators need

  explicit Form(const Settings& settings);
  bool as_it_came() const { return !simplifies && !folds && !convolves && !opset; }
};

// --fold-bn, --opset, --selections
OptionList form_options();
// With --simplify.
OptionList rewriting_options();

// Runs the passes that are asked for. The number of calls of the file's own functions that were
// replaced by their nodes.
int64_t rewrite(Graph& graph, const Form& form);
// Brings channels into the order that the plan says, does the same, counts costs anew, and compares
// once more where the cut was proved. Throws Error::internal where the outputs changed.
void rewrite(Outcome& outcome, const Settings& settings, uint64_t seed);

}  // namespace coppice
