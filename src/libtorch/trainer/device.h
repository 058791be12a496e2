// Where a net is trained.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace coppice::train {

// "cpu" or "cuda", from here on with the same bits in every run. Throws Error::usage where there is
// no such device.
at::Device open_device(const std::string& name);

}  // namespace coppice::train
