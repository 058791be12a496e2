// Source: Wang, Zhang, Grosse, "Picking Winning Tickets Before Training by Preserving Gradient
// Flow", ICLR 2020, arXiv:2002.07376, eq. 8 and Algorithm 2: what has the largest -w (H g) leaves.
#include "methods/sparse_training/at_start/grasp.h"

#include "methods/method.h"
#include "methods/sparse_training/at_start/at_start_options.h"

namespace coppice {
namespace {

constexpr double kTemperature = 200;  // the paper's

}  // namespace

ScoredMasks grasp_masks(Session& session, const AtStartOptions& options, const Recipe& recipe) {
  Collection how = looking_at(session, options, recipe);
  how.loss.label_temperature = kTemperature;
  const std::vector<ScoredLayer> layers = weights_times(
      Reduction::weight_hessian_gradients, session, session.graph(), options.pruning, how);
  require_signal(layers, "grasp");
  return masks_by_score(layers, options.pruning.sparsity, options.pruning.scope);
}

extern const Method kGrasp{
    .name = "grasp",
    .paper = "Wang et al., GraSP, ICLR 2020, arXiv:2002.07376",
    .about = "zeroes before training the weights that the flow of gradients needs least, w (H g)",
    .differs =
        "H g is exact, by differentiating gradients once more, of each batch by itself where the "
        "images take several (the paper's g is of all); the largest weight by rank of every layer "
        "stays; the last layer's weights aren't drawn anew to score them, as the authors' code "
        "does; a trained original teaches the training by default (--distill 0)",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = at_start_options_with_images(),
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      const AtStartOptions options = at_start_of(input);
      return prune_at_start(
          "grasp", session, options, [&] { return grasp_masks(session, options, recipe); }, recipe);
    }};

}  // namespace coppice
