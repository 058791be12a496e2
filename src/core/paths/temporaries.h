// Files and folders on their way to a place: "<target>.coppice-tmp-XXXXXX" beside it, and locked
// until its writer closes it or is gone. So what a killed writer left is told from what another is
// writing now, and the next writer into the same folder clears it away.
#pragma once

#include <filesystem>

namespace coppice {

struct Temporary {
  std::filesystem::path path;
  int descriptor = -1;  // the caller's to close; holds the lock
};

// With the rights that new files and folders get. First removes what killed writers left
// beside it. Throws Error::input ("can't write '<target>': reason").
Temporary make_temporary_file(const std::filesystem::path& target);
Temporary make_temporary_folder(const std::filesystem::path& target);

// Removes the plain files in `folder`, and it, if nothing else is in it. Folders of masks are flat;
// what else lies there is nobody's to remove.
void remove_flat_folder(const std::filesystem::path& folder);

}  // namespace coppice
