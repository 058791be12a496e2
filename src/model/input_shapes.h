// Shapes of inputs whose height and width, say, a file leaves open: given for a run, or assumed.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "graph/graph.h"

namespace coppice {

using InputShapes = std::map<std::string, Shape>;  // by input name

// Reads "NAME=1x3x32x32"; names may hold '='. Throws Error::usage.
std::pair<std::string, Shape> parse_input_shape(const std::string& text);

// Sizes that the file leaves open become these, but for the first, the batch. Written files leave
// them open again. Throws Error::usage where there is no such input, or it has another shape.
void set_open_sizes(Graph& graph, const InputShapes& shapes);

// "input 'x' is Nx3xHxW, taken as 1x3x224x224", for the first that leaves more than a batch open;
// empty where none does.
std::string assumed_sizes(const Graph& graph);

}  // namespace coppice
