#include "graph/passes/loosen.h"

#include "graph/passes/fold_weights.h"
#include "graph/passes/separate_vectors.h"
#include "graph/passes/shuffles_to_gathers.h"

namespace coppice {

void loosen(Graph& graph) {
  remove_dead(graph);
  fold_weights(graph);
  shuffles_to_gathers(graph);
  separate_vectors(graph);
}

}  // namespace coppice
