// Where a command may write. What can't work is refused before anything is read or computed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice {

// The path behind `output`, with a symbolic link followed, so that writing replaces what the link
// names. Throws Error::usage if it is one of `inputs`, Error::input for devices, pipes and the
// like. `option` is for messages. Folders and missing folders are AtomicFile's to refuse.
std::filesystem::path output_path(const std::string& option, const std::string& output,
                                  const std::vector<std::string>& inputs);

}  // namespace coppice
