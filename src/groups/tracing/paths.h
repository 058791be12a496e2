// Shortest paths over the nodes of a graph along which a label travels. Private to `groups`.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "groups/tracing/trace.h"

namespace coppice {

class Paths {
 public:
  // `tags` are those that will be asked for: where they are is found in one walk.
  Paths(const Graph& graph, Trace& trace, const std::set<Label>& tags);

  // From here on `to` answers for ways that begin at a reader of `value`, or at the node that gives
  // it, over values that carry `tag`.
  void start(ValueId value, Label tag);
  void start_at(int32_t node, Label tag);
  // Labels of the nodes up to `node`; empty where no way leads there.
  std::vector<std::string> to(int32_t node) const;
  // The same to the nearest reader of `value`.
  std::vector<std::string> to_reader(ValueId value) const;

  const std::vector<ValueId>& carriers(Label tag) const { return carriers_.at(tag); }

 private:
  static constexpr int32_t kUnmet = -2;

  void walk(const std::vector<int32_t>& starts, Label tag);

  const Graph& graph_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> readers_;
  std::map<Label, std::vector<ValueId>> carriers_;
  std::vector<int32_t> from_;      // by node: the one before it on the way; -1: a start; kUnmet
  std::vector<int32_t> distance_;  // by node that was met
  std::vector<int32_t> met_;       // nodes, by distance
};

}  // namespace coppice
