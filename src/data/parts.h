// The images that a data set has to train with, in parts that share none: what a choice is made
// by must not be what it is judged by, nor what was trained on.
//
// The parts are the data set's: a function of its size, its labels and the shares alone, whatever a
// run's seed says, so that runs that are compared by the images held out hold out the same ones,
// and a resumed run finds the parts that it had.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "data/dataset.h"

namespace coppice {

enum class Part {
  training,       // weights learn from them
  recalibration,  // candidates get their normalisations' statistics from them
  search,         // candidates are chosen by them
  held_out,       // what comes of it is judged by them, epoch after epoch
};
inline constexpr std::array kParts = {Part::training, Part::recalibration, Part::search,
                                      Part::held_out};
const char* name_of(Part part);  // "training", "recalibration", "search", "held_out"

// Of all images, each rounded to the nearest; what is left trains.
struct PartShares {
  double held_out = 0.1, search = 0, recalibration = 0;
  // by_class: of every class the same share in every part, but for rounding; reads all labels.
  enum class Drawn { anyhow, by_class } drawn = Drawn::anyhow;
};

// By part the numbers of its images, ascending; all parts are there, if empty. Requires: shares
// from 0 up that don't come to more than 1.
using Parts = std::map<Part, std::vector<int64_t>>;
Parts parts_of(const Dataset& dataset, const PartShares& shares);

}  // namespace coppice
