// Which of two judgements of models for the same task is the better one.
#pragma once

#include "training/judging/evaluation.h"

namespace coppice {

// By accuracy, then by loss; of equals neither.
inline bool is_better(const Evaluation& a, const Evaluation& b) {
  return a.top1 > b.top1 || (a.top1 == b.top1 && a.loss < b.loss);
}

}  // namespace coppice
