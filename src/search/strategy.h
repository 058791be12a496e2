// A way to search: says what to judge next, and is told what came of it. To add one, derive from
// Strategy in a file of its own here, and give it a method (methods/search).
//
// A strategy is a function of its options and of what it was told, so nothing of it is saved: a run
// that goes on asks again, and is answered from what was judged before (methods/search/trials.h).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "search/space.h"

namespace coppice {

class Strategy {
 public:
  virtual ~Strategy() = default;
  // Widths to judge next, all within the space's budget and none that was asked before unless the
  // strategy says so; empty: the search is over.
  virtual std::vector<Widths> ask() = 0;
  // What the last `ask` came to, in its order: larger is better; nothing for widths that can't be
  // cut to.
  virtual void tell(std::span<const std::optional<double>> scores) = 0;
  // How many will have been asked for at the end, at most.
  virtual int64_t trials() const = 0;
};

}  // namespace coppice
