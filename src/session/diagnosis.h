// Why a classifier gets next to nothing right: mostly it is a good one that is judged wrongly.
//
//   shifted        labels counted from 1, or without the background class that the model begins
//   with:
//                  with one added or taken away they would fit
//   renamed        its outputs tell the classes apart, but stand for others: each label goes with
//   one
//                  output. The pairs are found on one half of every class's pictures, commonest
//                  first, and judged by the other half, so that many classes and few pictures don't
//                  make it look good.
//   not numbers    outputs hold NaN
//   preprocessing  none of these
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace coppice {

// What a picture is, and what the model takes it for: the class of the largest output, the first of
// equal ones; -1 where one is NaN.
struct Guess {
  int64_t label, output;
};

// Whether `top1` is less than a fifth of the way from chance to all: too little for a net that was
// trained on such pictures to go on from, or to teach.
bool knows_little(double top1, int64_t classes);

struct Diagnosis {
  enum class Cause { shifted, renamed, not_numbers, preprocessing };

  Cause cause = Cause::preprocessing;
  int64_t pictures = 0, classes = 0;
  double top1 = 0;
  double otherwise = 0;      // the top-1 if labels were shifted, or renamed
  int64_t shift = 0;         // that labels lack
  double commonest = 0;      // share of the pictures that get the answer which most of them get
  int64_t commonest_is = 0;  // that answer
};
// Requires: at least one guess; labels and outputs below `classes`.
Diagnosis diagnose(std::span<const Guess> guesses, int64_t classes);

// How the pictures were shown, to name it.
struct Shown {
  std::string pictures = "pictures";         // what they are: "held-out training pictures"
  std::string preprocessing, from;           // the text, and who says so
  std::optional<int64_t> label_offset = {};  // as it was given
};
// One sentence without an end: what was found, and what to do about it.
std::string explain(const Diagnosis& diagnosis, const Shown& shown);

}  // namespace coppice
