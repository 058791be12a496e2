// Source: He, Kang, Dong, Fu, Yang, "Soft Filter Pruning for Accelerating Deep Convolutional Neural
// Networks", IJCAI 2018, arXiv:1808.06866, Algorithm 1; with FPGM as criterion He et al., CVPR
// 2019, arXiv:1811.00250, Algorithm 1. Weights, momentum and BatchNormalization go on as if nothing
// had happened: only the filters themselves are zeroed.
// Differs: filters are zeroed once before the first epoch too, as the authors' code does. Their
// compact models add up the constants that BatchNormalization gives for zeroed filters; here
// `options.recover` makes up for what is cut (prune/compensate/compensation.h), or nothing does.
// Coupled layers lose the same filters, so that residual streams shrink, where the paper chooses in
// every layer by itself and keeps their width. Biases and normalisations have no weight decay,
// where the authors' code decays all parameters. The original teaches where the recipe's loss has a
// share for it, as the command's does by default for a trained model.
#include "methods/soft.h"

#include <algorithm>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "groups/cut/surgery.h"
#include "methods/one_shot/prune_and_train.h"

namespace coppice {
namespace {

// Zero for the filters of units that leave.
Masks masks_of_filters(const Graph& graph, const Groups& groups, const Removal& removal) {
  Masks masks;
  for (const Group& group : groups.free) {
    for (const Slice& slice : group.slices) {
      const Value& weight = graph.value(slice.tensor);
      if (slice.role != Role::filter || weight.constant->dtype() != DType::f32) continue;
      const std::vector<int64_t> leaving = leaving_indices(group, slice, removal);
      if (leaving.empty()) continue;
      const auto [mask, added] =
          masks.try_emplace(weight.name, Tensor::zeros(DType::f32, weight.constant->shape()));
      if (added) std::ranges::fill(mask->second.mutate<float>(), 1.0f);
      fill_slices(mask->second, slice.axis, leaving, 0);
    }
  }
  return masks;
}

void zero_filters(Session& session, const Criterion& criterion, const OneShotOptions& options) {
  const Traced traced = session.traced();
  const Allocation chosen = choose(traced, criterion, options);
  session.mask(masks_of_filters(traced.graph(), traced.groups(), chosen.removal),
               Session::Masking::soft);
}

}  // namespace

void require_filters(const Criterion& criterion) {
  if (criterion.ranks != Criterion::Ranks::normalisations) return;
  fail_usage("'" + std::string(criterion.name) +
             "' doesn't rank by filters but by BatchNormalization's scales, which soft pruning "
             "would leave as active as before; choose fpgm, l1 or l2, or slimming to train scales "
             "towards zero");
}

Outcome prune_softly(Session& session, const Criterion& criterion, const OneShotOptions& given,
                     const Recipe& recipe, const Recipe& tuning) {
  require_filters(criterion);
  OneShotOptions options = given;
  options.measure = measuring_in(session, recipe, given);
  session.stage("zeroing filters", [&] {
    Graph graph = session.original();
    loosen(graph);
    session.rewrite(std::move(graph));
    zero_filters(session, criterion, options);
  });
  session.stage("soft pruning", [&] {
    const auto after_epoch = [&](int64_t epoch) {
      if (epoch < recipe.epochs) zero_filters(session, criterion, options);
    };
    session.train(recipe, {.after_epoch = after_epoch});
  });
  session.stage("pruning", [&] {
    const Traced traced = session.traced();
    const Allocation chosen = choose(traced, criterion, options);
    session.remove(traced.groups(), chosen.removal, removing(options));
  });
  if (tuning.epochs > 0) session.stage("fine-tuning", [&] { session.train(tuning); });
  return outcome_of(session, criterion.name, options);
}

}  // namespace coppice
