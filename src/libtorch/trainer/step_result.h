// What a step tells of its batch.
#pragma once

#include <ATen/ATen.h>

#include "training/trainer.h"

namespace coppice::train {

// The loss and how many images have their label's score as the largest, the first of equal ones
// counting. `scores`: [images x classes] in any shape; `labels`: undefined where there are none.
// Waits for CUDA once. With a loss that isn't finite no guess counts.
StepResult read_result(const at::Tensor& loss, const at::Tensor& scores, const at::Tensor& labels,
                       int64_t classes);

}  // namespace coppice::train
