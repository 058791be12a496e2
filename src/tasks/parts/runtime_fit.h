// Whether a cut brings anything in the runtime that it is for, told without running it.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"
#include "methods/outcome.h"
#include "prune/runtimes/runtimes.h"
#include "report/json.h"

namespace coppice {

struct RuntimeFit {
  const Runtime* runtime = nullptr;
  double time_kept = 1;  // estimated, of the uncut model's
  // Convolutions whose widths the runtime has no fast kernels for, that had one before.
  int64_t slowed_layers = 0;
};

// Nothing where the shapes of a graph can't be inferred, or where it has no layer to speak of.
// `types`: of values of the two, as far as they are known; where one is missing, that graph's
// shapes are inferred.
std::optional<RuntimeFit> fit_of(const Graph& before, const Graph& after, const TracedTypes& types,
                                 const Runtime& runtime);

// A sentence that warns where the cut model is estimated to be slower than the uncut one, or where
// layers lost their fast kernels.
std::optional<std::string> why_slow(const RuntimeFit& fit);

// A sentence where times measured on this CPU aren't those of the one that the runtime's widths are
// for: it computes in other blocks.
std::optional<std::string> why_not_here(const Runtime& runtime);

// {"runtime", "estimated_time_kept", "slowed_layers"}
Json to_json(const RuntimeFit& fit);

}  // namespace coppice
