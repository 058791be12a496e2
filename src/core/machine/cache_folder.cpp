#include "core/machine/cache_folder.h"

#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "core/words/hash_of.h"

namespace coppice {
namespace {

std::string within(const char* variable, const std::string& path) {
  const char* folder = std::getenv(variable);
  if (!folder || *folder == '\0') return {};
  return (std::filesystem::path(folder) / path).string();
}

}  // namespace

std::string cache_folder(const std::string& part) {
  std::string folder = within("XDG_CACHE_HOME", "coppice");
  if (folder.empty()) folder = within("HOME", ".cache/coppice");
  return folder.empty() || part.empty() ? folder : folder + "/" + part;
}

std::filesystem::path cache_file(const std::string& folder, const std::string& key,
                                 const std::string& ending) {
  return std::filesystem::path(folder) / (hash_of(key) + ending);
}

void keep_in_cache(const std::filesystem::path& file, std::string_view text) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) return;
  try {
    write_text(file, text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
  }
}

}  // namespace coppice
