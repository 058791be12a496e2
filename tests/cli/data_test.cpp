// Data sets that are damaged or don't fit the model: exit code 3, one line, both numbers.
#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

// An idx file: magic, sizes, bytes.
std::string idx(uint32_t magic, const std::vector<uint32_t>& sizes, const std::string& bytes) {
  std::string file = big_endian(magic);
  for (const uint32_t size : sizes) file += big_endian(size);
  return file + bytes;
}

constexpr uint32_t kImages = 0x803, kLabels = 0x801;
constexpr size_t kPixels = 28 * 28;

// A NumPy file of format 1.0.
std::string npy(const std::string& type, const std::string& shape, const std::string& bytes) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size() & 255) +
         static_cast<char>(header.size() >> 8) + header + bytes;
}

class Data : public testing::Test {
 protected:
  void write_mnist(const std::string& images, const std::string& labels) {
    std::filesystem::create_directory(dir / "mnist");
    write_text(dir / "mnist" / "t10k-images-idx3-ubyte", images);
    write_text(dir / "mnist" / "t10k-labels-idx1-ubyte", labels);
  }
  Ran eval(const std::string& data) {
    return coppice({"eval", "zoo:lenet5", "--data", data, "--preprocess", "none"});
  }
  // The data are refused by eval, and by prune before it writes anything.
  void expect_refused(const std::string& data, const std::string& message) {
    EXPECT_TRUE(fails(eval(data), 3, message));
    const auto before = names_in(dir.path());
    EXPECT_TRUE(fails(coppice({"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--data", data,
                               "--preprocess", "none"}),
                      3, message));
    EXPECT_EQ(names_in(dir.path()), before);
  }
  std::string npy_spec(const std::string& images, const std::string& labels) {
    write_text(dir / "images.npy", images);
    write_text(dir / "labels.npy", labels);
    return "npy:" + (dir / "images.npy").string() + "," + (dir / "labels.npy").string();
  }

  TempDir dir;
  const std::string mnist = "mnist:" + (dir / "mnist").string();
};

TEST_F(Data, sound_files_work) {
  write_mnist(idx(kImages, {3, 28, 28}, std::string(3 * kPixels, 'x')),
              idx(kLabels, {3}, std::string("\0\5\11", 3)));
  const Ran ran = eval(mnist);
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Data, a_missing_folder_is_named) { expect_refused(mnist, "mnist"); }

TEST_F(Data, a_wrong_magic_number_is_refused) {
  write_mnist(idx(0x1234, {1, 28, 28}, std::string(kPixels, 'x')),
              idx(kLabels, {1}, std::string(1, '\0')));
  expect_refused(mnist, "t10k-images-idx3-ubyte");
}

TEST_F(Data, a_file_that_is_too_short_is_refused) {
  write_mnist(idx(kImages, {2, 28, 28}, std::string(kPixels, 'x')),
              idx(kLabels, {2}, std::string(2, '\0')));
  expect_refused(mnist, "t10k-images-idx3-ubyte");
}

TEST_F(Data, a_label_out_of_range_is_refused) {
  write_mnist(idx(kImages, {1, 28, 28}, std::string(kPixels, 'x')),
              idx(kLabels, {1}, std::string(1, '\12')));
  expect_refused(mnist, "10");
}

TEST_F(Data, other_numbers_of_images_and_labels_are_refused) {
  write_mnist(idx(kImages, {2, 28, 28}, std::string(2 * kPixels, 'x')),
              idx(kLabels, {1}, std::string(1, '\0')));
  expect_refused(mnist, "2");
}

TEST_F(Data, classes_that_do_not_fit_are_both_named) {
  const std::string images = npy("|u1", "(1, 1, 28, 28)", std::string(kPixels, 'x'));
  for (const int classes : {9, 11}) {  // the model has 10 outputs
    SCOPED_TRACE(classes);
    expect_refused(
        npy_spec(images, npy("|u1", "(1,)", std::string(1, static_cast<char>(classes - 1)))),
        "the model has 10 outputs, data set 'npy' has " + std::to_string(classes) + " classes");
  }
}

TEST_F(Data, a_npy_file_need_not_hold_every_class) {
  const std::string images = npy("|u1", "(1, 1, 28, 28)", std::string(kPixels, 'x'));
  const Ran ran = eval(npy_spec(images, npy("|u1", "(1,)", std::string(1, '\2'))));
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Data, a_model_that_is_no_classifier_of_images_is_refused) {
  EXPECT_TRUE(fails(coppice({"eval", "zoo:mobilenetv2", "--data", "digits"}), 3,
                    "the model has 1000 outputs, data set 'digits' has 10 classes"));
}

TEST_F(Data, photographs_that_nothing_resizes_are_warned_of_once) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  int64_t classes = 0;
  for (const auto& folder : std::filesystem::directory_iterator(*data / "imagenet-sample")) {
    if (!folder.is_directory() || classes == 10) continue;
    ++classes;
    const auto copied = dir / "photographs" / folder.path().filename();
    std::filesystem::create_directories(copied);
    std::filesystem::copy(folder, copied, std::filesystem::copy_options::recursive);
  }
  const std::string spec = "images:" + (dir / "photographs").string();
  const auto prune = [&](const std::string& preprocess) {
    return coppice({"prune", "zoo:resnet20", "-o", dir / "out.onnx", "--data", spec, "--preprocess",
                    preprocess, "--recover", "none", "--latency", "off"});
  };
  const std::string warning = "of the short side";
  const Ran cropped = prune("imagenet"), resized = prune("imagenet,resize=36");
  ASSERT_EQ(cropped.code, 0) << cropped.err;
  const size_t first = cropped.err.find(warning);
  EXPECT_NE(first, std::string::npos) << cropped.err;
  EXPECT_EQ(cropped.err.find(warning, first + 1), std::string::npos);
  EXPECT_NE(cropped.out.find("top-1, training images"), std::string::npos) << cropped.out;
  ASSERT_EQ(resized.code, 0) << resized.err;
  EXPECT_EQ(resized.err.find(warning), std::string::npos);
}

}  // namespace
}  // namespace coppice
