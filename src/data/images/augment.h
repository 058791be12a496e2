// Random changes of training images, in place of having more of them.
//
// What happens to an image is a function of (seed, epoch, index) alone, never of the worker that
// loads it or of what was loaded before: a run that is resumed sees the same images.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "data/images/preprocess.h"

namespace coppice {

struct Augmentation {
  enum class Flip { off, on };
  int64_t pad = 0;        // zero pixels around the image, then a random window of the old size
  Flip flip = Flip::off;  // left to right, every second image
  // The least share of the area that a random window covers, which is then resized to what the
  // model takes; 1: none. Its aspect is 3/4 to 4/3 of the model input's. Source: Szegedy et al.,
  // "Going Deeper with Convolutions", CVPR 2015, arXiv:1409.4842, section 6, as torchvision's
  // RandomResizedCrop has it: ten draws, then the largest window in the middle of an aspect within
  // the bounds. Differs: none known for square inputs; the others aren't spoken of there.
  double least_area = 1;

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

// Reads "none", or "pad=4,flip", "area=0.08,flip". Throws Error::usage that names the bad token and
// what is allowed.
Augmentation parse_augmentation(std::string_view text);
std::string to_string(const Augmentation& augmentation);  // which parse_augmentation reads back

struct ImageKey {
  uint64_t seed, epoch, index;
};
// `pixels`: [C, H, W], u8 or f32; the result has the same type and shares the bytes where nothing
// is changed. Its size is the same, too; with least_area < 1 it is `window`, what the model takes,
// which preprocessing then leaves as it is. Throws nothing but for our own bugs.
Tensor augment(const Tensor& pixels, const Augmentation& augmentation, const ImageKey& key,
               ImageSize window);

}  // namespace coppice
