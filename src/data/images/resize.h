// Bilinear resizing of planar images, as PIL and torchvision (antialias=True) do it: pixel
// centres at halves; when shrinking, the triangle filter widens with the factor, so that every
// source pixel counts; when enlarging it is plain bilinear interpolation. Separable: columns first,
// then rows.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace coppice {

// `pixels`: [C, H, W], u8 (rounded to nearest at the end) or f32; returns [C, height, width].
// Requires: all sizes at least 1. Cost: O(C * (H * width + height * width)) times the filter width.
Tensor resize_bilinear(const Tensor& pixels, int64_t height, int64_t width);

}  // namespace coppice
