#include "core/machine/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace coppice {
namespace {

using std::filesystem::path;

// A time of the processor within a time of the clock, both in microseconds.
std::optional<double> share(double quota, double period) {
  if (!(quota > 0 && period > 0)) return std::nullopt;
  return quota / period;
}

// Version 2: "max 100000", or "150000 100000".
std::optional<double> unified(const path& folder) {
  std::ifstream file(folder / "cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period)) return std::nullopt;
  return share(quota, period);
}

// Version 1: a quota of -1 limits nothing.
std::optional<double> legacy(const path& folder) {
  double quota = 0, period = 0;
  std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
  std::ifstream(folder / "cpu.cfs_period_us") >> period;
  return share(quota, period);
}

// Of the group and all above it, up to where they are mounted. A container sees its own group as
// the mount's root, whatever `group` says.
template <typename Read>
std::optional<double> least(const path& mount, path group, Read read) {
  std::optional<double> result = read(mount);
  for (; group.has_relative_path(); group = group.parent_path()) {
    const auto limit = read(mount / group.relative_path());
    if (limit && (!result || *limit < *result)) result = limit;
  }
  return result;
}

bool names_cpu(const std::string& controllers) {
  return (',' + controllers + ',').find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<double> cpu_quota(const path& self, const path& groups) {
  std::optional<double> quota;
  std::ifstream file(self);
  for (std::string line; std::getline(file, line);) {  // "0::/a/b", or "3:cpu,cpuacct:/a/b"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const path group = line.substr(second + 1);
    std::optional<double> limit;
    if (controllers.empty()) {
      limit = least(groups, group, unified);
    } else if (names_cpu(controllers)) {
      limit = least(groups / "cpu", group, legacy);
    }
    if (limit && (!quota || *limit < *quota)) quota = limit;
  }
  return quota;
}

}  // namespace coppice
