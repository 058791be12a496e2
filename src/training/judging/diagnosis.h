// Why a classifier gets next to nothing right: mostly it is a good one that is judged wrongly.
//
//   shifted        labels counted from 1, or without the background class that the model begins
//                  with: with one added or taken away they would fit
//   renamed        its outputs tell the classes apart, but stand for others: each label goes with
//                  one output. The pairs are found on one half of every class's images, commonest
//                  first, and judged by the other half, so that many classes and few images don't
//                  make it look good.
//   not numbers    outputs hold NaN
//   beyond         many answers are classes that the labels don't reach: the model has more outputs
//                  than there are labels, or its first output isn't scores of classes
//   preprocessing  none of these
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace coppice {

// What an image is, and what the model takes it for: the class of the largest output, the first of
// equal ones; -1 where one is NaN.
struct Guess {
  int64_t label, output;
};

// Whether `top1` is less than a fifth of the way from chance to all: too little for a net that was
// trained on such images to go on from, or to teach.
bool knows_little(double top1, int64_t classes);

struct Diagnosis {
  enum class Cause { shifted, renamed, not_numbers, beyond, preprocessing };

  Cause cause = Cause::preprocessing;
  int64_t images = 0, classes = 0;
  double top1 = 0;
  double otherwise = 0;      // the top-1 if labels were shifted, or renamed
  int64_t shift = 0;         // that labels lack
  double commonest = 0;      // share of the images that get the answer which most of them get
  int64_t commonest_is = 0;  // that answer
  double beyond = 0;         // share of the images that get a class above the largest label
  int64_t largest_label = 0;
};

// The labels that there are, not only those of the images that were looked at.
struct LabelRange {
  int64_t least = 0, classes = 0;  // all are below `classes`
};
LabelRange labels_of(const Dataset& dataset);
LabelRange labels_of(std::span<const Guess> guesses);
// What holds the labels of both.
LabelRange joined(LabelRange a, LabelRange b);

// Requires: at least one guess; labels and outputs below `classes`. A shift is a cause only where
// it leaves every one of `labels` a class, since no other would be accepted.
Diagnosis diagnose(std::span<const Guess> guesses, int64_t classes, LabelRange labels);

// How the images were shown, to name it.
struct Shown {
  std::string images = "images";             // what they are: "held-out training images"
  std::string preprocessing, from;           // the text, and who says so
  std::optional<int64_t> label_offset = {};  // as it was given
};
// One sentence without an end: what was found, and what to do about it.
std::string explain(const Diagnosis& diagnosis, const Shown& shown);
// The same for a model that was trained on one part of a data set, got `held_out`, a share, of the
// images held out from it, and next to nothing of the test part: then the parts don't go
// together. A shift of all labels, as --label-offset makes it, would not help.
std::string explain_test_part(const Diagnosis& diagnosis, double held_out);

}  // namespace coppice
