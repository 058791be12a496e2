// A PruningNet: the original with weights that two small layers compute from the widths that a cut
// is to have, for all cuts at once.
//
//   e -> Gemm [H] -> Relu -> Gemm [all elements of the weight] -> Reshape -> times masks -> layer
//
// e holds, for the layer's groups, the share of their units that stays. Masks zero the units behind
// the first ones that stay, which gives what cropping gives: BatchNormalization has no scale and no
// shift of its own here, so that a channel of zeros stays one.
//
// Source: Liu, Mu, Zhang, Guo, Yang, Cheng, Sun, "MetaPruning: Meta Learning for Automatic Neural
// Network Channel Pruning", ICCV 2019, arXiv:1903.10258, Sec. 3.1, Fig. 3.
// Differs: one BatchNormalization a layer, where the authors' code has one for every width: in
// training the batch's statistics count, and for judging they are found anew in any case; layers
// whose outputs are nobody's to cut, such as the classifier, keep weights of their own, cropped
// where they read what is cut.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "groups/traced.h"
#include "prune/budget/widths.h"
#include "training/trainer.h"

namespace coppice {

struct PruningNetOptions {
  int64_t hidden = 32;  // H
  uint64_t seed = 0;    // of the first weights
};

struct PruningNet {
  Graph graph;                   // the original's inputs, then those of `feeds_for`
  std::set<std::string> frozen;  // weights that don't train: those of BatchNormalization
};

// Throws Error::target where no layer's weights can be generated.
PruningNet pruning_net_of(const Traced& traced, const PruningNetOptions& options);

// What the net's inputs beside the image are given for these widths.
NamedTensors feeds_for(const Groups& groups, const Widths& widths);

// `traced`'s graph with the weights that the trained net gives for the widths, not cropped; all
// else that was trained is the net's. Requires: `net` was made of `traced`, and trained.
Traced generated(const Traced& traced, const Graph& net, const Widths& widths);

// Scores by which the first units of every group stay, as the net learnt them.
Scores in_order(const Groups& groups);

}  // namespace coppice
