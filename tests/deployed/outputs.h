// Outputs of runtimes beside ours.
#pragma once

#include <vector>

#include "support/onnxruntime.h"

namespace coppice {

// Winograd's 3x3 convolutions differ by 1e-5.
inline constexpr double kAcrossRuntimes = 1e-4;

// The largest difference of any output, relative to the largest number in it, or to `floor` if that
// is more; infinite where one is missing. Runtimes may give them in another order, and rename them:
// each is compared with the nearest of its shape. Other than floats must be equal.
double difference(const std::vector<NamedTensor>& ours, const std::vector<NamedTensor>& theirs,
                  double floor = 0);

}  // namespace coppice
