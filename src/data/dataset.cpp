// The table of data set formats, and the reading of a spec "name:argument". To add a format: write
// its open function in a file of its own, declare it in formats.h, and give it a line here.
#include "data/dataset.h"

#include "core/error.h"
#include "data/formats/formats.h"

namespace coppice {
namespace {

constexpr DatasetFormat kFormats[] = {
    {"mnist", "MNIST, the four official idx files (plain, .gz or .xz)", "mnist:DIR", open_mnist},
    {"fashion-mnist", "Fashion-MNIST, the four official idx files (plain, .gz or .xz)",
     "fashion-mnist:DIR", open_fashion_mnist},
    {"cifar10", "CIFAR-10, binary version (plain, .gz or .xz)", "cifar10:DIR", open_cifar10},
    {"cifar100", "CIFAR-100, binary version, fine labels (plain, .gz or .xz)", "cifar100:DIR",
     open_cifar100},
    {"images", "folders of JPEG or PNG images, one folder a class", "images:DIR",
     open_image_folder},
    {"npy", "NumPy files: images (uint8 or float32) and integer labels; two more to test with",
     "npy:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS]", open_npy},
    {"digits", "built in: rendered handwritten-like digits, 28x28 grey", "digits", open_digits},
};

std::string all_forms() {
  std::string text;
  for (const DatasetFormat& format : kFormats) {
    if (!text.empty()) text += ", ";
    text += format.form;
  }
  return text;
}

}  // namespace

std::span<const DatasetFormat> dataset_formats() { return kFormats; }

std::unique_ptr<Dataset> open_dataset(const std::string& spec, Split split) {
  const size_t colon = spec.find(':');
  const std::string name = spec.substr(0, colon);
  const std::string argument = colon == std::string::npos ? "" : spec.substr(colon + 1);
  for (const DatasetFormat& format : kFormats) {
    if (format.name != name) continue;
    const bool takes_argument = format.form.find(':') != std::string_view::npos;
    if (takes_argument == argument.empty() || (!takes_argument && colon != std::string::npos)) {
      fail_usage("data set '" + spec + "': expected the form " + std::string(format.form));
    }
    return format.open(argument, split);
  }
  fail_usage("unknown data set '" + spec + "'; expected one of " + all_forms());
}

}  // namespace coppice
