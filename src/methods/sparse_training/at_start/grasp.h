// GraSP: weights stay whose removal would take the most from the flow of gradients.
#pragma once

#include "methods/sparse_training/at_start/at_start.h"

namespace coppice {

// The masks of the largest w (H g), with g and H of the loss of the images of looking_at, the
// logits divided by 200.
ScoredMasks grasp_masks(Session& session, const AtStartOptions& options, const Recipe& recipe);

}  // namespace coppice
