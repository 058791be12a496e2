// What a model wants done to an image's pixels before it sees them. It belongs to the model:
// written into its metadata as text, read back, or given with --preprocess.
//
//   value = (pixel * scale - mean[c]) / deviation[c]      c in the channel order of the model
//
// Geometry: the short side is resized to `resize`, then the centre `crop` x `crop` is cut out.
// Without `crop`, images larger than the model's input are cropped to it, and smaller ones
// enlarged first; images of the input's size stay as they are. So presets set neither.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace coppice {

struct Preprocessing {
  enum class Order { rgb, bgr };     // of three channels; others are not reordered
  enum class Layout { nchw, nhwc };  // of the model's input

  float scale = 1;               // finite, not 0
  std::vector<float> mean;       // one a channel, or one for all; none is 0
  std::vector<float> deviation;  // the same, all above 0; none is 1
  Order order = Order::rgb;
  Layout layout = Layout::nchw;
  int64_t resize = 0;  // pixels of the short side, 0 = none
  int64_t crop = 0;    // pixels of both sides, 0 = the model's input size

  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

// Reads "PRESET", "PRESET,KEY=..." or "KEY=...,...": presets imagenet, cifar10, mnist, none (pixels
// as they are); keys mean, std, scale, order=rgb|bgr, layout=nchw|nhwc, resize, crop. A token
// without '=' continues the list before it (mean=.485,.456,.406). Numbers may be fractions (1/255).
// A later key replaces an earlier one. Throws Error::usage that names the bad token and what is
// allowed.
Preprocessing parse_preprocessing(std::string_view text);

// The canonical text, which parse_preprocessing reads back to an equal struct.
std::string to_string(const Preprocessing& preprocessing);

struct ImageSize {
  int64_t height = 0, width = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

// The pixels that a model input takes of an image of size `image`, once that is resized.
// `input`: as for preprocess, which throws the same.
ImageSize window_size(ImageSize image, const Preprocessing& preprocessing, const Shape& input);

// The share of the short side that a model gets to see of such an image, from 0 to 1.
double seen_share(ImageSize image, const Preprocessing& preprocessing, const Shape& input);

// Makes one model input of one image. `pixels`: [C, H, W], u8 or f32. `input`: the model's input
// without the batch axis: [C, H, W] or [H, W, C] by layout; any other rank takes the values flat.
// `values`: element_count(input) floats, all of them written.
// One channel is replicated for three, three become luma for one (ITU-R 601); other mismatches,
// list lengths or a `crop` that is not the input's size are Error::usage. Error::input if a
// image's aspect is so extreme that resizing would make more than 100 million pixels of it.
void preprocess(const Tensor& pixels, const Preprocessing& preprocessing, const Shape& input,
                std::span<float> values);

}  // namespace coppice
