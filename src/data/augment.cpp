// See augment.h. A padded crop and a flip are one pass of row copies.
#include "data/augment.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "data/resize.h"

namespace coppice {
namespace {

constexpr uint64_t kStream = 0xa6;

// The window of the picture at (top, left), which may lie outside: there the result is 0.
template <typename T>
Tensor window_of(const Tensor& pixels, int64_t top, int64_t left, int64_t height, int64_t width,
                 Augmentation::Flip flip) {
  const Shape& shape = pixels.shape();
  Tensor result = Tensor::zeros(pixels.dtype(), {shape[0], height, width});
  const T* source = pixels.as<T>().data();
  T* target = result.mutate<T>().data();
  const int64_t first = std::max<int64_t>(0, -left),
                last = std::min<int64_t>(width, shape[2] - left);
  for (int64_t c = 0; c < shape[0]; ++c) {
    for (int64_t y = 0; y < height; ++y, target += width) {
      const int64_t row = top + y;
      if (row < 0 || row >= shape[1] || first >= last) continue;
      const T* from = source + (c * shape[1] + row) * shape[2] + left;
      if (flip == Augmentation::Flip::off) {
        std::copy(from + first, from + last, target + first);
      } else {
        std::reverse_copy(from + first, from + last, target + width - last);
      }
    }
  }
  return result;
}

Tensor window(const Tensor& pixels, int64_t top, int64_t left, int64_t height, int64_t width,
              Augmentation::Flip flip) {
  return pixels.dtype() == DType::u8 ? window_of<uint8_t>(pixels, top, left, height, width, flip)
                                     : window_of<float>(pixels, top, left, height, width, flip);
}

Tensor random_area(const Tensor& pixels, double least_area, Random& random,
                   Augmentation::Flip flip) {
  constexpr int kTries = 10;
  const int64_t height = pixels.shape()[1], width = pixels.shape()[2];
  for (int i = 0; i < kTries; ++i) {
    const double area =
        random.uniform(least_area, 1) * static_cast<double>(height) * static_cast<double>(width);
    const double aspect = std::exp(random.uniform(std::log(3.0 / 4), std::log(4.0 / 3)));
    const auto w = static_cast<int64_t>(std::llround(std::sqrt(area * aspect)));
    const auto h = static_cast<int64_t>(std::llround(std::sqrt(area / aspect)));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const auto top = static_cast<int64_t>(random.below(height - h + 1));
    const auto left = static_cast<int64_t>(random.below(width - w + 1));
    return resize_bilinear(window(pixels, top, left, h, w, flip), height, width);
  }
  return window(pixels, 0, 0, height, width, flip);
}

// A whole token that is a number.
template <typename Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

void parse_token(std::string_view token, Augmentation& augmentation) {
  constexpr std::string_view kPad = "pad=", kArea = "area=";
  constexpr int64_t kMostPad = 1024;
  if (token == "flip") {
    augmentation.flip = Augmentation::Flip::on;
    return;
  }
  if (token.starts_with(kPad)) {
    int64_t pad = 0;
    if (read(token.substr(kPad.size()), pad) && pad >= 0 && pad <= kMostPad) {
      augmentation.pad = pad;
      return;
    }
  } else if (token.starts_with(kArea)) {
    double area = 0;
    if (read(token.substr(kArea.size()), area) && area > 0 && area <= 1) {
      augmentation.least_area = area;
      return;
    }
  }
  fail_usage("augmentation: found '" + std::string(token) +
             "', expected none, or flip, pad=PIXELS and area=SHARE (above 0, at most 1) with "
             "commas between");
}

}  // namespace

Augmentation parse_augmentation(std::string_view text) {
  Augmentation augmentation;
  if (text == "none") return augmentation;
  while (true) {
    const size_t comma = text.find(',');
    parse_token(text.substr(0, comma), augmentation);
    if (comma == std::string_view::npos) return augmentation;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const Augmentation& augmentation) {
  std::string text;
  const auto add = [&](const std::string& token) { text += (text.empty() ? "" : ",") + token; };
  if (augmentation.pad > 0) add("pad=" + std::to_string(augmentation.pad));
  if (augmentation.least_area < 1) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, augmentation.least_area).ptr;
    add("area=" + std::string(digits, end));
  }
  if (augmentation.flip == Augmentation::Flip::on) add("flip");
  return text.empty() ? "none" : text;
}

Tensor augment(const Tensor& pixels, const Augmentation& augmentation, const PictureKey& key) {
  Random random = Random::stream(key.seed, {kStream, key.epoch, key.index});
  Augmentation::Flip flip = Augmentation::Flip::off;
  if (augmentation.flip == Augmentation::Flip::on && random.below(2) == 1) flip = augmentation.flip;
  const int64_t height = pixels.shape()[1], width = pixels.shape()[2];
  int64_t top = 0, left = 0;
  if (augmentation.pad > 0) {
    const auto places = static_cast<uint64_t>(2 * augmentation.pad + 1);
    top = static_cast<int64_t>(random.below(places)) - augmentation.pad;
    left = static_cast<int64_t>(random.below(places)) - augmentation.pad;
  }
  if (augmentation.least_area >= 1) {
    if (top == 0 && left == 0 && flip == Augmentation::Flip::off) return pixels;
    return window(pixels, top, left, height, width, flip);
  }
  const Tensor moved = augmentation.pad > 0
                           ? window(pixels, top, left, height, width, Augmentation::Flip::off)
                           : pixels;
  return random_area(moved, augmentation.least_area, random, flip);
}

}  // namespace coppice
