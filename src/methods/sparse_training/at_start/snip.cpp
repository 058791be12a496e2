// Source: Lee, Ajanthan, Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity",
// ICLR 2019, arXiv:1810.02340, eq. 5 and Algorithm 1.
#include "methods/sparse_training/at_start/snip.h"

#include <cmath>

#include "methods/method.h"
#include "methods/sparse_training/at_start/at_start_options.h"

namespace coppice {

ScoredMasks snip_masks(Session& session, const AtStartOptions& options, const Recipe& recipe) {
  std::vector<ScoredLayer> layers =
      weights_times(Reduction::weight_gradients, session, session.graph(), options.pruning,
                    looking_at(session, options, recipe));
  for (ScoredLayer& layer : layers) {
    for (double& score : layer.scores) score = std::fabs(score);
  }
  require_signal(layers, "snip");
  return masks_by_score(layers, options.pruning.sparsity, options.pruning.scope);
}

extern const Method kSnip{
    .name = "snip",
    .paper = "Lee et al., SNIP, ICLR 2019, arXiv:1810.02340",
    .about = "zeroes before training the weights that the loss depends on least, |w dC/dw|",
    .differs =
        "ten images a class are looked at, as in later comparisons, where the paper takes one "
        "batch; the largest weight by rank of every layer stays; initial weights are those that "
        "the model comes with, where the paper's are scaled by fan-in; labels alone say what is "
        "scored, while a trained original teaches the training by default (--distill 0)",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = at_start_options_with_images(),
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      const AtStartOptions options = at_start_of(input);
      return prune_at_start(
          "snip", session, options, [&] { return snip_masks(session, options, recipe); }, recipe);
    }};

}  // namespace coppice
