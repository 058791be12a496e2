// See memory_dataset.h. The requirements are checked once here, so that `read` is a view and no
// more.
#include "data/formats/memory_dataset.h"

#include "core/error.h"

namespace coppice {
namespace {

class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(MemoryImages images)
      : images_(std::move(images)),
        image_bytes_(static_cast<size_t>(element_count(images_.shape)) * size_of(images_.dtype)) {
    int64_t count = 0;
    for (const MemoryPart& part : images_.parts) {
      COPPICE_CHECK(part.count > 0, "a part without images");
      const size_t last = static_cast<size_t>(part.count - 1) * part.stride_bytes;
      COPPICE_CHECK(last + image_bytes_ <= part.bytes.size(), "an image beyond its buffer");
      count += part.count;
    }
    COPPICE_CHECK(count == size(), "images and labels differ in number");
  }

  int64_t size() const override { return static_cast<int64_t>(images_.labels.size()); }
  int64_t classes() const override { return images_.classes; }
  std::string name() const override { return images_.name; }
  Split split() const override { return images_.split; }
  std::optional<Preprocessing> own_preprocessing() const override { return images_.preprocessing; }
  Augmentation usual_augmentation() const override { return images_.augmentation; }

  Sample read(int64_t index) const override {
    COPPICE_CHECK(index >= 0 && index < size(), "sample index out of range");
    int64_t within_part = index;
    const MemoryPart* part = images_.parts.data();
    for (; within_part >= part->count; ++part) within_part -= part->count;
    const size_t offset = static_cast<size_t>(within_part) * part->stride_bytes;
    return {Tensor::view(images_.dtype, images_.shape, part->owner,
                         part->bytes.subspan(offset, image_bytes_)),
            images_.labels[index]};
  }
  int64_t label(int64_t index) const override { return images_.labels[index]; }

 private:
  MemoryImages images_;
  size_t image_bytes_;
};

}  // namespace

std::unique_ptr<Dataset> make_memory_dataset(MemoryImages images) {
  return std::make_unique<MemoryDataset>(std::move(images));
}

}  // namespace coppice
