// Makes a model shorter without changing what it computes, at whatever sizes it is run: what is
// made of constants alone becomes one, what hands its input on unchanged goes, and so does what
// nobody reads. Shape arithmetic that depends on open sizes stays but for sizes of a Reshape
// (fold_shapes.h), and so do weights in a form that takes less space: quantised ones, halves, masks
// that are made when the model is loaded.
#pragma once

#include "graph/passes/fold_constants.h"

namespace coppice {

void simplify(Graph& graph, const EvaluateNode& evaluate = evaluate_operator);

}  // namespace coppice
