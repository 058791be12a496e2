// The update of a parameter on the CPU in one pass over its numbers, which come and go once, where
// LibTorch's functions, one after the other, take five passes and more.
#pragma once

#include <ATen/ATen.h>

#include "libtorch/optimizer/optimizer.h"

namespace coppice::train {

// Whether the update of this parameter can be made so: float32 on the CPU.
bool fits_one_pass(const Trained& parameter, const at::Tensor& gradient);

// The gradient with zeros where `pruned` says so; apart from it, which others may read.
at::Tensor kept_of(const at::Tensor& gradient, const at::Tensor& pruned);

// What `update` does for a parameter, decay, penalty and mask included; equal to within rounding.
// `gradient` stays as it is. Requires: fits_one_pass.
void update_in_one_pass(Trained& parameter, const at::Tensor& gradient,
                        const OptimizerOptions& options, const Update& update);

}  // namespace coppice::train
