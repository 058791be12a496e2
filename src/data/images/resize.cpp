// See resize.h. For output pixel i of n out of m, with factor f = m / n and width w = max(f, 1):
//   centre = (i + 1/2) f,   weight of source pixel j ~ max(0, 1 - |j + 1/2 - centre| / w),
// normalised over the pixels that exist. The bounds of j are PIL's.
// Differs: PIL rounds to 8 bits between the two passes; here the middle stays float (at most 1
// apart).
#include "data/images/resize.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace coppice {
namespace {

// The source pixels of one output pixel: weights of first, first + 1, ...
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

std::vector<Taps> make_taps(int64_t from, int64_t to) {
  const double factor = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(factor, 1.0);
  std::vector<Taps> taps;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * factor;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
    const int64_t end = std::min(from, static_cast<int64_t>(centre + reach + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int64_t j = first; j < end; ++j) {
      weights.push_back(std::max(0.0, 1 - std::abs(static_cast<double>(j) + 0.5 - centre) / reach));
      sum += weights.back();
    }
    taps.push_back({first, {}});
    for (const double weight : weights) {
      taps.back().weights.push_back(static_cast<float>(weight / sum));
    }
  }
  return taps;
}

template <typename T>
T from_float(float value) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
  } else {
    return value;
  }
}

template <typename T>
Tensor resize(const Tensor& pixels, int64_t height, int64_t width) {
  const int64_t channels = pixels.shape()[0], from_height = pixels.shape()[1],
                from_width = pixels.shape()[2];
  const std::vector<Taps> columns = make_taps(from_width, width);
  const std::vector<Taps> rows = make_taps(from_height, height);
  Tensor result = Tensor::zeros(pixels.dtype(), {channels, height, width});
  T* target = result.mutate<T>().data();
  std::vector<float> narrowed(static_cast<size_t>(from_height * width));
  std::vector<float> sum(static_cast<size_t>(width));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = 0; y < from_height; ++y) {
      const T* source = pixels.as<T>().data() + (c * from_height + y) * from_width;
      for (int64_t x = 0; x < width; ++x) {
        const Taps& taps = columns[x];
        float value = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k) {
          value +=
              taps.weights[k] * static_cast<float>(source[taps.first + static_cast<int64_t>(k)]);
        }
        narrowed[y * width + x] = value;
      }
    }
    for (int64_t y = 0; y < height; ++y, target += width) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (size_t k = 0; k < rows[y].weights.size(); ++k) {
        const float weight = rows[y].weights[k];
        const float* row = &narrowed[(rows[y].first + static_cast<int64_t>(k)) * width];
        for (int64_t x = 0; x < width; ++x) sum[x] += weight * row[x];
      }
      for (int64_t x = 0; x < width; ++x) target[x] = from_float<T>(sum[x]);
    }
  }
  return result;
}

}  // namespace

Tensor resize_bilinear(const Tensor& pixels, int64_t height, int64_t width) {
  COPPICE_CHECK(pixels.rank() == 3 && pixels.size() > 0 && height > 0 && width > 0,
                "resize of " + to_string(pixels.shape()));
  if (pixels.shape()[1] == height && pixels.shape()[2] == width) return pixels;
  return pixels.dtype() == DType::u8 ? resize<uint8_t>(pixels, height, width)
                                     : resize<float>(pixels, height, width);
}

}  // namespace coppice
