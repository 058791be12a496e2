// MNIST's files: tiny ones written here, every way they can be wrong, and the real ones.
#include "data/formats/idx.h"

#include "data/in_quotes.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

std::string big_endian(const std::vector<uint32_t>& values) {
  std::string bytes;
  for (const uint32_t value : values) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  }
  return bytes;
}

// Three images of 2x2: 0..11.
std::string images() {
  std::string bytes = big_endian({0x803, 3, 2, 2});
  for (char i = 0; i < 12; ++i) bytes += i;
  return bytes;
}

std::string labels() { return big_endian({0x801, 3}) + std::string("\7\2\1", 3); }

constexpr char kImages[] = "t10k-images-idx3-ubyte";
constexpr char kLabels[] = "t10k-labels-idx1-ubyte";

std::unique_ptr<Dataset> open(const test::TempFolder& folder, Split split = Split::test) {
  return open_dataset("mnist:" + folder.path(), split);
}

TEST(Idx, images_and_labels_are_read_plain_gzip_and_xz) {
  const std::pair<std::string, std::string> variants[][2] = {
      {{kImages, images()}, {kLabels, labels()}},
      {{std::string(kImages) + ".gz", test::gzip(images())},
       {std::string(kLabels) + ".xz", test::xz(labels())}}};
  for (const auto& variant : variants) {
    const test::TempFolder folder;
    for (const auto& [name, bytes] : variant) folder.write(name, bytes);
    const auto dataset = open(folder);
    EXPECT_EQ(dataset->size(), 3);
    EXPECT_EQ(dataset->classes(), 10);
    EXPECT_EQ(dataset->name(), "mnist");
    EXPECT_EQ(test::first_labels(*dataset, 3), (std::vector<int64_t>{7, 2, 1}));
    const Tensor pixels = dataset->read(1).pixels;
    EXPECT_EQ(pixels.shape(), (Shape{1, 2, 2}));
    EXPECT_EQ(test::pixels_of(pixels), (std::vector<uint8_t>{4, 5, 6, 7}));
  }
}

TEST(Idx, a_sample_outlives_its_data_set) {
  const test::TempFolder folder;
  folder.write(kImages, images());
  folder.write(kLabels, labels());
  auto dataset = open(folder);
  const Sample sample = dataset->read(2);
  dataset.reset();
  EXPECT_EQ(test::pixels_of(sample.pixels), (std::vector<uint8_t>{8, 9, 10, 11}));
}

// Opens a data set of these bytes and expects an error that names the file at fault and the parts.
void expect_bad(const std::string& image_bytes, const std::string& label_bytes,
                const std::string& file, std::vector<std::string> parts) {
  const test::TempFolder folder;
  folder.write(kImages, image_bytes);
  folder.write(kLabels, label_bytes);
  parts.push_back(in_quotes(folder.path() + "/" + file));
  expect_error(ErrorKind::input, parts, [&] { open(folder); });
}

TEST(Idx, bad_magic_names_both_numbers) {
  expect_bad(labels() + std::string(8, '\0'), labels(), kImages, {"2049", "2051"});
  expect_bad(images(), images(), kLabels, {"2051", "2049"});
}

TEST(Idx, wrong_sizes_name_both_numbers) {
  expect_bad(images().substr(0, 27), labels(), kImages, {"27 bytes", "28"});
  expect_bad(images() + "x", labels(), kImages, {"29 bytes", "28"});
  expect_bad(images(), labels().substr(0, 10), kLabels, {"10 bytes", "11"});
  expect_bad(images().substr(0, 9), labels(), kImages, {"9 bytes", "16"});
  expect_bad("", labels(), kImages, {"0 bytes", "16"});
}

TEST(Idx, truncated_packed_files_are_errors) {
  const std::string gz = test::gzip(images()), xz = test::xz(labels());
  expect_bad(gz.substr(0, gz.size() - 3), labels(), kImages, {"truncated"});
  expect_bad(images(), xz.substr(0, xz.size() - 3), kLabels, {"truncated"});
}

TEST(Idx, what_unpacks_to_more_than_the_header_says_is_an_error) {
  expect_bad(test::gzip(images() + std::string(5000000, '\0')), labels(), kImages,
             {"more than 28", "at most 28"});
}

TEST(Idx, headers_that_claim_too_much_or_nothing_are_errors) {
  const std::string huge = big_endian({0x803, 0xffffffff, 0xffffffff, 0xffffffff});
  expect_bad(huge, labels(), kImages, {"claims more than 4294967296"});
  expect_bad(test::gzip(huge), labels(), kImages, {"claims more than 4294967296"});
  expect_bad(big_endian({0x803, 1, 60000, 60000}), labels(), kImages, {"16 bytes", "3600000016"});
  expect_bad(big_endian({0x803, 0, 28, 28}), labels(), kImages, {"size 0", "at least 1"});
}

TEST(Idx, labels_out_of_range_and_of_another_number_are_errors) {
  expect_bad(images(), big_endian({0x801, 3}) + "\1\2\12", kLabels,
             {"label 10", "image 2", "0 to 9"});
  expect_bad(images(), big_endian({0x801, 2}) + "\1\2", kLabels,
             {"2 labels", "expected 3", kImages});
}

TEST(Idx, missing_files_are_listed) {
  const test::TempFolder folder;
  expect_error(ErrorKind::input,
               {folder.path(), "train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
               [&] { open(folder, Split::train); });
  expect_error(ErrorKind::input, {"/nowhere/at/all", kImages, kLabels},
               [&] { open_dataset("fashion-mnist:/nowhere/at/all", Split::test); });
}

TEST(Idx, real_mnist_has_its_counts_and_labels) {
  const auto folder = test::real_data("mnist");
  if (!folder) GTEST_SKIP() << "no real data";
  const auto test_split = open_dataset("mnist:" + *folder, Split::test);
  EXPECT_EQ(test_split->size(), 10000);
  EXPECT_EQ(test::first_labels(*test_split, 5), (std::vector<int64_t>{7, 2, 1, 0, 4}));
  EXPECT_EQ(test_split->read(9999).pixels.shape(), (Shape{1, 28, 28}));
  const auto train = open_dataset("mnist:" + *folder, Split::train);
  EXPECT_EQ(train->size(), 60000);
  EXPECT_EQ(test::first_labels(*train, 5), (std::vector<int64_t>{5, 0, 4, 1, 9}));
}

TEST(Idx, real_fashion_mnist_has_its_counts_and_labels) {
  const auto folder = test::real_data("fashion-mnist");
  if (!folder) GTEST_SKIP() << "no real data";
  const auto dataset = open_dataset("fashion-mnist:" + *folder, Split::test);
  EXPECT_EQ(dataset->size(), 10000);
  EXPECT_EQ(dataset->name(), "fashion-mnist");
  EXPECT_EQ(test::first_labels(*dataset, 5), (std::vector<int64_t>{9, 2, 1, 1, 6}));
}

}  // namespace
}  // namespace coppice
