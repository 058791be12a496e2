// Files that may be packed: found under their plain name or with .gz or .xz, unpacked by what they
// contain (a browser may have unpacked a .gz without renaming it).
//
// Unpacking is bounded: the reader says from the first bytes how large the whole may be, memory
// grows with what really comes out, and one byte too many is an error. So neither a lying header
// nor a decompression bomb makes us allocate more than the file justifies.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"

namespace coppice {

// Most bytes a file may unpack to, told from its first bytes (16 of them, or all if there are
// fewer). May throw Error::input if those are wrong already.
using UnpackLimit = std::function<size_t(std::span<const std::byte> head)>;

// `packed` unpacked if it is gzip or xz data, itself otherwise. `where` names it in errors.
// Throws Error::input if it is truncated, corrupt, or exceeds the limit.
Buffer unpack(const Buffer& packed, const std::string& where, const UnpackLimit& limit);

// The same for a file. Throws Error::input also if it can't be read.
Buffer read_unpacked(const std::filesystem::path& file, const UnpackLimit& limit);

// read_file for files that have no business being larger than `most_bytes`; else Error::input.
Buffer read_at_most(const std::filesystem::path& file, size_t most_bytes);

// The existing one of NAME, NAME.gz, NAME.xz in `folder`, for each of the names.
// Throws Error::input with the folder and all the names looked for if the folder or one is missing.
std::vector<std::filesystem::path> find_packed_files(const std::filesystem::path& folder,
                                                     std::span<const std::string> names);

}  // namespace coppice
