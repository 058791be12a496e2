// Pixels to model input: grey or colour as the model wants, resize, window, then one pass that
// scales, reorders and lays out. The window is never copied out: it is read where it lies.
#include "data/images/preprocess.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/error.h"
#include "data/images/resize.h"

namespace coppice {
namespace {

constexpr double kMostPixels = 1e8;

struct Window {
  int64_t top, left, height, width;
};

std::string text_of(ImageSize size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

ImageSize size_of(const Tensor& pixels) { return {pixels.shape()[1], pixels.shape()[2]}; }

// ITU-R 601 luma; for u8 with the integer weights that PIL uses.
template <typename T>
Tensor to_grey(const Tensor& pixels) {
  const int64_t count = pixels.size() / 3;
  Tensor grey = Tensor::zeros(pixels.dtype(), {1, pixels.shape()[1], pixels.shape()[2]});
  const T* red = pixels.as<T>().data();
  const T *green = red + count, *blue = green + count;
  const std::span<T> target = grey.mutate<T>();
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, uint8_t>) {
      target[i] =
          static_cast<T>((red[i] * 19595u + green[i] * 38470u + blue[i] * 7471u + 0x8000u) >> 16);
    } else {
      target[i] = 0.299f * red[i] + 0.587f * green[i] + 0.114f * blue[i];
    }
  }
  return grey;
}

Tensor checked_resize(const Tensor& pixels, ImageSize to) {
  if (to == size_of(pixels)) return pixels;
  if (static_cast<double>(to.height) * static_cast<double>(to.width) > kMostPixels) {
    fail_input("an image of " + text_of(size_of(pixels)) + " pixels would become " + text_of(to) +
               ", expected at most 100000000 pixels; remove it or resize less");
  }
  return resize_bilinear(pixels, to.height, to.width);
}

// torchvision's Resize(int): the long side is cut to whole pixels.
ImageSize resized(ImageSize from, int64_t short_side) {
  if (short_side == 0) return from;
  const int64_t shorter = std::min(from.height, from.width);
  return {short_side * from.height / shorter, short_side * from.width / shorter};
}

// Keeping the aspect, so large that both sides reach `least`; larger images stay.
ImageSize enlarged(ImageSize from, ImageSize least) {
  if (from.height >= least.height && from.width >= least.width) return from;
  const double factor =
      std::max(static_cast<double>(least.height) / static_cast<double>(from.height),
               static_cast<double>(least.width) / static_cast<double>(from.width));
  const auto side = [&](int64_t now, int64_t wanted) {
    return std::max<int64_t>(wanted, std::llround(static_cast<double>(now) * factor));
  };
  return {side(from.height, least.height), side(from.width, least.width)};
}

// Half of the margin, halves to even as torchvision's CenterCrop.
int64_t centre_offset(int64_t margin) {
  const int64_t half = margin / 2;
  return margin % 2 == 1 && half % 2 == 1 ? half + 1 : half;
}

Window centre_window(ImageSize image, ImageSize wanted) {
  return {centre_offset(image.height - wanted.height), centre_offset(image.width - wanted.width),
          wanted.height, wanted.width};
}

// Of a list with one value a channel, one for all, or none.
float value_for(const std::vector<float>& list, int64_t channel, float otherwise) {
  if (list.empty()) return otherwise;
  return list.size() == 1 ? list[0] : list[channel];
}

void check_list(const std::vector<float>& list, const char* name, int64_t channels) {
  if (list.size() <= 1 || static_cast<int64_t>(list.size()) == channels) return;
  fail_usage("preprocessing: " + std::string(name) + " has " + std::to_string(list.size()) +
             " values, the model's input has " + std::to_string(channels) +
             " channels; give one value a channel, or one for all");
}

template <typename T>
void write_values(const Tensor& pixels, const Window& window, const Preprocessing& how,
                  int64_t channels, std::span<float> values) {
  const ImageSize size = size_of(pixels);
  const T* source = pixels.as<T>().data();
  const bool reversed = how.order == Preprocessing::Order::bgr && channels == 3;
  const bool planar = how.layout == Preprocessing::Layout::nchw;
  const int64_t step = planar ? 1 : channels;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t plane = pixels.shape()[0] == 1 ? 0 : (reversed ? channels - 1 - c : c);
    const float scale = how.scale, mean = value_for(how.mean, c, 0),
                deviation = value_for(how.deviation, c, 1);
    float* target = values.data() + (planar ? c * window.height * window.width : c);
    for (int64_t y = 0; y < window.height; ++y, target += window.width * step) {
      const T* row = source + (plane * size.height + window.top + y) * size.width + window.left;
      for (int64_t x = 0; x < window.width; ++x) {
        target[x * step] = (static_cast<float>(row[x]) * scale - mean) / deviation;
      }
    }
  }
}

