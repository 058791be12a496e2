#include "support/shared_data.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace coppice {

std::optional<std::filesystem::path> shared_data() {
  if (const char* named = std::getenv("COPPICE_DATA"); named && *named) {
    if (std::filesystem::is_directory(named)) return named;
    throw std::runtime_error("COPPICE_DATA: '" + std::string(named) + "' is not a folder");
  }
  const auto beside = std::filesystem::path(COPPICE_SOURCE_DIR).parent_path() / "shared" / "data";
  if (std::filesystem::is_directory(beside)) return beside;
  return std::nullopt;
}

}  // namespace coppice
