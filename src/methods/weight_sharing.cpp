// See weight_sharing.h.
#include "methods/weight_sharing.h"

#include "core/error.h"
#include "graph/value_names.h"
#include "session/session.h"

namespace coppice {

namespace {

Recipe tuning_recipe(Recipe recipe, const CentroidSteps& steps) {
  recipe.optimizer.kind = steps.optimizer;
  recipe.optimizer.learning_rate = steps.learning_rate;
  recipe.optimizer.momentum = 0;  // of sgd; a sum of thousands needs no help
  recipe.optimizer.weight_decay = 0;
  return recipe;
}

}  // namespace

std::map<std::string, int64_t> bits_of_layers(const Graph& graph, const SharingOptions& options) {
  std::map<std::string, int64_t> bits;
  for (const ValueId id : maskable_weights(graph)) {
    const Value& value = graph.value(id);
    bits[value.name] = value.constant->rank() > 2 ? options.conv_bits : options.fc_bits;
  }
  if (bits.empty()) {
    fail_target("no weights to share: no Conv, ConvTranspose, Gemm or MatMul with float32 weights");
  }
  for (const auto& [pattern, own] : options.bits) {
    for (const std::string& name : weights_matching(graph, pattern, "--bits")) bits[name] = own;
  }
  for (const std::string& pattern : options.keep) {
    for (const std::string& name : weights_matching(graph, pattern, "--keep")) bits.erase(name);
  }
  if (bits.empty()) fail_target("no weights to share: --keep keeps all layers; keep fewer");
  return bits;
}

void share_weights(Graph& graph, const SharingOptions& options) {
  const ValueNames names(graph);
  for (const auto& [name, bits] : bits_of_layers(graph, options)) {
    std::span<float> weights = graph.value(*names.find(name)).constant->mutate<float>();
    const SharedWeights shared =
        share_weights(std::span<const float>(weights),
                      {.clusters = (1 << bits) - 1, .init = options.init, .seed = options.seed});
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = weight_of(shared, shared.codes[i]);
  }
}

void share_and_tune(Session& session, const SharingOptions& options, const Recipe& recipe) {
  session.stage("weight sharing", [&] {
    Masks zeros = masks_of_zeros(session.graph());
    std::erase_if(zeros,
                  [](const auto& mask) { return nonzeros_of(mask.second) == mask.second.size(); });
    session.mask(zeros, Session::Masking::hard);
    Graph shared = session.graph();
    share_weights(shared, options);
    session.edit(std::move(shared));
  });
  session.stage("tuning centroids", [&] {
    Recipe tuning = tuning_recipe(recipe, options.steps);
    for (const auto& [name, bits] : bits_of_layers(session.graph(), options)) {
      tuning.tied.insert(name);
    }
    session.train(tuning);
  });
}

}  // namespace coppice
