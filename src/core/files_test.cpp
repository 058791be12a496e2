#include "core/files.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

size_t entries(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, is_there_only_once_it_was_committed) {
  const TempDir dir;
  write_text(dir / "model", "old");
  {
    AtomicFile file(dir / "model");
    file.write("ne");
    file.write("w");
    EXPECT_EQ(read_text(dir / "model"), "old");
    file.commit();
  }
  EXPECT_EQ(read_text(dir / "model"), "new");
  EXPECT_EQ(entries(dir.path()), 1u);
}

TEST(AtomicFile, leaves_nothing_where_it_was_not) {
  const TempDir dir;
  write_text(dir / "model", "old");
  {
    AtomicFile file(dir / "model");
    file.write("half");
    file.companion(".data").write("half");
  }
  EXPECT_EQ(read_text(dir / "model"), "old");
  EXPECT_EQ(entries(dir.path()), 1u);
}

TEST(AtomicFile, comes_with_its_companion_and_without_what_it_replaces) {
  const TempDir dir;
  write_text(dir / "obsolete", "x");
  AtomicFile file(dir / "model");
  file.write("graph");
  file.companion(".data").write("weights");
  file.removes_after(dir / "obsolete");
  EXPECT_TRUE(std::filesystem::exists(dir / "obsolete"));
  file.commit();
  EXPECT_EQ(read_text(dir / "model.data"), "weights");
  EXPECT_FALSE(std::filesystem::exists(dir / "obsolete"));
}

TEST(Files, what_cannot_be_read_is_an_input_error_that_names_it) {
  const TempDir dir;
  for (const auto& path : {dir / "missing", dir.path()}) {
    try {
      read_file(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
}

TEST(Sha256, is_that_of_the_standard_however_the_bytes_come) {
  const std::string text = "abc";  // FIPS 180-2, B.1
  const std::string expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  Sha256 sum;
  for (const char& letter : text) sum.update(std::as_bytes(std::span(&letter, 1)));
  EXPECT_EQ(sum.hex(), expected);
  const TempDir dir;
  write_text(dir / "abc", text);
  EXPECT_EQ(sha256_of_file(dir / "abc"), expected);
}

}  // namespace
}  // namespace coppice
