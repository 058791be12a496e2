// A path between single quotes, as error messages name files.
// Built in place: with "'" + path.string() GCC 12 warns of an overlapping copy that isn't there.
#pragma once

#include <filesystem>
#include <string>

namespace coppice {

inline std::string in_quotes(const std::filesystem::path& path) {
  std::string text(1, '\'');
  text += path.string();
  text += '\'';
  return text;
}

}  // namespace coppice
