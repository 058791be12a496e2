// A teacher that isn't the original: another net that a training follows.
#pragma once

#include <string>

#include "graph/graph.h"

namespace coppice {

// Throws Error::input where it doesn't take the original's images, or doesn't give as many outputs
// of the same types and shapes: then none of its numbers says what the original's should be.
// `what`: it is to be, for messages.
void require_teaches(const Graph& teacher, const Graph& original,
                     const std::string& what = "teacher");

}  // namespace coppice
