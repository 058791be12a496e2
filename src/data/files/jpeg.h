// The JPEG half of image.h, and the check of claimed sizes that both halves share. Private to the
// image decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/tensor.h"

namespace coppice {

// u8 [3, H, W] or [1, H, W]. Throws Error::input for what is corrupt or truncated.
Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& where);

// Throws Error::input for an image without pixels, of more than 100 million, or of more than
// `bytes` of any sane compression can hold. Called before memory is taken for the pixels.
void check_claimed_size(int64_t height, int64_t width, size_t bytes, const std::string& where);

}  // namespace coppice
