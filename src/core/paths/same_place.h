// Whether two paths lead to one file, also to one that doesn't exist yet.
#pragma once

#include <filesystem>

namespace coppice {

// Both name the same file, or would once it exists: links, hard links, '.' and '..' are seen
// through.
bool same_place(const std::filesystem::path& a, const std::filesystem::path& b);

// `path` is `folder` or would lie in it, however deep.
bool lies_within(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace coppice
