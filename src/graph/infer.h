// Shape inference with every dynamic size bound to a number.
//
// The result is kept apart from the graph: the same graph is inferred at several sizes (tracing
// wants distinct ones, the proof small ones, a budget the declared ones). Values whose shape can't
// be known have none; small integer values that can be computed are `known`, which is how shape
// arithmetic in the graph is followed.
//
// A size that depends on data (how many boxes are found) is assumed to be some number, as a batch
// is: what is behind it can be followed, and what changes with the number is marked. Where an
// operator can't tell what it gives, the file's value_info is believed, or else the layer that
// reads it: a Conv says how many axes and channels it reads.
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
  int64_t unknown = 64;                 // for a size that only running the graph tells
};

struct Inferred {
  std::vector<std::optional<TensorType>> types;  // by ValueId
  std::vector<std::optional<Tensor>> known;      // by ValueId; constants are not repeated here
  std::vector<char> assumed;   // by ValueId: 1 where the shape depends on an assumed size
  std::vector<char> reported;  // by ValueId: 1 where the shape isn't its operator's own word

  bool is_assumed(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < assumed.size() && assumed[id] != 0;
  }
  bool is_reported(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < reported.size() && reported[id] != 0;
  }
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
