// Labels counted otherwise than the model's classes: from 1, or without the background class that
// the model begins with. The offset is checked against every label once, so that `read` only adds.
#include "core/error.h"
#include "data/dataset.h"

namespace coppice {
namespace {

class ShiftedLabels : public Dataset {
 public:
  ShiftedLabels(std::unique_ptr<Dataset> dataset, int64_t offset)
      : dataset_(std::move(dataset)), offset_(offset) {
    for (int64_t i = 0; i < size(); ++i) {
      if (label(i) >= 0) continue;
      fail_input("data set '" + name() + "': label " + std::to_string(dataset_->label(i)) +
                 " of image " + std::to_string(i) + " shifted by " + std::to_string(offset_) +
                 " is " + std::to_string(label(i)) +
                 ", expected a class index from 0; give another --label-offset");
    }
  }

  int64_t size() const override { return dataset_->size(); }
  int64_t classes() const override { return dataset_->classes() + offset_; }
  std::string name() const override { return dataset_->name(); }
  Split split() const override { return dataset_->split(); }
  Sample read(int64_t index) const override {
    Sample sample = dataset_->read(index);
    sample.label += offset_;
    return sample;
  }
  int64_t label(int64_t index) const override { return dataset_->label(index) + offset_; }
  std::optional<int64_t> label_offset() const override { return offset_; }
  std::optional<Preprocessing> own_preprocessing() const override {
    return dataset_->own_preprocessing();
  }
  Augmentation usual_augmentation() const override { return dataset_->usual_augmentation(); }

 private:
  std::unique_ptr<Dataset> dataset_;
  int64_t offset_;
};

}  // namespace

std::unique_ptr<Dataset> shift_labels(std::unique_ptr<Dataset> dataset, int64_t offset) {
  return std::make_unique<ShiftedLabels>(std::move(dataset), offset);
}

}  // namespace coppice
