// See value_names.h. No name is ever given back, so the numbers behind a stem only grow.
#include "graph/value_names.h"

namespace coppice {

ValueNames::ValueNames(const Graph& graph) {
  ids_.reserve(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    ids_.emplace(graph.values[i].name, static_cast<ValueId>(i));
  }
}

std::optional<ValueId> ValueNames::find(const std::string& name) const {
  const auto found = ids_.find(name);
  if (found == ids_.end() || found->second == kNoValue) return std::nullopt;
  return found->second;
}

std::string ValueNames::unused(const std::string& stem) {
  std::string name = stem;
  for (int64_t& last = last_[stem]; !ids_.emplace(name, kNoValue).second;) {
    name = stem + "_" + std::to_string(++last);
  }
  return name;
}

}  // namespace coppice
