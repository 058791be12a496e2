// The model zoo: the networks that the pruning papers are measured on, built in C++ with fresh
// weights. What comes out is an ordinary graph as an exporter would write it: opset 13, input
// "input" and output "output" (logits) with an open batch "N", BatchNormalization kept, parameters
// named as in the usual PyTorch implementation, so that a state_dict and a graph can be matched.
//
// Weights are drawn as the network's own paper (or its authors' code) says; the same seed gives the
// same bytes everywhere. Before any training, running statistics are the identity's (0 and 1), so
// signals grow through a ResNet (logits near 1e4 in resnet56) and fade through mobilenetv2 (1e-8):
// compare outputs of fresh nets by relative error.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "graph/graph.h"

namespace coppice {

struct ZooModel {
  const char* name;   // as in "zoo:resnet20"
  const char* paper;  // where the network is from
  const char* about;  // one line: data set, size
  Graph (*build)(uint64_t seed);
};

std::span<const ZooModel> zoo_models();

// Throws Error::usage, listing the names, for a name that isn't in the zoo.
Graph build_zoo_model(const std::string& name, uint64_t seed);

}  // namespace coppice
