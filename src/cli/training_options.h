// The options of training, for every command that trains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/options.h"
#include "session/checkpoint.h"

namespace coppice {

struct TrainingOptions {
  int64_t epochs = 0, batch = 128;
  std::string optimizer = "sgd", schedule = "cosine", augment, device = "cpu", zeros = "keep";
  std::optional<double> learning_rate, clip_norm, norm_momentum;
  double momentum = 0.9, weight_decay = 5e-4, label_smoothing = 0, warm_up = 0;
  double temperature = 4;
  std::optional<double> distillation, held_out;  // absent: what is usual, see training.cpp
  bool from_scratch = false;                     // a file is taken for an untrained model
  bool resume = false;
  // What gives the learning rate, for a message; empty: --lr and the usual one.
  std::string rate_hint = {};
};

void add_training_options(CLI::App& app, TrainingOptions& options);
// The options that aren't at their defaults, as the command line says them.
Request request_of(const TrainingOptions& options);
void add_label_offset(Request& request, std::optional<int64_t> offset);

}  // namespace coppice
