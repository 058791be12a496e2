#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include "core/files.h"

namespace coppice {
namespace {

TEST(TempDir, is_removed_with_its_contents) {
  std::filesystem::path path;
  {
    const TempDir dir;
    path = dir.path();
    write_text(dir / "file", "text");
    EXPECT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDir, moved_from_leaves_the_folder_to_its_new_owner) {
  TempDir first;
  const std::filesystem::path path = first.path();
  const TempDir second = std::move(first);
  EXPECT_EQ(second.path(), path);
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

}  // namespace
}  // namespace coppice
