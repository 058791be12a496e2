// Source: Tanaka, Kunin, Yamins, Ganguli, "Pruning neural networks without any data by iteratively
// conserving synaptic flow", NeurIPS 2020, arXiv:2006.05467, eq. 2 and Algorithm 1.
//
// Nothing of the images or of labels gets into the scores: what the graph here is given is
// exp(x - x), its first outputs, which labels speak of, are y - y, and y itself is the loss.
#include "methods/sparse_training/at_start/synflow.h"

#include <cmath>

#include "core/error.h"
#include "graph/infer.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/at_start/at_start_options.h"
#include "session/state/beside_weights.h"
#include "training/parameters.h"
#include "training/scores.h"

namespace coppice {
namespace {

void make_absolute(Graph& graph) {
  std::vector<ValueId> ids = running_statistics(graph);
  for (const Parameter& parameter : trained_parameters(graph)) ids.push_back(parameter.id);
  for (const ValueId id : ids) {
    for (float& x : graph.value(id).constant->mutate<float>()) x = std::fabs(x);
  }
}

// y - y, and what else is computed of it.
ValueId add_zeros_of(Graph& graph, ValueId y) {
  const ValueId zeros = add_value(graph, unused_name(graph, "zeros"), graph.value(y).dtype);
  add_node(graph, "Sub", {y, y}, {zeros});
  return zeros;
}

void feed_ones(Graph& graph) {
  const ValueId images = graph.inputs.front();
  const ValueId zeros = add_zeros_of(graph, images);
  const ValueId ones = add_value(graph, unused_name(graph, "ones"), graph.value(images).dtype);
  add_node(graph, "Exp", {zeros}, {ones});
  for (size_t n = 0; n + 2 < graph.nodes.size(); ++n) {
    std::ranges::replace(graph.nodes[n].inputs, images, ones);
  }
  sort_nodes(graph);
}

}  // namespace

FlowGraph flow_graph(const Session& session) {
  FlowGraph flow{.graph = session.graph(), .how = {.batches = 1, .batch = 1}};
  Graph& graph = flow.graph;
  make_absolute(graph);
  feed_ones(graph);
  const bool classifies = session.classes() > 0;
  if (classifies) graph.outputs.front() = score_form(graph).logits;
  const Inferred inferred = infer(graph, fitting_sizes(graph, {.inputs = {}, .batch = 1}));
  const std::vector<char> reached = values_with_gradient(graph);
  const std::vector<ValueId> outputs = graph.outputs;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!reached[outputs[o]]) continue;
    flow.how.losses[graph.value(outputs[o]).name] =
        static_cast<double>(element_count(inferred.shape(outputs[o])));
    graph.outputs[o] = add_zeros_of(graph, outputs[o]);
    graph.outputs.push_back(outputs[o]);
  }
  flow.how.mode = CollectOptions::Mode::evaluation;
  flow.how.numbers = CollectOptions::Numbers::f64;
  flow.how.loss.distillation = classifies ? 0 : 1;
  flow.how.loss.others = LossOptions::Others::leave;
  return flow;
}

std::vector<ScoredLayer> flow_scores(Session& session, const FlowGraph& flow,
                                     const MagnitudeOptions& options, const Masks& masks) {
  Graph masked = flow.graph;
  apply_masks(masked, masks);
  std::vector<ScoredLayer> layers =
      weights_times(Reduction::weight_gradients, session, masked, options, flow.how);
  for (ScoredLayer& layer : layers) {
    for (double& score : layer.scores) score = std::fabs(score);
    const auto mask = masks.find(layer.name);
    if (mask == masks.end()) continue;
    const std::span<const float> stays = mask->second.as<float>();
    for (size_t i = 0; i < stays.size(); ++i) {
      if (stays[i] == 0) layer.scores[i] = kGoesFirst;
    }
  }
  require_signal(layers, "synflow");
  return layers;
}

ScoredMasks synflow_masks(Session& session, const AtStartOptions& options, int64_t rounds) {
  const FlowGraph flow = flow_graph(session);
  ScoredMasks chosen;
  for (int64_t round = 1; round <= rounds; ++round) {
    const double done = static_cast<double>(round) / static_cast<double>(rounds);
    const double sparsity = round == rounds ? options.pruning.sparsity
                                            : 1 - std::pow(1 - options.pruning.sparsity, done);
    chosen = masks_by_score(flow_scores(session, flow, options.pruning, chosen.masks), sparsity,
                            options.pruning.scope);
  }
  return chosen;
}

extern const Method kSynflow{
    .name = "synflow",
    .paper = "Tanaka et al., SynFlow, NeurIPS 2020, arXiv:2006.05467",
    .about = "zeroes before training, in rounds without data, the weights that least flows through",
    .differs =
        "in double, so that flows of deep nets don't overflow; by rank, ties by index, where the "
        "authors' threshold cuts all ties; the largest weight by rank of every layer stays, which "
        "the rounds leave nothing to do for; a Softmax behind the scores is left out; a trained "
        "original teaches the training by default (--distill 0)",
    .needs = "training data, but not to decide",
    .kind = Method::Kind::unstructured,
    .options = joined(at_start_options(), {{&kRounds, "100", "", "rounds of scoring and masking"}}),
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      const AtStartOptions options = at_start_of(input);
      return prune_at_start(
          "synflow", session, options,
          [&] { return synflow_masks(session, options, input.settings[kRounds]); }, recipe);
    }};

}  // namespace coppice
