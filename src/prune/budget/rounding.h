// Widths that hardware likes: multiples of what a runtime computes together, in channels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "groups/groups.h"

namespace coppice {

struct Runtime;  // prune/runtimes/runtimes.h

// Of what is said as one number: not a multiple, but what the runtime's rule says.
inline constexpr int64_t kRoundAuto = 0;

class Rounding {
 public:
  // Every width becomes a multiple of so many channels; 1 doesn't round.
  explicit Rounding(int64_t multiple = 1) : multiple_(multiple) {}
  // As the runtime's block and lane have it: widths that convolutions read or give, and where those
  // have groups, the channels of each; two blocks from 16 blocks up. A group that has none but its
  // own width keeps it.
  Rounding(const Runtime& runtime, const Graph& graph, const Groups& groups);

  bool rounds() const { return multiple_ > 1; }
  // Equal for what rounds the groups of one net alike.
  std::string key() const;
  // The step in units at which a width of Groups::free[g] is a multiple.
  int64_t step(const Groups& groups, size_t g) const;
  // What to try where a budget can't be met so: first for groups that have no other width, then for
  // all; nothing where there is nothing finer, and for a multiple that somebody asked for.
  std::optional<Rounding> finer() const;

 private:
  int64_t multiple_ = 1;
  int64_t narrow_multiple_ = 0;  // of groups below two blocks; 0: the same
  int64_t block_ = 1;            // the runtime's
  int64_t lane_ = 0;             // no finer rounding than this but none at all; 0: none is tried
  std::vector<char> in_groups_;  // by group: its units are channels within a convolution's groups
};

}  // namespace coppice
