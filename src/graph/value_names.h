// The names of a graph's values, for who looks up or makes many: find_value and unused_name
// (graph/graph.h) go through all values each time.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "graph/graph.h"

namespace coppice {

class ValueNames {
 public:
  // As the graph is now; what is added to it later is said by `set` or named by `unused`.
  explicit ValueNames(const Graph& graph);

  // As find_value: the first value of that name.
  std::optional<ValueId> find(const std::string& name) const;
  // As unused_name: `stem`, or `stem_1`, `stem_2`, ...; nobody else gets it from now on.
  std::string unused(const std::string& stem);
  void set(const std::string& name, ValueId id) { ids_[name] = id; }

 private:
  std::unordered_map<std::string, ValueId> ids_;   // kNoValue: given by `unused`
  std::unordered_map<std::string, int64_t> last_;  // by stem: the last number tried
};

}  // namespace coppice
