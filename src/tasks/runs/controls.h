// Controls: what a pruning must be held against before one says that it brought anything. Each is a
// pruning of its own that has something in common with the first one:
//
//   random     as many channels of every group, or zeros of every layer, but drawn at random; tuned
//              alike (methods/scratch/random_structure.h)
//   scratch-e  the structure alone, trained by the dense net's schedule from weights drawn anew
//   scratch-b  the same, for as long as costs what the dense net's training does
//   lr-rewind  the same cut with its weights, but tuned by the dense net's whole schedule, from its
//              largest rate on. Source: Renda, Frankle, Carbin, "Comparing Rewinding and
//              Fine-tuning in Neural Network Pruning", ICLR 2020, arXiv:2003.02389, Sec. 3, with
//              all epochs rewound. Differs: none known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "options/settings.h"
#include "tasks/prune.h"

namespace coppice {

inline constexpr char kRandomControl[] = "random", kScratchEControl[] = "scratch-e",
                      kScratchBControl[] = "scratch-b", kRewindControl[] = "lr-rewind";

// --control NAMES
extern const TextOption<std::vector<std::string>> kControl;

// --control-epochs, --control-lr, --control-schedule: how the dense net was trained.
OptionList dense_options();
// With --control.
OptionList control_options();

// Names of controls, "scratch-b,random", each once; nothing for a text that isn't that.
std::optional<std::vector<std::string>> controls_in(const std::string& text);

// The first pruning of what it is compared with: its request with settled settings, and its plan.
// The graph is that of the model.
struct Rival {
  const PruneRequest& request;
  const std::string& plan;
  const Graph& model;
};

// The control's request, but for its output and run folder. `dense`: of dense_options. Throws
// Error::usage where the control has no meaning for the method.
PruneRequest control_of(const std::string& control, const Rival& rival, const Settings& dense);

}  // namespace coppice
