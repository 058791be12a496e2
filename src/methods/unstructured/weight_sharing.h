// Weight sharing: every layer's weights take one of a few values, and those values are tuned.
//
// Source: Han, Mao, Dally, "Deep Compression: Compressing Deep Neural Networks with Pruning,
// Trained Quantization and Huffman Coding", ICLR 2016, arXiv:1510.00149, Sec. 3.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "options/settings.h"
#include "session/session.h"
#include "sharing/kmeans.h"

namespace coppice {

// How the shared values are tuned. The sums of gradients differ between layers by the weights that
// share a value, from tens to ten thousands, so Adam scales the steps. Differs: the paper steps
// along the sums themselves, c_k -= eta sum g, with a rate for each network; `sgd`, which has
// neither momentum nor decay here, does so.
struct CentroidSteps {
  OptimizerOptions::Kind optimizer = OptimizerOptions::Kind::adam;
  double learning_rate = 3e-4;
};

// Bits of a code, 1 to 16. Of the 2^bits codes one is zero's, so a layer has up to 2^bits - 1
// values.
struct LayerBits {
  int64_t conv = 8, fc = 5;  // weights of rank 3 and more; matrices
  // By regular expressions for layers, in place of them; the last that matches counts.
  std::vector<std::pair<std::string, int64_t>> layers = {};
  bool none = false;  // nothing is shared
};

struct SharingOptions {
  LayerBits bits = {};
  std::vector<std::string> keep = {};  // regular expressions: layers whose values aren't shared
  KMeansOptions::Init init = KMeansOptions::Init::linear;
  uint64_t seed = 0;  // of Init::forgy
  CentroidSteps steps = {};
};

// The bits of every maskable weight (prune/masks/masks.h) that is to share values, by name. Throws
// Error::usage for a pattern that matches no layer, Error::target where nothing is left to share.
std::map<std::string, int64_t> bits_of_layers(const Graph& graph, const SharingOptions& options);

// Sets every nonzero weight of those layers to the nearest of its layer's centroids. Zeros stay
// zero. Throws as bits_of_layers does.
void share_weights(Graph& graph, const SharingOptions& options);

// The session's stages: share, then tune the values. All of `recipe` holds but the optimizer, its
// rate, momentum and decay, in place of which `options.steps` says how. All zeros stay zero.
void share_and_tune(Session& session, const SharingOptions& options, const Recipe& recipe);

// --bits, --init, --share-lr, --share-optimizer
extern const TextOption<LayerBits> kBits;
extern const NumberOption kShareLr;
OptionList sharing_options();
OptionList centroid_options();  // those of them that are for tuning
// `keep` as in SharingOptions. Throws Error::usage for sgd without a learning rate.
SharingOptions sharing_of(const Settings& settings, std::vector<std::string> keep, uint64_t seed);

}  // namespace coppice
