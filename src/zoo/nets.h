// The networks of the zoo, one short file each (kin share theirs). A new one is a file, a line here
// and a line in zoo.cpp.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace coppice {

Graph lenet300_100(uint64_t seed);
Graph lenet5(uint64_t seed);
Graph mlp500_300_bn(uint64_t seed);
Graph vgg11_bn_half(uint64_t seed);
Graph conv2(uint64_t seed);
Graph conv4(uint64_t seed);
Graph conv6(uint64_t seed);
Graph plain20(uint64_t seed);
Graph resnet20(uint64_t seed);
Graph resnet56(uint64_t seed);
Graph resnet110(uint64_t seed);
Graph preresnet20(uint64_t seed);
Graph densenet40(uint64_t seed);
Graph vgg16_bn(uint64_t seed);
Graph vgg19_bn(uint64_t seed);
Graph mobilenetv2(uint64_t seed);

}  // namespace coppice
