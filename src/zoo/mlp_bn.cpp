// The fully connected network on which Network Slimming is compared with structured sparsity
// learning: 784-500-300-10 with BatchNormalization behind both hidden layers.
//
// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, Table 2 and Section 4.2: He's initialisation,
// scales of BatchNormalization start at 0.5.
// Differs: none known; names and the order linear, BatchNormalization, ReLU are ours, since the
// authors didn't publish this network.

#include "zoo/builder.h"
#include "zoo/nets.h"

namespace coppice {

Graph mlp500_300_bn(uint64_t seed) {
  Builder net("mlp500-300-bn", seed, {.conv = he_fan_in, .linear = he_fan_in, .norm_scale = 0.5f});
  ValueId x = net.flatten("flatten", net.input({1, 28, 28}));
  x = net.relu("relu1", net.batch_norm("bn1", net.linear("fc1", x, 500)));
  x = net.relu("relu2", net.batch_norm("bn2", net.linear("fc2", x, 300)));
  return net.finish(net.linear("fc3", x, 10));
}

}  // namespace coppice
