#include "core/machine/cache_folder.h"

#include <cstdlib>
#include <filesystem>

namespace coppice {

std::string cache_folder() {
  const auto within = [](const char* variable, const char* path) -> std::string {
    const char* folder = std::getenv(variable);
    if (!folder || *folder == '\0') return {};
    return (std::filesystem::path(folder) / path).string();
  };
  const std::string folder = within("XDG_CACHE_HOME", "coppice");
  return folder.empty() ? within("HOME", ".cache/coppice") : folder;
}

}  // namespace coppice
