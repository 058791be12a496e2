// See diagnosis.h.
#include "training/judging/diagnosis.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "core/error.h"

namespace coppice {
namespace {

// Another reading of the labels must explain so much of what is left: a net that knows a little is
// told from one that knows a lot under other labels.
constexpr double kFarAbove = 0.3;
// A net that knows its classes hardly ever answers with one that its images don't show.
constexpr double kManyBeyond = 0.2;

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

double share_of(int64_t count, std::span<const Guess> guesses) {
  return static_cast<double>(count) / static_cast<double>(guesses.size());
}

double top1_shifted(std::span<const Guess> guesses, int64_t shift) {
  return share_of(
      std::ranges::count_if(
          guesses, [&](const Guess& guess) { return guess.output == guess.label + shift; }),
      guesses);
}

// Whether every label would still be a class.
bool may_shift(LabelRange labels, int64_t classes, int64_t shift) {
  return labels.least + shift >= 0 && labels.classes + shift <= classes;
}

struct Most {
  int64_t which = 0, count = 0;
};
Most most_frequent(std::span<const Guess> guesses, int64_t Guess::*of) {
  std::map<int64_t, int64_t> counts;
  for (const Guess& guess : guesses) ++counts[guess.*of];
  Most most;
  for (const auto& [which, count] : counts) {
    if (count > most.count) most = {which, count};
  }
  return most;
}

// The output that goes with each label, one to one: the commonest pairs first, ties by index.
std::map<int64_t, int64_t> find_names(std::span<const Guess> guesses) {
  std::map<std::pair<int64_t, int64_t>, int64_t> counts;
  for (const Guess& guess : guesses) ++counts[{guess.label, guess.output}];
  std::vector<std::pair<std::pair<int64_t, int64_t>, int64_t>> pairs(counts.begin(), counts.end());
  std::ranges::stable_sort(pairs, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<int64_t, int64_t> names, labels;
  for (const auto& [pair, count] : pairs) {
    const auto [label, output] = pair;
    if (output < 0 || names.contains(label) || labels.contains(output)) continue;
    names[label] = output;
    labels[output] = label;
  }
  return names;
}

double top1_renamed(std::span<const Guess> guesses) {
  std::vector<Guess> halves[2];
  std::map<int64_t, size_t> seen;  // of a label
  for (const Guess& guess : guesses) halves[seen[guess.label]++ % 2].push_back(guess);
  int64_t right = 0;
  for (const size_t half : {0, 1}) {
    const std::map<int64_t, int64_t> names = find_names(halves[half]);
    right += std::ranges::count_if(halves[1 - half], [&](const Guess& guess) {
      const auto name = names.find(guess.label);
      return name != names.end() && name->second == guess.output;
    });
  }
  return share_of(right, guesses);
}

std::string preprocessed_as(const Shown& shown) {
  return "images preprocessed as in its training? They were by '" + shown.preprocessing + "' (" +
         shown.from + ")";
}

std::string cause_of(const Diagnosis& found, const Shown& shown) {
  switch (found.cause) {
    case Diagnosis::Cause::shifted:
      return "with labels shifted by " + std::to_string(found.shift) + " it would get " +
             percent(found.otherwise) + ": give --label-offset " +
             std::to_string(shown.label_offset.value_or(0) + found.shift);
    case Diagnosis::Cause::renamed:
      return "its outputs tell the classes apart (" + percent(found.otherwise) +
             " with classes renamed): are the labels, or the class folders, in another order than "
             "the model's?";
    case Diagnosis::Cause::not_numbers: return "its outputs aren't numbers (NaN)";
    case Diagnosis::Cause::beyond:
      return "it takes " + percent(found.beyond) + " of them for classes above " +
             std::to_string(found.largest_label) + ", the largest label, and has " +
             std::to_string(found.classes) +
             " outputs: is its first output the scores of the classes, and are the labels its "
             "class indices? Else, are " +
             preprocessed_as(shown);
    case Diagnosis::Cause::preprocessing: break;
  }
  constexpr double kAlways = 0.9;
  const std::string always =
      found.commonest < kAlways ? ""
                                : "it takes " + percent(found.commonest) + " of them for class " +
                                      std::to_string(found.commonest_is) + ", whatever they show; ";
  return always + "are " + preprocessed_as(shown);
}

}  // namespace

bool knows_little(double top1, int64_t classes) {
  constexpr double kLeastKnown = 0.2;  // of what chance leaves open
  const double chance = 1 / static_cast<double>(classes);
  return top1 < chance + kLeastKnown * (1 - chance);
}

LabelRange labels_of(const Dataset& dataset) {
  LabelRange labels{dataset.label(0), dataset.classes()};
  for (int64_t i = 1; i < dataset.size(); ++i) {
    labels.least = std::min(labels.least, dataset.label(i));
  }
  return labels;
}

LabelRange labels_of(std::span<const Guess> guesses) {
  const auto [least, most] = std::ranges::minmax(guesses, {}, &Guess::label);
  return {least.label, most.label + 1};
}

LabelRange joined(LabelRange a, LabelRange b) {
  return {std::min(a.least, b.least), std::max(a.classes, b.classes)};
}

Diagnosis diagnose(std::span<const Guess> guesses, int64_t classes, LabelRange labels) {
  COPPICE_CHECK(!guesses.empty(), "a diagnosis of nothing");
  const Most label = most_frequent(guesses, &Guess::label),
             output = most_frequent(guesses, &Guess::output);
  Diagnosis found{
      .images = std::ssize(guesses),
      .classes = classes,
      .top1 = top1_shifted(guesses, 0),
      .commonest = share_of(output.count, guesses),
      .commonest_is = output.which,
      .beyond =
          share_of(std::ranges::count_if(
                       guesses, [&](const Guess& guess) { return guess.output >= labels.classes; }),
                   guesses),
      .largest_label = labels.classes - 1};
  // What always the same answer would get, too, is no sign of knowing anything.
  const double known =
      std::max({found.top1, 1 / static_cast<double>(classes), share_of(label.count, guesses)});
  const double least = known + kFarAbove * (1 - known);
  const auto shifted_by = [&](int64_t shift) {
    return may_shift(labels, classes, shift) ? top1_shifted(guesses, shift) : 0;
  };
  const double up = shifted_by(1), down = shifted_by(-1);
  const double shifted = std::max(up, down), renamed = top1_renamed(guesses);
  const double nan = share_of(std::ranges::count(guesses, -1, &Guess::output), guesses);
  if (shifted >= least) {
    found.cause = Diagnosis::Cause::shifted;
    found.shift = up > down ? 1 : -1;
    found.otherwise = shifted;
  } else if (renamed >= least) {
    found.cause = Diagnosis::Cause::renamed;
    found.otherwise = renamed;
  } else if (nan > 0.5) {
    found.cause = Diagnosis::Cause::not_numbers;
  } else if (found.beyond >= kManyBeyond) {
    found.cause = Diagnosis::Cause::beyond;
  }
  return found;
}

std::string explain(const Diagnosis& found, const Shown& shown) {
  return "the model gets " + percent(found.top1) + " of " + std::to_string(found.images) + " " +
         shown.images + " right, and chance is " + percent(1 / static_cast<double>(found.classes)) +
         "; " + cause_of(found, shown);
}

std::string explain_test_part(const Diagnosis& found, double held_out) {
  const std::string results = "the model gets " + percent(held_out) +
                              " of the images held out from its training right, " + "but " +
                              percent(found.top1) + " of the " + std::to_string(found.images) +
                              " of the test part; ";
  switch (found.cause) {
    case Diagnosis::Cause::shifted:
      return results + "with the labels of that part shifted by " + std::to_string(found.shift) +
             " it would get " + percent(found.otherwise) + ": correct them";
    case Diagnosis::Cause::renamed:
      return results + "with classes renamed it would get " + percent(found.otherwise) +
             ": are the labels of that part in another order than those it was trained on?";
    default: return results + "do the images of that part show the same, and are labels theirs?";
  }
}

}  // namespace coppice
