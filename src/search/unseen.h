// Widths that were not proposed before.
#pragma once

#include <functional>
#include <optional>
#include <set>

#include "search/space.h"

namespace coppice {

class Unseen {
 public:
  // What `draw` gives, the first time that it is new; nothing where it isn't within so many tries:
  // the space is used up.
  std::optional<Widths> from(const std::function<Widths()>& draw, int64_t tries = 200) {
    for (int64_t i = 0; i < tries; ++i) {
      Widths widths = draw();
      if (seen_.insert(widths).second) return widths;
    }
    return std::nullopt;
  }

 private:
  std::set<Widths> seen_;
};

}  // namespace coppice
