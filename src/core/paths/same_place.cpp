#include "core/paths/same_place.h"

#include <algorithm>

#include "core/files.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

// Links in what exists of the path are followed; empty where that fails.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (!error) absolute = fs::weakly_canonical(absolute, error);
  return error ? fs::path() : absolute;
}

}  // namespace

bool same_place(const fs::path& a, const fs::path& b) {
  if (same_file(a, b)) return true;
  const fs::path first = resolved(a);
  return !first.empty() && first == resolved(b);
}

bool lies_within(const fs::path& path, const fs::path& folder) {
  const fs::path inner = resolved(path), outer = resolved(folder);
  if (inner.empty() || outer.empty()) return false;
  const auto [left, right] = std::ranges::mismatch(outer, inner);
  return left == outer.end();
}

}  // namespace coppice
