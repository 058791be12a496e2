// The networks of the zoo, one short file each (the ResNets share theirs). A new one is a file, a
// line here and a line in zoo.cpp.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace coppice {

Graph lenet300_100(uint64_t seed);
Graph lenet5(uint64_t seed);
Graph resnet20(uint64_t seed);
Graph resnet56(uint64_t seed);
Graph vgg16_bn(uint64_t seed);
Graph mobilenetv2(uint64_t seed);

}  // namespace coppice
