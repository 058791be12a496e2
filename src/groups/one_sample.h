// The shapes of one sample of a graph whose groups are known.
#pragma once

#include <optional>

#include "groups/groups.h"

namespace coppice {

// Where the shapes that the groups were traced at tell them; otherwise they must be inferred.
std::optional<Inferred> one_sample_of(const Graph& graph, const Groups& groups);

}  // namespace coppice
