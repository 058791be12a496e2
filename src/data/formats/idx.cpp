// MNIST and Fashion-MNIST: two idx files a split, images u8 [N, H, W] and labels u8 [N].
//
// Invariants after opening: as many labels as images, every label within 0..9, all bytes
// accounted for. Images stay as they were unpacked; samples are views.
#include "data/formats/idx.h"

#include <array>

#include "core/error.h"
#include "data/files/decompress.h"
#include "data/formats/formats.h"
#include "data/formats/memory_dataset.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

constexpr size_t kMostBytes = size_t{4} << 30;
constexpr int64_t kClasses = 10;

size_t header_bytes(int64_t rank) { return 4 + 4 * static_cast<size_t>(rank); }

uint32_t big_endian(std::span<const std::byte> bytes, size_t offset) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[offset + i]);
  return value;
}

// The sizes in the header; no more than kMostBytes elements together.
Shape read_header(std::span<const std::byte> head, int64_t rank, const std::string& where) {
  if (head.size() < header_bytes(rank)) {
    fail_input(where + ": " + std::to_string(head.size()) + " bytes, expected an idx header of " +
               std::to_string(header_bytes(rank)) + "; copy or download it again");
  }
  const uint32_t magic = big_endian(head, 0), expected = 0x0800 + static_cast<uint32_t>(rank);
  if (magic != expected) {
    fail_input(where + ": bad magic number " + std::to_string(magic) + ", expected " +
               std::to_string(expected) + " (idx, u8, " + std::to_string(rank) +
               " axes); is it the right file?");
  }
  Shape shape;
  size_t elements = 1;
  for (int64_t axis = 0; axis < rank; ++axis) {
    shape.push_back(big_endian(head, 4 + 4 * static_cast<size_t>(axis)));
    if (shape.back() == 0) {
      fail_input(where + ": axis " + std::to_string(axis) + " has size 0, expected at least 1");
    }
    if (__builtin_mul_overflow(elements, static_cast<size_t>(shape.back()), &elements) ||
        elements > kMostBytes) {
      fail_input(where + ": its header claims more than " + std::to_string(kMostBytes) +
                 " bytes up to axis " + std::to_string(axis) + " of size " +
                 std::to_string(shape.back()) + "; copy or download it again");
    }
  }
  return shape;
}

struct IdxFile {
  Buffer bytes;
  Tensor array;  // a view of `bytes`
};

IdxFile read_idx(const std::filesystem::path& file, int64_t rank) {
  const std::string where = in_quotes(file);
  const Buffer bytes = read_unpacked(
      file, [&](std::span<const std::byte> head) { return idx_file_bytes(head, rank, where); });
  return {bytes, parse_idx(bytes, rank, where)};
}

// How models for the images are usually trained.
struct IdxUse {
  std::string preprocessing, augmentation;
};

std::unique_ptr<Dataset> open_idx(const std::string& folder, Split split, const std::string& name,
                                  const IdxUse& use) {
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const std::array<std::string, 2> names = {prefix + "-images-idx3-ubyte",
                                            prefix + "-labels-idx1-ubyte"};
  const auto files = find_packed_files(folder, names);
  const IdxFile images = read_idx(files[0], 3);
  const Tensor labels = read_idx(files[1], 1).array;
  const Shape& shape = images.array.shape();
  const int64_t count = shape[0];
  if (labels.size() != count) {
    fail_input(in_quotes(files[1]) + ": " + std::to_string(labels.size()) + " labels, expected " +
               std::to_string(count) + " as '" + files[0].string() +
               "' has images; are both of the same data set?");
  }
  MemoryImages result;
  for (const uint8_t label : labels.as<uint8_t>()) {
    if (label >= kClasses) {
      fail_input(in_quotes(files[1]) + ": label " + std::to_string(label) + " of image " +
                 std::to_string(result.labels.size()) + ", expected 0 to " +
                 std::to_string(kClasses - 1) + "; is it the right file?");
    }
    result.labels.push_back(label);
  }
  result.name = name;
  result.split = split;
  result.classes = kClasses;
  result.shape = {1, shape[1], shape[2]};
  const size_t image_bytes = static_cast<size_t>(shape[1] * shape[2]);
  result.parts.push_back({images.bytes.data, images.array.bytes(), image_bytes, count});
  result.preprocessing = parse_preprocessing(use.preprocessing);
  result.augmentation = parse_augmentation(use.augmentation);
  return make_memory_dataset(std::move(result));
}

}  // namespace

size_t idx_file_bytes(std::span<const std::byte> head, int64_t rank, const std::string& where) {
  const Shape shape = read_header(head, rank, where);
  return header_bytes(rank) + static_cast<size_t>(element_count(shape));
}

Tensor parse_idx(const Buffer& file, int64_t rank, const std::string& where) {
  const Shape shape = read_header(file.bytes(), rank, where);
  const size_t expected = idx_file_bytes(file.bytes(), rank, where);
  if (file.size != expected) {
    fail_input(where + ": " + std::to_string(file.size) + " bytes, expected " +
               std::to_string(expected) + " for an array of " + to_string(shape) +
               "; copy or download it again");
  }
  return Tensor::view(DType::u8, shape, file.data, file.bytes().subspan(header_bytes(rank)));
}

std::unique_ptr<Dataset> open_mnist(const std::string& folder, Split split) {
  return open_idx(folder, split, "mnist", {.preprocessing = "mnist", .augmentation = "none"});
}

std::unique_ptr<Dataset> open_fashion_mnist(const std::string& folder, Split split) {
  return open_idx(
      folder, split, "fashion-mnist",
      {.preprocessing = "scale=1/255,mean=.2860,std=.3530", .augmentation = "pad=2,flip"});
}

}  // namespace coppice
