// CIFAR-10 and CIFAR-100, binary version.
//
// A file is a sequence of records: CIFAR-10 has 1 label byte, CIFAR-100 has 2 (coarse, fine; the
// fine one is used), then 3072 pixel bytes: 32x32 red, green, blue planes. Any whole number of
// records is taken, up to the 50,000 of the largest official file. The batches of a split are
// unpacked in parallel; samples are views of the records.
#include "core/error.h"
#include "core/threads.h"
#include "data/files/decompress.h"
#include "data/formats/formats.h"
#include "data/formats/memory_dataset.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

constexpr size_t kPixelBytes = 3 * 32 * 32;
constexpr size_t kMostRecords = 50000;

struct CifarKind {
  std::string name;
  int64_t classes;
  size_t label_bytes;  // the last of them is the label
  std::vector<std::string> train_files, test_files;
  std::string preprocessing;
};

// Whole records; the labels still stand before the pixels.
MemoryPart read_records(const std::filesystem::path& file, size_t label_bytes) {
  const size_t record = label_bytes + kPixelBytes;
  const Buffer bytes =
      read_unpacked(file, [&](std::span<const std::byte>) { return kMostRecords * record; });
  if (bytes.size == 0 || bytes.size % record != 0) {
    fail_input(in_quotes(file) + ": " + std::to_string(bytes.size) +
               " bytes, expected a positive multiple of " + std::to_string(record) +
               "; is it the right file, and whole?");
  }
  return {bytes.data, bytes.bytes(), record, static_cast<int64_t>(bytes.size / record)};
}

// Appends the labels and moves the part's bytes on to its first pixel.
void split_labels(MemoryPart& part, const std::filesystem::path& file, const CifarKind& kind,
                  std::vector<int64_t>& labels) {
  for (int64_t i = 0; i < part.count; ++i) {
    const size_t offset = static_cast<size_t>(i) * part.stride_bytes + kind.label_bytes - 1;
    const int64_t label = std::to_integer<int64_t>(part.bytes[offset]);
    if (label >= kind.classes) {
      fail_input(in_quotes(file) + ": label " + std::to_string(label) + " in record " +
                 std::to_string(i) + ", expected 0 to " + std::to_string(kind.classes - 1) +
                 "; is it the right file?");
    }
    labels.push_back(label);
  }
  part.bytes = part.bytes.subspan(kind.label_bytes);
}

std::unique_ptr<Dataset> open_cifar(const std::string& folder, Split split, const CifarKind& kind) {
  const auto files =
      find_packed_files(folder, split == Split::train ? kind.train_files : kind.test_files);
  MemoryImages result;
  result.parts.resize(files.size());
  parallel_for(static_cast<int64_t>(files.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      result.parts[i] = read_records(files[i], kind.label_bytes);
    }
  });
  for (size_t i = 0; i < files.size(); ++i) {
    split_labels(result.parts[i], files[i], kind, result.labels);
  }
  result.name = kind.name;
  result.split = split;
  result.classes = kind.classes;
  result.shape = {3, 32, 32};
  result.preprocessing = parse_preprocessing(kind.preprocessing);
  result.augmentation = parse_augmentation("pad=4,flip");
  return make_memory_dataset(std::move(result));
}

}  // namespace

std::unique_ptr<Dataset> open_cifar10(const std::string& folder, Split split) {
  return open_cifar(folder, split,
                    {.name = "cifar10",
                     .classes = 10,
                     .label_bytes = 1,
                     .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                     "data_batch_4.bin", "data_batch_5.bin"},
                     .test_files = {"test_batch.bin"},
                     .preprocessing = "cifar10"});
}

std::unique_ptr<Dataset> open_cifar100(const std::string& folder, Split split) {
  return open_cifar(folder, split,
                    {.name = "cifar100",
                     .classes = 100,
                     .label_bytes = 2,
                     .train_files = {"train.bin"},
                     .test_files = {"test.bin"},
                     .preprocessing = "scale=1/255,mean=.5071,.4865,.4409,std=.2673,.2564,.2762"});
}

}  // namespace coppice
