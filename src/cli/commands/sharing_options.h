// The options of weight sharing, which prune and compress have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "methods/weight_sharing.h"
#include "session/checkpoint.h"

namespace coppice {

// As they were given.
struct SharingTexts {
  std::optional<std::string> bits, init, optimizer;
  std::optional<double> learning_rate;
};

void add_sharing_options(CLI::App& app, SharingTexts& texts);
// Those that were given, as the command line says them.
Request request_of(const SharingTexts& texts);

// Bits are "conv=8,fc=5", a single number for both, or a number for the layers that a regular
// expression matches ("conv=8,fc=5,^fc1=4"); `keep`: regular expressions for layers to leave alone.
// Throws Error::usage for anything else, and for sgd without a learning rate.
SharingOptions sharing_options(const SharingTexts& texts, std::vector<std::string> keep,
                               uint64_t seed);

}  // namespace coppice
