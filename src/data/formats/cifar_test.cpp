// CIFAR's record files: tiny ones written here, every way they can be wrong, and the real ones.
#include "data/in_quotes.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

// One record: label bytes, then planes filled with three values.
std::string record(const std::string& labels, char red, char green, char blue) {
  return labels + std::string(1024, red) + std::string(1024, green) + std::string(1024, blue);
}

TEST(Cifar, the_test_split_is_read_plain_gzip_and_xz) {
  const std::string bytes = record("\3", 1, 2, 3) + record(std::string(1, '\0'), 4, 5, 6);
  const std::pair<const char*, std::string> variants[] = {
      {"", bytes}, {".gz", test::gzip(bytes)}, {".xz", test::xz(bytes)}};
  for (const auto& [ending, packed] : variants) {
    const test::TempFolder folder;
    folder.write(std::string("test_batch.bin") + ending, packed);
    const auto dataset = open_dataset("cifar10:" + folder.path(), Split::test);
    EXPECT_EQ(dataset->classes(), 10);
    EXPECT_EQ(test::first_labels(*dataset, dataset->size()), (std::vector<int64_t>{3, 0}));
    const Tensor pixels = dataset->read(1).pixels;
    EXPECT_EQ(pixels.shape(), (Shape{3, 32, 32}));
    EXPECT_EQ(pixels.as<uint8_t>()[0], 4);
    EXPECT_EQ(pixels.as<uint8_t>()[1024], 5);
    EXPECT_EQ(pixels.as<uint8_t>()[3071], 6);
  }
}

TEST(Cifar, train_batches_follow_each_other) {
  const test::TempFolder folder;
  for (char i = 1; i <= 5; ++i) {
    std::string bytes;
    for (char k = 0; k < i; ++k) bytes += record(std::string(1, i), i, k, 0);
    folder.write("data_batch_" + std::to_string(i) + ".bin", bytes);
  }
  const auto dataset = open_dataset("cifar10:" + folder.path(), Split::train);
  EXPECT_EQ(test::first_labels(*dataset, dataset->size()),
            (std::vector<int64_t>{1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5}));
  EXPECT_EQ(dataset->read(14).pixels.as<uint8_t>()[1024], 4);
}

TEST(Cifar, the_fine_label_of_cifar100_is_used) {
  const test::TempFolder folder;
  folder.write("test.bin", record("\x13\x63", 1, 2, 3));
  const auto dataset = open_dataset("cifar100:" + folder.path(), Split::test);
  EXPECT_EQ(dataset->classes(), 100);
  EXPECT_EQ(dataset->read(0).label, 99);
  EXPECT_EQ(dataset->read(0).pixels.as<uint8_t>()[0], 1);
}

void expect_bad(const std::string& bytes, std::vector<std::string> parts) {
  const test::TempFolder folder;
  parts.push_back(in_quotes(folder.write("test_batch.bin", bytes)));
  expect_error(ErrorKind::input, parts,
               [&] { open_dataset("cifar10:" + folder.path(), Split::test); });
}

TEST(Cifar, wrong_sizes_name_both_numbers) {
  expect_bad(record("\3", 1, 2, 3).substr(0, 3072), {"3072 bytes", "multiple of 3073"});
  expect_bad(record("\3", 1, 2, 3) + "x", {"3074 bytes", "multiple of 3073"});
  expect_bad("", {"0 bytes", "positive multiple of 3073"});
}

TEST(Cifar, labels_out_of_range_are_errors) {
  expect_bad(record("\3", 1, 2, 3) + record("\12", 1, 2, 3), {"label 10", "record 1", "0 to 9"});
}

TEST(Cifar, truncated_and_oversized_packed_files_are_errors) {
  const std::string xz = test::xz(record("\3", 1, 2, 3));
  expect_bad(xz.substr(0, xz.size() / 2), {"truncated"});
  expect_bad(test::gzip(std::string(3073 * 50000 + 1, '\0')), {"more than 153650000"});
}

TEST(Cifar, a_missing_batch_is_named) {
  const test::TempFolder folder;
  folder.write("data_batch_1.bin", record("\3", 1, 2, 3));
  expect_error(ErrorKind::input,
               {folder.path(), "no 'data_batch_2.bin'", "'data_batch_5.bin'", ".xz"},
               [&] { open_dataset("cifar10:" + folder.path(), Split::train); });
  expect_error(ErrorKind::input, {"/nowhere", "no such folder", "'train.bin'"},
               [] { open_dataset("cifar100:/nowhere", Split::train); });
}

TEST(Cifar, real_cifar10_has_its_counts_and_labels) {
  const auto folder = test::real_data("cifar10");
  if (!folder) GTEST_SKIP() << "no real data";
  const auto dataset = open_dataset("cifar10:" + *folder, Split::test);
  EXPECT_EQ(dataset->size(), 10000);
  EXPECT_EQ(test::first_labels(*dataset, 5), (std::vector<int64_t>{3, 8, 8, 0, 6}));
}

}  // namespace
}  // namespace coppice
