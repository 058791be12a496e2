// Makes up for channels that leave, before they do, step by step, and keeps of what was asked for
// the steps that help on images that nothing was fitted to.
//
//   bias, merge, scale   by means and covariances (compensation.h)
//   basis                linear streams are written so that least is lost (change_basis.h)
//   ls                   layer by layer, by least squares on what is left (refit_layers.h)
//   bn                   means and variances of what is left (match_moments.h)
//   distill              a short training by the original's outputs; whoever can train does that
//
// in this order: each begins where those before have got to, and what comes last has the last word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "prune/compensate/compensation.h"
#include "prune/compensate/output_error.h"

namespace coppice {

struct RecoverOptions {
  bool bias = false, merge = false, scale = false;
  bool basis = false, ls = false, bn = false;  // left out where there is nothing to measure on
  bool distill = false;                        // after the cut, by others than `recover`
  Measure measure = {};  // of images to fit to; null: what the model says of itself
  Measure judge = {};    // of others; null: every step is kept
  Outputs outputs = Outputs::numbers;

  bool by_moments() const { return bias || merge || scale; }
  bool by_images() const { return basis || ls || bn; }
  bool any() const { return by_moments() || by_images() || distill; }
  // Weights that are zero may become something else.
  bool fills_zeros() const { return merge || basis || ls; }
  // All but the training, as far as what there is to go by allows.
  static RecoverOptions all() {
    return {.bias = true, .merge = true, .scale = true, .basis = true, .ls = true, .bn = true};
  }
};

// In the order in which they are done: "bias", "merge", ...
std::vector<std::string> step_names(const RecoverOptions& options);

struct RecoverStep {
  std::string name;
  bool kept = true;
  int64_t corrected = 0, unknown = 0;  // streams, layers or normalisations
  // Of the outputs (output_error.h), before it and with it; nothing where nothing judges.
  std::optional<double> before = {}, after = {};
  friend bool operator==(const RecoverStep&, const RecoverStep&) = default;
};

struct Recovered {
  Compensated compensated;         // what bias, merge and scale have come to
  std::vector<RecoverStep> steps;  // that were tried
  std::vector<std::string> kept() const;
  friend bool operator==(const Recovered&, const Recovered&) = default;
};

// Changes weights, biases and running statistics; the units are still there, and cut or masked
// afterwards. Layers may get biases, which join `groups`. `groups` must have been found on this
// graph as it is now. The same input gives the same bits. Throws what `measure` and `judge` throw.
Recovered recover(Graph& graph, Groups& groups, const Removal& removal,
                  const RecoverOptions& options);

}  // namespace coppice
