// See at_start.h.
#include "methods/sparse_training/at_start/at_start.h"

#include <algorithm>

#include "core/error.h"
#include "methods/sparse_training/sparse_training.h"
#include "options/option.h"
#include "prune/scores/criterion.h"
#include "session/state/beside_weights.h"

namespace coppice {
namespace {

// Without classes there are none to have ten images of.
constexpr int64_t kImagesOfClass = 10, kImagesWithoutClasses = 100;

template <typename T>
std::vector<double> products(std::span<const float> weights, std::span<const T> numbers) {
  std::vector<double> scores(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) scores[i] = double{weights[i]} * double{numbers[i]};
  return scores;
}

void warn_of_spared(const std::vector<std::string>& spared, const std::string& method,
                    const AtStartOptions& options) {
  if (spared.empty()) return;
  options.warn(method + " ranks all weights of " + listed(spared, " and ") +
               " too low to stay; so that nothing is cut off, the largest of each does");
}

}  // namespace

Collection looking_at(const Session& session, const AtStartOptions& options, const Recipe& recipe) {
  const int64_t classes = session.classes();
  const int64_t usual = classes > 0 ? kImagesOfClass * classes : kImagesWithoutClasses;
  const int64_t wanted = options.images > 0 ? options.images : usual;
  const int64_t images =
      std::max<int64_t>(1, std::min(wanted, std::ssize(session.images(Part::training))));
  const int64_t batches = (images + recipe.batch - 1) / recipe.batch;
  Collection how{.batches = batches,
                 .batch = images / batches,
                 .seed = options.seed,
                 .loss = recipe.loss,
                 .losses = recipe.losses};
  if (classes > 0) how.loss.distillation = 0;  // which is at its least before any training
  return how;
}

std::vector<ScoredLayer> weights_times(Reduction reduction, Session& session, const Graph& graph,
                                       const MagnitudeOptions& options, const Collection& how) {
  std::vector<EvidenceRequest> requests;
  for (const std::string& name : weights_to_mask(graph, options.keep)) {
    requests.push_back({name, reduction});
  }
  const Evidence evidence = session.collect(graph, requests, how);
  const ConstantsByName constants(graph);
  std::vector<ValueId> ids;
  for (const EvidenceRequest& request : requests) ids.push_back(constants.id(request.value));
  std::vector<FilterBlocks> blocks;
  if (options.together > 1) blocks = blocks_of(graph, ids, options.together, options.filters);
  std::vector<ScoredLayer> layers;
  for (const EvidenceRequest& request : requests) {
    const Tensor &weight = *constants.find(request.value), &answer = evidence.at(request);
    layers.push_back({request.value, weight.shape(),
                      answer.dtype() == DType::f32
                          ? products(weight.as<float>(), answer.as<float>())
                          : products(weight.as<float>(), answer.as<double>())});
    if (!blocks.empty()) layers.back().blocks = blocks[layers.size() - 1];
  }
  return layers;
}

void require_signal(const std::vector<ScoredLayer>& layers, const std::string& method) {
  for (const ScoredLayer& layer : layers) {
    if (std::ranges::any_of(layer.scores, [](double x) { return x != 0 && x != kGoesFirst; })) {
      return;
    }
  }
  fail_target(method +
              ": no weight's score differs from 0, so none can be told from another; does "
              "anything of the images come through to the outputs?");
}

Outcome prune_at_start(const std::string& method, Session& session, const AtStartOptions& options,
                       const std::function<ScoredMasks()>& choose, const Recipe& recipe) {
  require_finite(session.original());
  require_denser_than_asked(session.original(), options.pruning);
  session.stage("pruning", [&] {
    ScoredMasks chosen = choose();
    warn_of_spared(chosen.spared, method, options);
    session.set_masks(std::move(chosen.masks));
    session.note("density", density_of(session));
    if (!chosen.spared.empty()) {
      session.note("spared_layers", static_cast<double>(chosen.spared.size()));
    }
  });
  session.stage("sparse training", [&] { session.train(recipe); });
  return masked_outcome(session, method);
}

}  // namespace coppice
