// float16 (IEEE 754 binary16) and bfloat16 as float32 and back. Every half is a float exactly, NaNs
// with their payload; a float becomes the nearest half (ties to even), the largest where it is
// finite and larger than all of them.
#pragma once

#include "core/tensor.h"

namespace coppice {

inline bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

float float_of(uint16_t half, DType type);
uint16_t half_of(float number, DType type);

// Requires: the tensor is of halves.
Tensor widened(const Tensor& halves);
// Requires: the tensor is of float32, `type` a half.
Tensor narrowed(const Tensor& floats, DType type);

}  // namespace coppice
