// See memory_dataset.h. The requirements are checked once here, so that `read` is a view and no
// more.
#include "data/memory_dataset.h"

#include "core/error.h"

namespace coppice {
namespace {

class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(MemoryPictures pictures)
      : pictures_(std::move(pictures)),
        picture_bytes_(static_cast<size_t>(element_count(pictures_.shape)) *
                       size_of(pictures_.dtype)) {
    int64_t count = 0;
    for (const MemoryPart& part : pictures_.parts) {
      COPPICE_CHECK(part.count > 0, "a part without pictures");
      const size_t last = static_cast<size_t>(part.count - 1) * part.stride_bytes;
      COPPICE_CHECK(last + picture_bytes_ <= part.bytes.size(), "a picture beyond its buffer");
      count += part.count;
    }
    COPPICE_CHECK(count == size(), "pictures and labels differ in number");
  }

  int64_t size() const override { return static_cast<int64_t>(pictures_.labels.size()); }
  int64_t classes() const override { return pictures_.classes; }
  std::string name() const override { return pictures_.name; }
  Split split() const override { return pictures_.split; }
  std::optional<Preprocessing> own_preprocessing() const override {
    return pictures_.preprocessing;
  }
  Augmentation usual_augmentation() const override { return pictures_.augmentation; }

  Sample read(int64_t index) const override {
    COPPICE_CHECK(index >= 0 && index < size(), "sample index out of range");
    int64_t within_part = index;
    const MemoryPart* part = pictures_.parts.data();
    for (; within_part >= part->count; ++part) within_part -= part->count;
    const size_t offset = static_cast<size_t>(within_part) * part->stride_bytes;
    return {Tensor::view(pictures_.dtype, pictures_.shape, part->owner,
                         part->bytes.subspan(offset, picture_bytes_)),
            pictures_.labels[index]};
  }
  int64_t label(int64_t index) const override { return pictures_.labels[index]; }

 private:
  MemoryPictures pictures_;
  size_t picture_bytes_;
};

}  // namespace

std::unique_ptr<Dataset> make_memory_dataset(MemoryPictures pictures) {
  return std::make_unique<MemoryDataset>(std::move(pictures));
}

}  // namespace coppice
