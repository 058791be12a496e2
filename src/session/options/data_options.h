// The options of data sets, for everything that judges or trains.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "options/settings.h"

namespace coppice {

extern const TextOption<std::string> kData, kPreprocess;
extern const CountOption kLabelOffset;

// --data, --preprocess, --label-offset
OptionList data_options();

// What is said of images.
struct DataChoice {
  std::string spec, preprocess;
  std::optional<int64_t> label_offset;

  // Throws what open_dataset and shift_labels throw.
  std::unique_ptr<Dataset> open(Split split) const;
};
// Empty texts where nothing is set. Throws Error::usage for --label-offset without --data.
DataChoice data_of(const Settings& settings);

}  // namespace coppice
