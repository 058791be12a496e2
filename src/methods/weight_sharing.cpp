// See weight_sharing.h.
#include "methods/weight_sharing.h"

#include "core/error.h"
#include "session/session.h"

namespace coppice {

std::set<std::string> share_weights(Graph& graph, const SharingOptions& options) {
  std::set<std::string> tied;
  for (const ValueId id : maskable_weights(graph)) {
    Value& value = graph.value(id);
    const int64_t bits = value.constant->rank() > 2 ? options.conv_bits : options.fc_bits;
    std::span<float> weights = value.constant->mutate<float>();
    const SharedWeights shared =
        share_weights(std::span<const float>(weights),
                      {.clusters = (1 << bits) - 1, .init = options.init, .seed = options.seed});
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = weight_of(shared, shared.codes[i]);
    tied.insert(value.name);
  }
  if (tied.empty()) {
    fail_target("no weights to share: no Conv, ConvTranspose, Gemm or MatMul with float32 weights");
  }
  return tied;
}

Recipe tuning_recipe(Recipe recipe, std::set<std::string> tied) {
  recipe.optimizer.kind = OptimizerOptions::Kind::adam;
  recipe.optimizer.learning_rate = 3e-4;
  recipe.optimizer.weight_decay = 0;
  recipe.tied = std::move(tied);
  return recipe;
}

void share_and_tune(Session& session, const SharingOptions& options, const Recipe& recipe) {
  session.stage("weight sharing", [&] {
    Graph shared = session.graph();
    share_weights(shared, options);
    session.adopt(std::move(shared), session.plan(), session.masks());
  });
  session.stage("tuning centroids", [&] {
    std::set<std::string> tied;
    for (const ValueId id : maskable_weights(session.graph())) {
      tied.insert(session.graph().value(id).name);
    }
    session.train(tuning_recipe(recipe, std::move(tied)));
  });
}

}  // namespace coppice
