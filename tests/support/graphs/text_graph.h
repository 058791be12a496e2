// Graphs as text, for tests: what a test is about stands in the test.
//
//   opset 13                                   # 13 where it isn't said
//   input x float32 [N, 3, 8, 8]               # a number, a symbol, or '?'; no [..]: no shape
//   const w float32 [4, 3, 3, 3] random        # in [-1, 1), seeded by the name
//   const v float32 [4] positive               # in [0.5, 1.5), for a variance or a divisor
//   const shape int64 [4] = 0 2 -1 8           # also zeros, ones; '=' may be left out
//   c1 = Conv(x, w) {pads=[1, 1, 1, 1], group=1}
//   a, b = Split(c1) {axis=1}
//   y = Clip(a, -, six) {note="what", scale=0.5}  # '-' or nothing: an input that is left out
//   output y b                                 # float32 unless said: output n int64 [2] y
//
// One statement a line; '#' begins a comment. A name is defined before it is used. An attribute is
// an int, a float (it has a point or an exponent), a string, or a list (of floats if one is). Nodes
// have no names, so messages call them by their first output. Operators that Coppice doesn't know
// pass, and nothing is inferred or verified.
#pragma once

#include <string>

#include "graph/graph.h"

namespace coppice {

// Throws std::runtime_error: "text graph, line 3: 'y' is not defined".
Graph parse_text_graph(const std::string& text);

}  // namespace coppice
