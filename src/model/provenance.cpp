// See provenance.h.
#include "model/provenance.h"

#include <string>
#include <utility>

namespace coppice {

void say_how_pruned(Graph& graph, const Plan& plan) {
  const std::pair<const char*, const std::string&> entries[] = {
      {"coppice.method", plan.method},
      {"coppice.budget", plan.budget},
      {"coppice.version", plan.version},
      {"coppice.original_sha256", plan.model_sha256}};
  for (const auto& [key, text] : entries) {
    if (text.empty()) {
      std::erase_if(graph.metadata, [&](const auto& entry) { return entry.first == key; });
    } else {
      set_metadata(graph, key, text);
    }
  }
}

}  // namespace coppice
