// Paths that lead to one place, whether or not something is there.
#include "core/paths/same_place.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

TEST(SamePlace, is_seen_through_links_hard_links_and_dots) {
  const TempDir dir;
  write_text(dir / "file", "x");
  write_text(dir / "other", "x");
  std::filesystem::create_directory(dir / "folder");
  std::filesystem::create_symlink(dir / "file", dir / "link");
  std::filesystem::create_hard_link(dir / "file", dir / "twin");
  for (const char* path : {"file", "./file", "folder/../file", "link", "twin"}) {
    EXPECT_TRUE(same_place(dir / "file", dir.path() / path)) << path;
  }
  EXPECT_FALSE(same_place(dir / "file", dir / "other"));
}

TEST(SamePlace, is_known_before_something_is_there) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "folder");
  std::filesystem::create_directory_symlink(dir / "folder", dir / "link");
  EXPECT_TRUE(same_place(dir / "folder/new", dir / "link/../link/./new"));
  EXPECT_FALSE(same_place(dir / "folder/new", dir / "new"));
}

TEST(SamePlace, lies_within_a_folder_or_not) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "folder");
  EXPECT_TRUE(lies_within(dir / "folder/new/file", dir / "folder"));
  EXPECT_TRUE(lies_within(dir / "folder", dir / "folder"));
  EXPECT_FALSE(lies_within(dir / "folder-2/file", dir / "folder"));
  EXPECT_FALSE(lies_within(dir / "folder/../file", dir / "folder"));
}

}  // namespace
}  // namespace coppice
