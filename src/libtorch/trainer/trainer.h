// The training contract (training/trainer.h) by LibTorch.
#pragma once

#include <memory>

#include "training/trainer.h"

namespace coppice::train {

// Throws Error::usage for a device that isn't there.
std::unique_ptr<Trainer> make_trainer(const TrainerOptions& options);

}  // namespace coppice::train
