// An archive of arrays: every one is in it by its name, as libzip and NumPy read it back.
#include "data/formats/npz.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>

#include "core/error.h"
#include "data/formats/npy.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

std::map<std::string, Tensor> read_npz(const std::filesystem::path& path) {
  std::map<std::string, Tensor> arrays;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY, nullptr);
  EXPECT_NE(archive, nullptr);
  if (!archive) return arrays;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t entry;
    EXPECT_EQ(zip_stat_index(archive, i, ZIP_FL_ENC_RAW, &entry), 0);
    Buffer bytes = allocate_buffer(entry.size);
    zip_file_t* const file = zip_fopen_index(archive, i, 0);
    EXPECT_EQ(zip_fread(file, bytes.data.get(), entry.size), static_cast<zip_int64_t>(entry.size));
    zip_fclose(file);
    std::string name = entry.name;
    EXPECT_TRUE(name.ends_with(".npy"));
    arrays.emplace(name.substr(0, name.size() - 4), parse_npy(bytes, name));
  }
  zip_discard(archive);
  return arrays;
}

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
