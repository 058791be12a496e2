// An archive of arrays: every one is in it by its name, as libzip and NumPy read it back.
#include "data/formats/npz.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "data/formats/npy.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

std::map<std::string, Tensor> arrays() {
  return {{"fc1.weight", Tensor::of<uint8_t>({2, 3}, std::vector<uint8_t>{1, 0, 1, 1, 0, 0})},
          {"/features/0/Conv:w", Tensor::of<uint8_t>({4}, std::vector<uint8_t>{0, 0, 0, 1})},
          {"w\xc3\xa4rme", Tensor::of<float>({1, 1}, std::vector<float>{-2.5f})},
          {"none", Tensor::zeros(DType::u8, {0, 7})}};
}

TEST(Npz, gives_every_array_back_by_its_name) {
  const TempDir dir;
  write_npz(arrays(), dir / "a.npz");
  EXPECT_EQ(read_npz(dir / "a.npz"), arrays());
}

TEST(Npz, is_the_same_bytes_for_the_same_arrays_and_replaces_what_was_there) {
  const TempDir dir;
  write_text(dir / "a.npz", "something else");
  write_npz(arrays(), dir / "a.npz");
  write_npz(arrays(), dir / "b.npz");
  EXPECT_EQ(read_text(dir / "a.npz"), read_text(dir / "b.npz"));
}

TEST(Npz, names_that_are_no_utf8_are_kept_as_bytes) {
  const TempDir dir;
  const std::map<std::string, Tensor> odd = {{"w\xff\xfe", Tensor::zeros(DType::u8, {3})}};
  write_npz(odd, dir / "a.npz");
  EXPECT_EQ(read_npz(dir / "a.npz"), odd);
}

TEST(Npz, masks_are_packed) {
  const TempDir dir;
  write_npz({{"w", Tensor::zeros(DType::u8, {1000, 1000})}}, dir / "a.npz");
  EXPECT_LT(std::filesystem::file_size(dir / "a.npz"), 10'000u);
}

TEST(Npz, a_place_that_cannot_be_written_is_named) {
  const TempDir dir;
  try {
    write_npz(arrays(), dir / "gone" / "a.npz");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("a.npz"), std::string::npos);
  }
}

// An error of the file's, in one line, with all of `parts`.
void expect_refused(const std::filesystem::path& file, const std::vector<std::string>& parts) {
  try {
    read_npz(file);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Npz, every_type_of_numbers_comes_back) {
  const TempDir dir;
  std::map<std::string, Tensor> all;
  for (const DType type :
       {DType::u8, DType::i8, DType::u16, DType::i16, DType::u32, DType::i32, DType::u64,
        DType::i64, DType::f16, DType::f32, DType::f64, DType::boolean}) {
    EXPECT_TRUE(npy_holds(type));
    all[name_of(type)] = Tensor::zeros(type, {2, 3});
  }
  EXPECT_FALSE(npy_holds(DType::bf16));
  write_npz(all, dir / "a.npz");
  EXPECT_EQ(read_npz(dir / "a.npz"), all);
}

TEST(Npz, damaged_archives_are_refused) {
  const TempDir dir;
  expect_refused(dir / "gone.npz", {"gone.npz"});
  write_text(dir / "text.npz", "no archive at all");
  expect_refused(dir / "text.npz", {"text.npz", "numpy.savez"});
  write_npz({{"w", Tensor::zeros(DType::f32, {5000})}}, dir / "a.npz");
  std::string bytes = read_text(dir / "a.npz");
  write_text(dir / "short.npz", bytes.substr(0, bytes.size() / 2));
  expect_refused(dir / "short.npz", {"short.npz"});
  bytes[bytes.find("w.npy") + 20] ^= 0x55;  // within the packed array
  write_text(dir / "changed.npz", bytes);
  expect_refused(dir / "changed.npz", {"changed.npz", "'w'"});
}

TEST(Npz, an_array_that_claims_to_be_huge_is_refused_before_anything_is_allocated) {
  const TempDir dir;
  write_npz({{"w", Tensor::zeros(DType::f32, {5000})}}, dir / "a.npz");
  std::string bytes = read_text(dir / "a.npz");
  const size_t entry = bytes.find("PK\x01\x02");
  ASSERT_NE(entry, std::string::npos);
  constexpr size_t kSize = 24;  // of the unpacked file, in the central directory
  for (size_t i = 0; i < 4; ++i) bytes[entry + kSize + i] = i == 3 ? '\x7f' : '\xff';
  write_text(dir / "bomb.npz", bytes);
  expect_refused(dir / "bomb.npz", {"bomb.npz"});
}

TEST(Npz, is_read_by_numpy) {
  const std::string python = "/usr/bin/python3";
  if (std::system((python + " -c 'import numpy' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "Debian's python3-numpy isn't installed";
  }
  const TempDir dir;
  write_npz(arrays(), dir / "a.npz");
  write_text(dir / "read.py", R"(
import numpy, sys
arrays = numpy.load(sys.argv[1])
assert sorted(arrays.files) == sorted(['fc1.weight', '/features/0/Conv:w', 'w\u00e4rme', 'none']), arrays.files
mask = arrays['fc1.weight']
assert mask.dtype == numpy.uint8 and mask.tolist() == [[1, 0, 1], [1, 0, 0]]
assert arrays['/features/0/Conv:w'].tolist() == [0, 0, 0, 1]
assert arrays['w\u00e4rme'].dtype == numpy.float32 and arrays['w\u00e4rme'][0, 0] == -2.5
assert arrays['none'].shape == (0, 7)
)");
  const std::string command =
      python + " " + (dir / "read.py").string() + " " + (dir / "a.npz").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace coppice
