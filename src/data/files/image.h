// JPEG and PNG images to planar u8. Told apart by their first bytes, never by the file's name.
//
// What other decoders agree on: no rotation by EXIF, no colour management, alpha dropped, 16 bits
// cut to 8, CMYK turned to RGB, a codebook to RGB. The bytes are hostile: sizes are capped, a
// image that claims far more pixels than its bytes can hold is refused before memory is taken for
// it, and a truncated image is an error, not a half-grey sample.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "core/tensor.h"

namespace coppice {

// u8 [3, H, W] (RGB), or [1, H, W] for grey images. `where` names it in errors.
// Throws Error::input if the bytes are no whole, sane JPEG or PNG.
Tensor decode_image(std::span<const std::byte> bytes, const std::string& where);

// The same for a file. Throws Error::input also if it can't be read.
Tensor read_image(const std::filesystem::path& file);

}  // namespace coppice
