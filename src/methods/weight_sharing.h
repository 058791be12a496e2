// Weight sharing: every layer's weights take one of a few values, and those values are tuned.
//
// Source: Han, Mao, Dally, "Deep Compression: Compressing Deep Neural Networks with Pruning,
// Trained Quantization and Huffman Coding", ICLR 2016, arXiv:1510.00149, Sec. 3.
#pragma once

#include <set>
#include <string>

#include "codec/kmeans.h"
#include "methods/methods.h"

namespace coppice {

struct SharingOptions {
  // Bits of a code, 1 to 16. Of the 2^bits codes one is zero's, so a layer has up to 2^bits - 1
  // values. `conv`: weights of rank 3 and more; `fc`: matrices.
  int64_t conv_bits = 8, fc_bits = 5;
  KMeansOptions::Init init = KMeansOptions::Init::linear;
  uint64_t seed = 0;  // of Init::forgy
};

// Sets every nonzero weight of every maskable layer (prune/masks.h) to the nearest of its layer's
// centroids. Gives the names of the weights. Zeros stay zero.
std::set<std::string> share_weights(Graph& graph, const SharingOptions& options);

// `recipe` for tuning the values of `tied` weights: the sums of gradients differ between layers by
// the weights that share a value, from tens to ten thousands, so Adam scales the steps (Differs:
// the paper steps along the sums themselves, with a rate for each network).
Recipe tuning_recipe(Recipe recipe, std::set<std::string> tied);

// The session's stages: share, then tune as `recipe` says.
void share_and_tune(Session& session, const SharingOptions& options, const Recipe& recipe);

}  // namespace coppice
