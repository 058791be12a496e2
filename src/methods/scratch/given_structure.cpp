#include "methods/scratch/given_structure.h"

#include "session/state/kept.h"

namespace coppice {

const TextOption<std::string> kStructure(
    {"structure", "FILE",
     "a plan of this model, or a pruned model, whose structure is taken and none of whose "
     "weights are"},
    "a file", any_text);

Masks masks_after_cut(const Plan& plan) {
  return zeros_after({.zeros = plan.masks, .values = {}}, plan);
}

}  // namespace coppice
