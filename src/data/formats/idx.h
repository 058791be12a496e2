// The idx format of MNIST: 00 00 08 RANK, then RANK sizes as big-endian u32, then the u8 elements.
// Only u8 is read (08); the official files of MNIST and Fashion-MNIST hold nothing else.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/files.h"
#include "core/tensor.h"

namespace coppice {

// Bytes of the whole file, told from its first 4 + 4 * rank bytes. Throws Error::input if those are
// no idx header of u8 with `rank` axes, if an axis is empty, or if the file would exceed 4 GiB.
size_t idx_file_bytes(std::span<const std::byte> head, int64_t rank, const std::string& where);

// The array of an unpacked idx file: u8 of `rank` axes, a view of `file`. Throws Error::input as
// above, and if the file is shorter or longer than its header says. `where` names it in errors.
Tensor parse_idx(const Buffer& file, int64_t rank, const std::string& where);

}  // namespace coppice
