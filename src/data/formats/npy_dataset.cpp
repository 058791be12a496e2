// The data set made of npy files: images and labels, and perhaps two more for testing.
//
// Images: uint8 or float32, [N, H, W] (grey), [N, C, H, W], [N, H, W, C] (C last if it is 1 or 3
// and the second axis is neither), or [N, F] (flat, one row). Labels: integers, [N] or [N, 1], from
// 0; the largest one of all files says how many classes there are. Two files are training images,
// for whichever split they are asked: nothing says that a model hasn't seen them.
#include <algorithm>

#include "core/error.h"
#include "core/paths/same_place.h"
#include "data/files/decompress.h"
#include "data/formats/formats.h"
#include "data/formats/memory_dataset.h"
#include "data/formats/npy.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

constexpr size_t kMostFileBytes = size_t{64} << 30;
constexpr int64_t kMostClasses = 100000;

struct Array {
  Tensor tensor;
  std::string where;
};

Array read_array(const std::string& file) {
  const std::string where = in_quotes(file);
  return {parse_npy(read_at_most(file, kMostFileBytes), where), where};
}

// [N, H, W, C] to [N, C, H, W].
template <typename T>
Tensor to_planar(const Tensor& images) {
  const Shape& from = images.shape();
  const int64_t pixels = from[1] * from[2], channels = from[3];
  Tensor result = Tensor::zeros(images.dtype(), {from[0], channels, from[1], from[2]});
  const std::span<const T> source = images.as<T>();
  const std::span<T> target = result.mutate<T>();
  for (int64_t n = 0; n < from[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < pixels; ++i) {
        target[(n * channels + c) * pixels + i] = source[(n * pixels + i) * channels + c];
      }
    }
  }
  return result;
}

// As [N, C, H, W].
Array read_images(const std::string& file) {
  Array array = read_array(file);
  const Shape shape = array.tensor.shape();
  const auto is_colour_count = [](int64_t size) { return size == 1 || size == 3; };
  const DType dtype = array.tensor.dtype();
  if (dtype != DType::u8 && dtype != DType::f32) {
    fail_input(array.where + ": images of " + name_of(dtype) +
               ", expected uint8 or float32; convert them with numpy's astype");
  }
  if (array.tensor.size() == 0 || shape.size() < 2 || shape.size() > 4) {
    fail_input(array.where + ": images of shape " + to_string(shape) +
               ", expected 2 to 4 axes without a zero: NxHxW, NxCxHxW, NxHxWxC or NxF");
  }
  if (shape.size() == 2) {
    array.tensor = array.tensor.reshaped({shape[0], 1, 1, shape[1]});
  } else if (shape.size() == 3) {
    array.tensor = array.tensor.reshaped({shape[0], 1, shape[1], shape[2]});
  } else if (!is_colour_count(shape[1]) && is_colour_count(shape[3])) {
    array.tensor =
        dtype == DType::u8 ? to_planar<uint8_t>(array.tensor) : to_planar<float>(array.tensor);
  }
  return array;
}

// One label an image, each of a class.
std::vector<int64_t> read_labels(const std::string& file) {
  const Array array = read_array(file);
  const Shape& shape = array.tensor.shape();
  const DType dtype = array.tensor.dtype();
  if (is_floating(dtype) || dtype == DType::u64) {
    fail_input(array.where + ": labels of " + name_of(dtype) +
               ", expected integers that fit int64; convert them with numpy's astype");
  }
  if (array.tensor.size() == 0 || shape.empty() || array.tensor.size() != shape[0]) {
    fail_input(array.where + ": labels of shape " + to_string(shape) +
               ", expected one an image: N or Nx1");
  }
  std::vector<int64_t> labels = to_int64s(array.tensor);
  const auto [low, high] = std::minmax_element(labels.begin(), labels.end());
  if (*low < 0 || *high >= kMostClasses) {
    const auto bad = *low < 0 ? low : high;
    fail_input(array.where + ": label " + std::to_string(*bad) + " of image " +
               std::to_string(bad - labels.begin()) + ", expected 0 to " +
               std::to_string(kMostClasses - 1));
  }
  return labels;
}

struct Files {
  std::string images, labels;
  std::vector<std::string> other_labels;  // of the other part: they say how many classes there are
  Split split;                            // what they are
};

Files choose_files(const std::string& argument, Split split) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= argument.size();) {
    const size_t end = std::min(argument.find(',', begin), argument.size());
    names.push_back(argument.substr(begin, end - begin));
    begin = end + 1;
  }
  const bool whole = std::ranges::none_of(names, &std::string::empty);
  if (!whole || (names.size() != 2 && names.size() != 4)) {
    fail_usage("data set 'npy:" + argument +
               "': expected two files, npy:IMAGES,LABELS, or two more with images to test with: "
               "npy:IMAGES,LABELS,TEST_IMAGES,TEST_LABELS");
  }
  if (names.size() == 2) return {names[0], names[1], {}, Split::train};
  if (same_place(names[0], names[2])) {
    fail_usage("data set 'npy:" + argument + "': the images to test with are those to train on, '" +
               names[0] + "'; name others, or the first two files alone");
  }
  if (split == Split::train) return {names[0], names[1], {names[3]}, split};
  return {names[2], names[3], {names[1]}, split};
}

int64_t classes_of(const std::vector<int64_t>& labels) {
  return *std::max_element(labels.begin(), labels.end()) + 1;
}

}  // namespace

std::unique_ptr<Dataset> open_npy(const std::string& argument, Split split) {
  const Files files = choose_files(argument, split);
  const Array images = read_images(files.images);
  const Shape& shape = images.tensor.shape();
  MemoryImages result;
  result.labels = read_labels(files.labels);
  if (std::ssize(result.labels) != shape[0]) {
    fail_input(in_quotes(files.labels) + ": labels of shape " +
               std::to_string(result.labels.size()) + ", expected " + std::to_string(shape[0]) +
               " as " + images.where + " has images");
  }
  result.classes = classes_of(result.labels);
  for (const std::string& file : files.other_labels) {
    result.classes = std::max(result.classes, classes_of(read_labels(file)));
  }
  result.split = files.split;
  result.name = "npy";
  result.dtype = images.tensor.dtype();
  result.shape = {shape[1], shape[2], shape[3]};
  const auto owner = std::make_shared<const Tensor>(images.tensor);
  const size_t image_bytes = owner->bytes().size() / static_cast<size_t>(shape[0]);
  result.parts.push_back({owner, owner->bytes(), image_bytes, shape[0]});
  // Floats are taken as preprocessed already.
  if (result.dtype == DType::f32) result.preprocessing = parse_preprocessing("none");
  return make_memory_dataset(std::move(result));
}

}  // namespace coppice
