// See augment.h. An image's changes are drawn in a fixed order (area, pad, flip) from a stream of
// its own; then at most two copies are made: the random area, resized, and one pass that pads, cuts
// the window and mirrors its rows.
#include "data/images/augment.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/random.h"
#include "data/images/resize.h"

namespace coppice {
namespace {

constexpr uint64_t kStream = 0x6175676d656e74;  // "augment": no other stream of the seed is like it
constexpr int kAreaTries = 10;
constexpr double kMostAspect = 4.0 / 3.0;  // and its inverse is the least

struct Window {
  int64_t top = 0, left = 0, height, width;
};

// The window of every plane, zero where it lies outside the image.
template <typename T>
Tensor copy_window(const Tensor& pixels, const Window& window, Augmentation::Flip flip) {
  const int64_t planes = pixels.shape()[0], height = pixels.shape()[1], width = pixels.shape()[2];
  Tensor result = Tensor::zeros(pixels.dtype(), {planes, window.height, window.width});
  // Columns of the window that the image has.
  const int64_t begin = std::clamp<int64_t>(-window.left, 0, window.width);
  const int64_t end = std::clamp<int64_t>(width - window.left, begin, window.width);
  if (begin == end) return result;
  const T* source = pixels.as<T>().data();
  T* target = result.mutate<T>().data();
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t y = 0; y < window.height; ++y, target += window.width) {
      const int64_t from = window.top + y;
      if (from < 0 || from >= height) continue;
      const T* first = source + (plane * height + from) * width + window.left + begin;
      if (flip == Augmentation::Flip::on) {
        std::reverse_copy(first, first + (end - begin), target + window.width - end);
      } else {
        std::copy(first, first + (end - begin), target + begin);
      }
    }
  }
  return result;
}

Tensor copy_window(const Tensor& pixels, const Window& window, Augmentation::Flip flip) {
  return pixels.dtype() == DType::u8 ? copy_window<uint8_t>(pixels, window, flip)
                                     : copy_window<float>(pixels, window, flip);
}

int64_t pixels_of(double side) { return std::max<int64_t>(1, std::llround(side)); }

// A window of random area and aspect at a random place, if it fits. `aspect`: width to height of
// what the window is for.
std::optional<Window> draw_area(ImageSize image, double aspect, double least_area, Random& random) {
  const auto height = static_cast<double>(image.height), width = static_cast<double>(image.width);
  const double area = random.uniform(least_area, 1);
  const double drawn = std::exp(random.uniform(-std::log(kMostAspect), std::log(kMostAspect)));
  const double stretch = drawn * aspect * height / width;  // of the window, beside the image
  Window window{.height = pixels_of(height * std::sqrt(area / stretch)),
                .width = pixels_of(width * std::sqrt(area * stretch))};
  if (window.height > image.height || window.width > image.width) return std::nullopt;
  const auto place = [&](int64_t margin) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(margin) + 1));
  };
  window.top = place(image.height - window.height);
  window.left = place(image.width - window.width);
  return window;
}

// As much as fits of an aspect within the bounds.
Window largest_area(ImageSize image, double aspect) {
  const auto height = static_cast<double>(image.height), width = static_cast<double>(image.width);
  const double most = std::min(width, height * aspect * kMostAspect);
  const double least = std::min(height, width / aspect * kMostAspect);
  Window window{.height = std::min(image.height, pixels_of(least)),
                .width = std::min(image.width, pixels_of(most))};
  window.top = (image.height - window.height) / 2;
  window.left = (image.width - window.width) / 2;
  return window;
}

Tensor take_area(const Tensor& pixels, double least_area, ImageSize wanted, Random& random) {
  const ImageSize image{pixels.shape()[1], pixels.shape()[2]};
  const double aspect = static_cast<double>(wanted.width) / static_cast<double>(wanted.height);
  std::optional<Window> window;
  for (int i = 0; i < kAreaTries && !window; ++i) {
    window = draw_area(image, aspect, least_area, random);
  }
  if (!window) window = largest_area(image, aspect);
  return resize_bilinear(copy_window(pixels, *window, Augmentation::Flip::off), wanted.height,
                         wanted.width);
}

}  // namespace

Tensor augment(const Tensor& pixels, const Augmentation& augmentation, const ImageKey& key,
               ImageSize wanted) {
  COPPICE_CHECK(pixels.rank() == 3 && pixels.size() > 0 &&
                    (pixels.dtype() == DType::u8 || pixels.dtype() == DType::f32),
                "pixels of shape " + to_string(pixels.shape()) + ", " + name_of(pixels.dtype()));
  COPPICE_CHECK(
      augmentation.pad >= 0 && augmentation.least_area > 0 && augmentation.least_area <= 1,
      "augmentation " + to_string(augmentation));
  Random random = Random::stream(key.seed, {kStream, key.epoch, key.index});
  const Tensor image = augmentation.least_area < 1
                           ? take_area(pixels, augmentation.least_area, wanted, random)
                           : pixels;
  Window window{.height = image.shape()[1], .width = image.shape()[2]};
  if (augmentation.pad > 0) {
    const uint64_t places = 2 * static_cast<uint64_t>(augmentation.pad) + 1;
    window.top = static_cast<int64_t>(random.below(places)) - augmentation.pad;
    window.left = static_cast<int64_t>(random.below(places)) - augmentation.pad;
  }
  const bool mirrored = augmentation.flip == Augmentation::Flip::on && random.below(2) == 1;
  if (!mirrored && window.top == 0 && window.left == 0) return image;
  return copy_window(image, window, mirrored ? Augmentation::Flip::on : Augmentation::Flip::off);
}

}  // namespace coppice
