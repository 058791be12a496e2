// A graph's shapes for one sample, from its shapes for several, without inferring once more.
//
// Nearly all graphs have their samples along the first axis of all that they compute. Where every
// operator is seen to keep them there, another batch changes the length of that axis and no more.
#pragma once

#include <optional>

#include "graph/infer.h"

namespace coppice {

// What infer(graph) gives, with batch 1 for `batch`; nothing where that can't be seen: an axis
// other than an input's first one is open, samples stand elsewhere, a shape was assumed or is the
// file's word. Integers that depend on the batch aren't known in it. Requires: `inferred` is of
// `graph` at batch `batch`, which is larger than 1.
std::optional<Inferred> shapes_of_one_sample(const Graph& graph, const Inferred& inferred,
                                             int64_t batch);

}  // namespace coppice
