// Which channels must go together.
//
// A *unit* is the smallest thing that can be removed: one class of tied indices. Its *slices* are
// all (tensor, axis, indices) that leave with it. A *group* is the units of one family that touch
// the same slices in the same way, so they compete with each other. Units of different kinds may
// overlap on an index (a head and a position both own (h, d)); an index leaves when any of its
// units does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/infer.h"
#include "groups/tracing/trace.h"

namespace coppice {

struct Slice {
  ValueId tensor = kNoValue;  // a constant
  int64_t axis = 0;
  Role role = Role::other;
  std::vector<std::vector<int64_t>> indices;  // indices[u] leave with unit u, ascending
};

struct Group {
  std::string name;           // the tensor whose filters the units are
  int32_t first_unit = 0;     // units are numbered through over all groups
  std::vector<Slice> slices;  // filter slices first
  int64_t units() const { return static_cast<int64_t>(slices.front().indices.size()); }
};

struct Pinned {
  ValueId tensor = kNoValue;
  int64_t axis = 0;
  int64_t indices = 0;  // how many of the axis
  PinKind kind = PinKind::meaning;
  std::string reason;             // what forbids it, and which node says so
  std::vector<std::string> path;  // labels of the nodes from the tensor to that node
};

// For each index of an axis the units it belongs to (compressed rows). Index i holds
// units[offsets[i]] .. units[offsets[i + 1] - 1]; an index without units always stays.
struct AxisUnits {
  std::vector<int32_t> offsets, units;
};

struct Groups {
  std::vector<Group> free;
  std::vector<Pinned> pinned;
  int32_t unit_count = 0;
  Inferred inferred;  // the shapes that the graph was traced at
  // Axes with units, shared between the many values that carry the same; -1: nothing can go.
  std::vector<AxisUnits> axis_pool;
  std::vector<std::vector<int32_t>> axes;  // [ValueId][axis] -> axis_pool
};

// Which units leave; indexed by unit number.
using Removal = std::vector<char>;

enum class Explain { none, pins };  // whether `pinned` is filled (only inspect needs it)

struct GroupOptions {
  TraceOptions trace;
  InputSizes sizes{.inputs = {}, .batch = 2};
  Explain explain = Explain::none;
};

Groups find_groups(const Graph& graph, const GroupOptions& options = {});

// For each old index of the axis whether it stays; empty where nothing on it can go.
std::vector<char> alive(const Groups& groups, ValueId value, int64_t axis, const Removal& removal);
// How many indices of each axis in the pool stay.
std::vector<int64_t> alive_counts(const Groups& groups, const Removal& removal);
// `shape`, which the value has now at whatever batch, once the units have left (`counts` of them).
Shape shape_after(const Groups& groups, ValueId value, Shape shape,
                  const std::vector<int64_t>& counts);
// The group that a unit belongs to, as an index into `free`.
size_t group_of(const Groups& groups, int32_t unit);

}  // namespace coppice