// Channels and window size that the model asks of an image of size `image`.
struct Wanted {
  int64_t channels;
  ImageSize size;
};

Wanted find_wanted(ImageSize image, const Preprocessing& how, const Shape& input) {
  if (input.size() == 3) {
    const bool planar = how.layout == Preprocessing::Layout::nchw;
    const ImageSize size = planar ? ImageSize{input[1], input[2]} : ImageSize{input[0], input[1]};
    if (how.crop > 0 && (how.crop != size.height || how.crop != size.width)) {
      fail_usage("preprocessing: crop=" + std::to_string(how.crop) + ", the model's input is " +
                 text_of(size) + " pixels; leave crop out, or make them agree");
    }
    return {planar ? input[0] : input[2], size};
  }
  const ImageSize size = how.crop > 0 ? ImageSize{how.crop, how.crop} : image;
  const int64_t flat = element_count(input), area = size.height * size.width;
  if (flat % area != 0) {
    fail_usage("preprocessing: the model's input takes " + std::to_string(flat) +
               " values, images of " + text_of(size) + " pixels give a multiple of " +
               std::to_string(area) + "; use resize= and crop= to make them agree");
  }
  return {flat / area, size};
}

}  // namespace

ImageSize window_size(ImageSize image, const Preprocessing& how, const Shape& input) {
  return find_wanted(resized(image, how.resize), how, input).size;
}

double seen_share(ImageSize image, const Preprocessing& how, const Shape& input) {
  const ImageSize small = resized(image, how.resize);
  const ImageSize window = find_wanted(small, how, input).size, whole = enlarged(small, window);
  const bool upright = whole.height > whole.width;
  return static_cast<double>(upright ? window.width : window.height) /
         static_cast<double>(upright ? whole.width : whole.height);
}

void preprocess(const Tensor& pixels, const Preprocessing& how, const Shape& input,
                std::span<float> values) {
  const bool bytes = pixels.dtype() == DType::u8;
  COPPICE_CHECK(pixels.rank() == 3 && pixels.size() > 0 && (bytes || pixels.dtype() == DType::f32),
                "pixels of shape " + to_string(pixels.shape()) + ", " + name_of(pixels.dtype()));
  COPPICE_CHECK(static_cast<int64_t>(values.size()) == element_count(input),
                "room for " + std::to_string(values.size()) + " values, not " + to_string(input));
  Tensor image = checked_resize(pixels, resized(size_of(pixels), how.resize));
  const Wanted wanted = find_wanted(size_of(image), how, input);
  const int64_t channels = pixels.shape()[0];
  if (channels == 3 && wanted.channels == 1) {
    image = bytes ? to_grey<uint8_t>(image) : to_grey<float>(image);
  } else if (channels != wanted.channels && !(channels == 1 && wanted.channels == 3)) {
    fail_usage("preprocessing: images of " + std::to_string(channels) +
               " channels, the model's input " + to_string(input) + " has " +
               std::to_string(wanted.channels) + "; use the data set or layout it was made for");
  }
  check_list(how.mean, "mean", wanted.channels);
  check_list(how.deviation, "std", wanted.channels);
  image = checked_resize(image, enlarged(size_of(image), wanted.size));
  const Window window = centre_window(size_of(image), wanted.size);
  if (bytes) {
    write_values<uint8_t>(image, window, how, wanted.channels, values);
  } else {
    write_values<float>(image, window, how, wanted.channels, values);
  }
}

}  // namespace coppice
