// What a classifier's outputs come to, added up batch by batch (evaluation.h says what counts).
#pragma once

#include <span>
#include <vector>

#include "training/judging/evaluation.h"

namespace coppice {

class Tally {
 public:
  // Every image's guess is appended to `guesses`, unless it is null.
  explicit Tally(ScoreForm form, std::vector<Guess>* guesses = nullptr)
      : form_(std::move(form)), guesses_(guesses) {}

  // `scores`: of `images` images, the first of which have these labels; the others fill a batch up.
  // Throws Error::input where they aren't scores of the labels' classes for so many images.
  void add(const Tensor& scores, std::span<const int64_t> labels, int64_t images);
  // Without batch and speed. Requires: an image.
  Evaluation so_far() const;

 private:
  double loss_of(std::span<const float> outputs, int64_t label) const;

  ScoreForm form_;
  std::vector<Guess>* guesses_;
  ScoreKind kind_ = ScoreKind::logits;
  int64_t images_ = 0, top1_ = 0, top5_ = 0;
  double loss_ = 0;
};

}  // namespace coppice
