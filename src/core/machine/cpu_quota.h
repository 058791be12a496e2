// How much of a processor's time a container leaves to this process.
#pragma once

#include <filesystem>
#include <optional>

namespace coppice {

// In cores: the least of what the control groups that this process is in, and those above them, may
// use, of version 1 or 2; nothing where none is limited. `self`: which groups those are; `groups`:
// where they are mounted. What can't be read limits nothing.
std::optional<double> cpu_quota(const std::filesystem::path& self = "/proc/self/cgroup",
                                const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace coppice
