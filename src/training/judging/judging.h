// Which images a model is judged by, what they are called, and whether it sees enough of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace coppice {

enum class JudgedBy {
  test,      // the data set's own test part
  held_out,  // training images that this run never trained on
  training,  // training images, of which nobody knows that the model hasn't seen them
};
const char* name_of(JudgedBy by);  // "test", "held out", "training images"

struct JudgedImages {
  JudgedBy by = JudgedBy::test;
  std::vector<int64_t> indices;  // of the data set
};
// `dataset`: as opened for Split::test. `held_out`: the training images that a training here
// leaves out; empty where nothing is trained, or nothing left out. They count where there is no
// test part.
JudgedImages images_to_judge(const Dataset& dataset, std::span<const int64_t> held_out = {});

// A sentence where no resizing was asked for and the model sees less than 60 % of an image's short
// side; nothing where it sees more. Looks at a few of `indices`. Throws what reading and
// preprocessing them throws.
std::optional<std::string> why_hardly_seen(const Dataset& dataset, std::span<const int64_t> indices,
                                           const Preprocessing& preprocessing, const Shape& input);

// A model that learns from one part of a data set and is judged by the other: throws Error::input
// with both shapes where their images differ. In folders any image may have a shape of its own.
void require_same_shapes(const Dataset& training, const Dataset& judged);

}  // namespace coppice
