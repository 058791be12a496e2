// MetaPruning: a net that generates nets is trained on widths drawn anew at every step; then the
// widths are searched whose generated net is best.
//
// Source: Liu, Mu, Zhang, Guo, Yang, Cheng, Sun, "MetaPruning: Meta Learning for Automatic Neural
// Network Channel Pruning", ICCV 2019, arXiv:1903.10258; numbers from the authors' code.
// Differs: see pruning_net.h, search/evolution.h; the result keeps its generated weights, of which
// the authors train the structure from scratch (Start::redrawn).
#pragma once

#include "methods/search/pruning_net.h"
#include "methods/search/search.h"

namespace coppice {

struct MetaPruningOptions {
  // What the net that was found goes on with: the weights that were generated, those of the
  // original's channels that a criterion ranks first, or weights drawn anew.
  enum class Start { generated, inherited, redrawn } start = Start::generated;
  PruningNetOptions net = {};
  Recipe training = {};  // of the PruningNet
};

// `recipe`: of what comes after the search; no epochs leave it at its first weights.
Outcome metapruning(Session& session, const MetaPruningOptions& options, const Recipe& recipe,
                    const MethodInput& input);

}  // namespace coppice
