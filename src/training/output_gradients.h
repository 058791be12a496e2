// Which outputs of a model training can follow: those from which a gradient comes to a weight.
//
// It doesn't come through what compares and counts (ArgMax, TopK's places, a Cast to integers).
// Behind what chooses rows by the numbers in them (NonMaxSuppression, NonZero) there may be a path,
// but how many rows there are is known only at run time, and the original's aren't the same ones.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice {

struct NotFollowed {
  enum class Values { computed, unknown_size } values = Values::computed;
  // "output 'boxes' is behind node 'nms' (NonMaxSuppression), ..."
  std::string reason = {};
  std::string stop = {};  // the operator that it is behind; empty: no weight goes into the output
};
// By output; nothing where it can be followed.
std::vector<std::optional<NotFollowed>> outputs_not_followed(const Graph& graph);

// Throws Error::input, naming the operator to export the model without, where none can.
void require_gradients(const Graph& graph);
// The same for what is known of the outputs already, of which those that matter can't be followed.
[[noreturn]] void fail_without_gradients(const std::vector<std::optional<NotFollowed>>& outputs);

}  // namespace coppice
