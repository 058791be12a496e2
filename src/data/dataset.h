// A data set: images and labels by index, as plain tensors, whatever files they come from.
//
// `open_dataset` reads a spec such as "cifar10:DIR" and gives the object; `dataset_formats` is the
// one table of the forms there are (dataset.cpp). Pixels come as they are stored: preprocessing
// belongs to the model and happens in load_batch (batch.h). Files are treated as hostile: what is
// wrong in them is an Error::input that names the file, what was found and what was expected.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "data/images/augment.h"
#include "data/images/preprocess.h"

namespace coppice {

enum class Split { train, test };

struct Sample {
  Tensor pixels;      // [C, H, W]: u8 0..255, planar RGB or grey; or f32 from a float npy file
  int64_t label = 0;  // 0 <= label < classes()
};

// Reads are thread-safe. C, H and W are the same for every sample, except for image folders.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;      // images; at least 1
  virtual int64_t classes() const = 0;   // at least 1
  virtual std::string name() const = 0;  // the format's name, such as "cifar10"
  // Whose images these are. A data set without a test part gives its training images for
  // Split::test, too, and they stay what they are: `train`.
  virtual Split split() const = 0;

  // Requires: 0 <= index < size(). Throws Error::input if the image's own file is missing,
  // corrupt or not an image (image folders only; everything else was checked when it was
  // opened).
  virtual Sample read(int64_t index) const = 0;
  // The label alone, for which no image need be decoded.
  virtual int64_t label(int64_t index) const { return read(index).label; }
  // How far labels were shifted on demand (shift_labels); none where nobody said so.
  virtual std::optional<int64_t> label_offset() const { return std::nullopt; }

  // The statistics that models for this data set are usually trained with; none if unknown.
  virtual std::optional<Preprocessing> own_preprocessing() const = 0;
  // How they usually change its training images; most not at all.
  virtual Augmentation usual_augmentation() const { return {}; }
};

struct DatasetFormat {
  std::string_view name;         // what stands before the colon of a spec
  std::string_view description;  // one line for people
  std::string_view form;         // the whole spec, such as "cifar10:DIR"
  // `argument` is what follows the colon.
  std::unique_ptr<Dataset> (*open)(const std::string& argument, Split split);
};

// All formats, in the order to list them.
std::span<const DatasetFormat> dataset_formats();

// Throws Error::usage (with the list of forms) for a spec that is none of them, Error::input for
// files that are missing or wrong. Only the images of `split` are read.
std::unique_ptr<Dataset> open_dataset(const std::string& spec, Split split);

// The same images with `offset` added to every label, which then is the model's class index,
// because the user says so. Throws Error::input, naming the image, where that is below 0.
std::unique_ptr<Dataset> shift_labels(std::unique_ptr<Dataset> dataset, int64_t offset);

}  // namespace coppice
