// Models in half precision (float16, bfloat16), as the type of everything or of what is stored:
// Coppice computes them in float32, and writes them back in the type they came in.
//
// `widen_halves` makes a graph one of float32 and notes at each value what it is in the file
// (Value::stored); `narrow_halves` goes back. Whatever was not changed between comes back bit by
// bit; constants that were made between take the type of what reads them.
#pragma once

#include <string>

#include "graph/graph.h"

namespace coppice {

// Does nothing where no value is of half precision.
void widen_halves(Graph& graph);
bool holds_halves(const Graph& graph);  // that were widened
void narrow_halves(Graph& graph);

// The notes of `original` at the values of the same names: of a graph that was kept in float32.
void note_halves(Graph& graph, const Graph& original);

// What the file holds the graph's halves as; undefined where it has none.
DType half_type(const Graph& graph);

// "float16"; empty where it has none.
std::string name_of_halves(const Graph& graph);

// What the file holds the value as.
DType stored_type(const Value& value);

}  // namespace coppice
