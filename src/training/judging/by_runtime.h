// Judging by the runtime: a compiled net as what `evaluate` asks.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/executable.h"
#include "training/judging/evaluation.h"

namespace coppice {

// Gives the first output. Requires: batches of the size that the executable was compiled for.
inline Classify classifier_of(Executable compiled) {
  const auto executable = std::make_shared<Executable>(std::move(compiled));
  const auto outputs = std::make_shared<std::vector<Tensor>>(executable->allocate_outputs());
  return [executable, outputs](const Tensor& images) {
    executable->run(std::span(&images, 1), *outputs);
    return outputs->front();
  };
}

}  // namespace coppice
