// Shape inference with every dynamic size bound to a number.
//
// The result is kept apart from the graph: the same graph is inferred at several sizes (tracing
// wants distinct ones, the proof small ones, a budget the declared ones). Values whose shape can't
// be known have none; small integer values that can be computed are `known`, which is how shape
// arithmetic in the graph is followed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/op.h"

namespace coppice {

// How the sizes that a graph leaves open are chosen.
struct InputSizes {
  std::map<std::string, Shape> inputs;  // whole shapes, by input name
  int64_t batch = 1;                    // for an open first axis
  int64_t other = 0;                    // for any other open axis; 0: by channels-and-images habit
};

struct Inferred {
  std::vector<std::optional<TensorType>> types;  // by ValueId
  std::vector<std::optional<Tensor>> known;      // by ValueId; constants are not repeated here

  bool has(ValueId id) const { return id >= 0 && types[static_cast<size_t>(id)].has_value(); }
  const Shape& shape(ValueId id) const { return types[static_cast<size_t>(id)]->shape; }
};

// Throws Error::input ("node 'x' (Conv): weight expects 64 input channels, ...") when shapes don't
// fit.
Inferred infer(const Graph& graph, const InputSizes& sizes = {});

// `sizes`, or with larger open axes if the graph can't be inferred at them: a model may need more
// than a few samples, or a multiple of its window. Gives `sizes` back where nothing helps.
InputSizes fitting_sizes(const Graph& graph, InputSizes sizes);

// The value of `id` where it is constant or was folded; null otherwise.
const Tensor* known_value(const Graph& graph, const Inferred& inferred, ValueId id);

// The shape that input `id` gets under `sizes`.
Shape input_shape(const Graph& graph, ValueId id, const InputSizes& sizes);

}  // namespace coppice
