// See output_path.h.
#include "cli/output_path.h"

#include "core/error.h"
#include "core/files.h"

namespace coppice {

std::filesystem::path output_path(const std::string& option, const std::string& output,
                                  const std::vector<std::string>& inputs) {
  std::error_code error;
  for (const std::string& input : inputs) {
    if (same_file(output, input) || output == input) {
      fail_usage(option + " '" + output + "' is also an input; name another file");
    }
  }
  std::filesystem::path path = output;
  if (std::filesystem::is_symlink(path, error)) {
    const auto target = std::filesystem::canonical(path, error);
    if (!error) path = target;
  }
  const auto status = std::filesystem::status(path, error);
  const bool plain = !std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
                     std::filesystem::is_directory(status);
  if (!plain) fail_input("can't write '" + output + "': it is a device or pipe, expected a file");
  return path;
}

}  // namespace coppice
