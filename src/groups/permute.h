// Channels in another order: all slices of a group's units move alike, so that whoever reads a
// channel finds it where it went, and the function stays what it was but for the order of sums.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "groups/groups.h"

namespace coppice {

// Index i of the axis gets what lay at order[i].
struct ChannelOrder {
  std::string tensor;
  int64_t axis = 0;
  std::vector<int64_t> order;
  friend bool operator==(const ChannelOrder&, const ChannelOrder&) = default;
};

// By free group, whether its units may take each other's places. They may where every value that
// carries one carries all, so that nothing is done to some alone, and where the indices of each lie
// one stride further than those of the unit before, so that the first of one goes where the first
// of another was, and so on. What a node does to one channel and not to another, beyond that, no
// label says: who moves channels compares what is computed.
std::vector<char> permutable(const Groups& groups);

// What brings unit units[p] to the place of unit p, for each slice. `units`: a permutation.
// Requires: the group is permutable.
std::vector<ChannelOrder> orders_of(const Graph& graph, const Group& group,
                                    std::span<const int64_t> units);

// The orders one after the other, as one for each tensor and axis.
std::vector<ChannelOrder> composed(std::span<const ChannelOrder> orders);

// Throws Error::input naming the tensor where graph and orders don't fit.
void reorder_channels(Graph& graph, std::span<const ChannelOrder> orders);

}  // namespace coppice
