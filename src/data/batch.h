// Samples of a data set into one model input: reading, decoding and preprocessing in parallel.
// Each image's place is fixed by its position in `indices`, so the result does not depend on the
// number of threads.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"
#include "data/dataset.h"
#include "data/images/preprocess.h"

namespace coppice {

// `images`: f32 [N, ...input], preallocated, N = indices.size(): [N, C, H, W] or [N, H, W, C] by
// the preprocessing's layout; of any other rank the values are laid out flat (channel planes in
// order). `labels`: N, or empty if they are not wanted. Throws what Dataset::read and preprocess
// throw, naming the sample.
void load_batch(const Dataset& dataset, const Preprocessing& preprocessing,
                std::span<const int64_t> indices, Tensor& images, std::span<int64_t> labels);

}  // namespace coppice
