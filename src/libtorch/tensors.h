// Between our tensors and LibTorch's.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "core/tensor.h"

namespace coppice::train {

// Empty for an element type that LibTorch lacks.
std::optional<at::ScalarType> torch_type_of(DType dtype);
// A copy on the device, in LibTorch's own memory. Throws Error::input for an element type that
// LibTorch lacks.
at::Tensor to_torch(const Tensor& tensor, at::Device device = at::kCPU);
// float32 becomes double, all else stays.
at::Tensor in_double(const at::Tensor& tensor);
// A copy, row-major.
Tensor from_torch(const at::Tensor& tensor);

}  // namespace coppice::train
