// See temporaries.h. Locks are flock's: they end with the process, however it ends. Where a file
// system has none, nothing is taken for abandoned.
#include "core/paths/temporaries.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

constexpr char kMark[] = ".coppice-tmp-", kLetters[] = "XXXXXX";

bool is_temporary(const std::string& name) {
  const size_t mark = name.rfind(kMark), letters = mark + std::strlen(kMark);
  return mark != std::string::npos && mark > 0 && name.size() == letters + std::strlen(kLetters) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(letters), name.end(),
                     [](unsigned char letter) { return std::isalnum(letter); });
}

// Whether `path` still is what `descriptor` opened.
bool is_in_place(const fs::path& path, int descriptor) {
  struct stat there {
  }, own{};
  return ::lstat(path.c_str(), &there) == 0 && ::fstat(descriptor, &own) == 0 &&
         there.st_dev == own.st_dev && there.st_ino == own.st_ino;
}

void remove_if_abandoned(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return;
  struct stat status {};
  const bool abandoned = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
                         ::fstat(descriptor, &status) == 0 && is_in_place(path, descriptor);
  if (abandoned && S_ISREG(status.st_mode)) ::unlink(path.c_str());
  if (abandoned && S_ISDIR(status.st_mode)) remove_flat_folder(path);
  ::close(descriptor);
}

void remove_abandoned(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_temporary(entry->path().filename().string())) found.push_back(entry->path());
  }
  for (const fs::path& path : found) remove_if_abandoned(path);
}

int create_file(std::string& name) { return ::mkostemp(name.data(), O_CLOEXEC); }

int create_folder(std::string& name) {
  if (!::mkdtemp(name.data())) return -1;
  return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Temporary make_temporary(const fs::path& target, int (*create)(std::string&), mode_t rights) {
  remove_abandoned(target.has_parent_path() ? target.parent_path() : ".");
  while (true) {
    std::string name = target.string() + kMark + kLetters;
    const int descriptor = create(name);
    if (descriptor < 0)
      fail_input("can't write '" + target.string() + "': " + std::strerror(errno));
    ::flock(descriptor, LOCK_EX);
    // Another may have looked between the two calls, and taken it for abandoned.
    if (std::error_code error; !fs::exists(fs::symlink_status(name, error))) {
      ::close(descriptor);
      continue;
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, rights & ~mask);
    return {name, descriptor};
  }
}

}  // namespace

Temporary make_temporary_file(const fs::path& target) {
  return make_temporary(target, create_file, 0666);
}

Temporary make_temporary_folder(const fs::path& target) {
  return make_temporary(target, create_folder, 0777);
}

void remove_flat_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (fs::is_regular_file(entry->symlink_status(error))) files.push_back(entry->path());
  }
  for (const fs::path& file : files) ::unlink(file.c_str());
  ::rmdir(folder.c_str());
}

}  // namespace coppice
