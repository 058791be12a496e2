// Writing a network of the zoo, untrained.
#pragma once

#include <cstdint>
#include <string>

#include "tasks/parts/common.h"

namespace coppice {

struct ZooRequest {
  std::string name, output;
  CommonRequest common = {};
};

// The file's bytes. Throws Error::usage where the zoo has no such name.
int64_t write_zoo(const ZooRequest& request);

}  // namespace coppice
