// How much of a model training reaches. Weights that aren't constants of their own are left out:
// codes behind a DequantizeLinear, halves behind a Cast, factors of a weight that the graph
// multiplies together. Nobody sees it from the loss, which falls by biases alone.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace coppice {

struct TrainedShare {
  int64_t trained = 0, all = 0;  // parameters: what is trained, and what layers read of constants
  // Of those the weights of convolutions, products and recurrent layers.
  int64_t trained_weights = 0, all_weights = 0;
  std::string first_untrained;  // layer, and why; empty where there is none
};
TrainedShare trained_share(const Graph& graph);

// Throws Error::input, naming the first layer, where fewer than half of the weights are trained.
void require_trained_weights(const TrainedShare& share);

}  // namespace coppice
