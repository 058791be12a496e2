// Random changes of training pictures, in place of having more of them.
//
// What happens to a picture is a function of (seed, epoch, index) alone, never of the worker that
// loads it or of what was loaded before: a run that is resumed sees the same pictures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace coppice {

struct Augmentation {
  enum class Flip { off, on };
  int64_t pad = 0;        // zero pixels around the picture, then a random window of the old size
  Flip flip = Flip::off;  // left to right, every second picture
  // The least share of the area that a random window covers, which is then resized to the old size;
  // 1: none. Its sides are to each other as 3/4 to 4/3 of the picture's. Source: Szegedy et al.,
  // "Going Deeper with Convolutions", CVPR 2015, arXiv:1409.4842, section 6. Differs: there the
  // window itself has that aspect, for it becomes a square; here it becomes the picture's shape
  // again, and would leave photographs of 4:3 stretched by a third on average.
  double least_area = 1;

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

// Reads "none", or "pad=4,flip", "area=0.08,flip". Throws Error::usage that names the bad token and
// what is allowed.
Augmentation parse_augmentation(std::string_view text);
std::string to_string(const Augmentation& augmentation);  // which parse_augmentation reads back

struct PictureKey {
  uint64_t seed, epoch, index;
};
// `pixels`: [C, H, W], u8 or f32; the result has the same shape and type, and shares the bytes
// where nothing is changed. Throws nothing but for our own bugs.
Tensor augment(const Tensor& pixels, const Augmentation& augmentation, const PictureKey& key);

}  // namespace coppice
