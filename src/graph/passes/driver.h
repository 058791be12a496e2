// How passes are run: each by its name, so that it can be timed, left out where a fault is looked
// for, and looked at: where it is asked for, the graph is verified after every pass, and a pass
// that broke it is named. Debug builds ask for it, and so do all tests (COPPICE_VERIFY_PASSES=1).
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice {

struct Pass {
  enum class Needed { yes, no };  // whether results are wrong, or no files, without it

  const char* name;
  const char* about;
  Needed needed = Needed::no;
};

// All of them, in the order in which a graph meets them.
std::span<const Pass* const> passes();

// Runs `body`, which is what the pass does to the graph. Throws Error::internal naming the pass
// where the graph is verified afterwards and an invariant doesn't hold.
void run_pass(const Pass& pass, Graph& graph, const std::function<void()>& body);

// From here on these aren't run, in this process. Throws Error::usage for no name of a pass, and
// for one that is needed.
void skip_passes(const std::set<std::string>& names);

struct PassTiming {
  std::string name;
  int64_t runs = 0;
  double seconds = 0;
};
// Of this process so far, by the order above; those that were never run aren't listed.
std::vector<PassTiming> pass_timings();

}  // namespace coppice
