// Unpacking: what goes in comes out, and nothing hostile gets further than its limit.
#include "data/files/decompress.h"

#include <string>

#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

UnpackLimit at_most(size_t bytes) {
  return [bytes](std::span<const std::byte>) { return bytes; };
}

std::string text_of(const Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data.get()), buffer.size};
}

std::string some_text(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 1;
  for (char& letter : text)
    letter = static_cast<char>((state = state * 1664525 + 1013904223) >> 28);
  return text;
}

std::string unpacked(const std::string& packed, size_t most) {
  return text_of(unpack(test::to_buffer(packed), "'f'", at_most(most)));
}

TEST(Decompress, plain_gzip_and_xz_give_the_same_bytes) {
  for (const size_t size : {size_t{1}, size_t{15}, size_t{16}, size_t{17}, size_t{1'500'000}}) {
    const std::string text = some_text(size);
    EXPECT_EQ(unpacked(text, size), text);
    EXPECT_EQ(unpacked(test::gzip(text), size), text);
    EXPECT_EQ(unpacked(test::xz(text), size), text);
  }
}

TEST(Decompress, memory_grows_when_the_ratio_is_high) {
  const std::string zeros(50'000'000, '\0');
  EXPECT_EQ(unpacked(test::gzip(zeros), zeros.size()), zeros);
}

TEST(Decompress, several_members_are_joined) {
  EXPECT_EQ(unpacked(test::gzip("one ") + test::gzip("two"), 7), "one two");
  EXPECT_EQ(unpacked(test::xz("one ") + test::xz("two"), 7), "one two");
}

TEST(Decompress, the_limit_sees_the_first_bytes_unpacked) {
  std::string seen;
  const UnpackLimit limit = [&](std::span<const std::byte> head) {
    seen.assign(reinterpret_cast<const char*>(head.data()), head.size());
    return size_t{100};
  };
  unpack(test::to_buffer(test::xz("abcdefghijklmnopqrstuvwxyz")), "'f'", limit);
  EXPECT_EQ(seen, "abcdefghijklmnop");
}

TEST(Decompress, a_bomb_stops_at_its_limit) {
  const std::string zeros(10'000'000, '\0');
  for (const std::string& packed : {test::gzip(zeros), test::xz(zeros), zeros}) {
    expect_error(ErrorKind::input, {"'f'", "1000", "at most"}, [&] { unpacked(packed, 1000); });
    expect_error(ErrorKind::input, {"'f'", "8", "at most"}, [&] { unpacked(packed, 8); });
  }
}

TEST(Decompress, every_truncation_is_an_error) {
  const std::string text = some_text(300);
  for (const std::string& packed : {test::gzip(text), test::xz(text)}) {
    for (size_t size = 6; size < packed.size(); ++size) {
      expect_error(ErrorKind::input, {"'f': truncated", std::to_string(size)},
                   [&] { unpacked(packed.substr(0, size), 300); });
    }
  }
}

TEST(Decompress, flipped_bytes_are_corrupt_or_unchanged) {
  const std::string text = some_text(300);
  for (const std::string& packed : {test::gzip(text), test::xz(text)}) {
    for (size_t at = 6; at < packed.size(); ++at) {
      std::string bad = packed;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      try {
        EXPECT_EQ(unpacked(bad, 300), text) << at;  // the time or the name in a gzip header
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find("'f'"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(Decompress, bytes_after_the_end_are_an_error) {
  expect_error(ErrorKind::input, {"'f'", "corrupt", "7 bytes"},
               [] { unpacked(test::gzip("abc") + "garbage", 100); });
  expect_error(ErrorKind::input, {"'f'", "corrupt"},
               [] { unpacked(test::xz("abc") + "a longer piece of garbage", 100); });
}

TEST(Decompress, files_are_found_plain_or_packed) {
  const test::TempFolder folder;
  folder.write("a", "plain");
  folder.write("b.gz", test::gzip("b"));
  folder.write("c.xz", test::xz("c"));
  const std::vector<std::string> names = {"a", "b", "c"};
  const auto files = find_packed_files(folder.path(), names);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(text_of(read_unpacked(files[2], at_most(9))), "c");
  EXPECT_EQ(files[1].filename(), "b.gz");
}

TEST(Decompress, missing_files_and_folders_name_what_was_looked_for) {
  const test::TempFolder folder;
  folder.write("a", "plain");
  const std::vector<std::string> names = {"a", "b"};
  expect_error(ErrorKind::input, {folder.path(), "'a'", "has no 'b'", ".gz"},
               [&] { find_packed_files(folder.path(), names); });
  expect_error(ErrorKind::input, {folder.path() + "/none", "'a'", "'b'", "no such folder"},
               [&] { find_packed_files(folder.path() + "/none", names); });
}

TEST(Decompress, a_file_larger_than_it_may_be_is_not_read) {
  const test::TempFolder folder;
  const std::string file = folder.write("a", "12345");
  EXPECT_EQ(read_at_most(file, 5).size, 5u);
  expect_error(ErrorKind::input, {file, "5 bytes", "at most 4"}, [&] { read_at_most(file, 4); });
}

}  // namespace
}  // namespace coppice
