// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, Sec. 3.
// Differs: by rank, so that the ratio is exact; coupled layers are averaged (prune/criteria); no
// group loses more than a cap (0.9 by default), and groups without BatchNormalization or to keep
// don't count among the channels of which the share leaves, so where there are any it isn't the
// paper's; scales, shifts and biases have no weight decay, where the authors' code decays all
// parameters, which halves the pull on scales; between passes the next training for sparsity stands
// for the fine-tuning; the original teaches where the recipe's loss has a share for it, as the
// command's does by default for a trained model.
#include "methods/slimming.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "graph/views/batch_norm.h"
#include "methods/one_shot.h"
#include "session/session.h"

namespace coppice {
namespace {

std::vector<ValueId> scales_in(const Graph& graph) {
  std::vector<ValueId> scales;
  for (const Node& node : graph.nodes) {
    if (!is_batch_norm_at_inference(node) || node.inputs.size() < 2) continue;
    const Value& scale = graph.value(node.inputs[1]);
    if (scale.constant && scale.constant->dtype() == DType::f32) scales.push_back(node.inputs[1]);
  }
  return scales;
}

// What one of several equal passes keeps or removes so that all together come to the budget.
Budget budget_of_pass(Budget budget, int64_t passes) {
  const bool removes = budget.of == Budget::Of::ratio;
  const double kept = removes ? 1 - budget.value : budget.value;
  const double each = std::pow(kept, 1 / static_cast<double>(passes));
  budget.value = removes ? 1 - each : each;
  return budget;
}

void cut_smallest_scales(Session& session, const OneShotOptions& options) {
  const Method& method = find_method("slimming");
  const Traced traced(prepared(session.graph(), method, options));
  const Allocation chosen = choose(traced, method, options);
  session.rewrite(traced.graph());
  session.remove(traced.groups(), chosen.removal, removing(options));
}

}  // namespace

std::set<std::string> batch_norm_scales(const Graph& graph) {
  std::set<std::string> names;
  for (const ValueId id : scales_in(graph)) names.insert(graph.value(id).name);
  return names;
}

double median_scale(const Graph& graph) {
  std::vector<double> scales;
  for (const ValueId id : scales_in(graph)) {
    for (const float scale : graph.value(id).constant->as<float>()) {
      scales.push_back(std::fabs(scale));
    }
  }
  if (scales.empty()) return 0;
  const auto middle = scales.begin() + static_cast<std::ptrdiff_t>(scales.size() / 2);
  std::ranges::nth_element(scales, middle);
  return *middle;
}

double largest_pull(const Recipe& recipe, double lambda, int64_t batches) {
  const OptimizerOptions& optimizer = recipe.optimizer;
  if (optimizer.kind != OptimizerOptions::Kind::sgd) return 0;
  const int64_t steps = batches * recipe.epochs;
  double rates = 0;
  for (int64_t step = 0; step < steps; ++step) {
    rates += optimizer.learning_rate * schedule_factor(recipe.schedule, step, steps, batches);
  }
  return lambda * rates / (1 - optimizer.momentum);
}

Outcome slimming(Session& session, const SlimmingOptions& options, const Recipe& sparsity,
                 const Recipe& tuning) {
  OneShotOptions pruning = options.pruning;
  pruning.budget = budget_of_pass(pruning.budget, options.passes);
  const Method& method = find_method("slimming");
  // What can't be reached fails before training.
  choose(Traced(prepared(session.original(), method, pruning)), method, pruning);
  Graph loosened = session.original();
  loosen(loosened);
  // Merged scales come apart before each is pulled by its name.
  session.stage("preparing", [&] { session.rewrite(std::move(loosened)); });
  for (int64_t pass = 1; pass <= options.passes; ++pass) {
    const std::string suffix = options.passes == 1 ? ""
                                                   : ", pass " + std::to_string(pass) + " of " +
                                                         std::to_string(options.passes);
    session.stage("training for sparsity" + suffix, [&] {
      Recipe recipe = sparsity;
      recipe.l1 = {.strength = options.lambda, .weights = batch_norm_scales(session.graph())};
      session.train(recipe);
    });
    session.stage("pruning" + suffix, [&] { cut_smallest_scales(session, pruning); });
  }
  session.stage("fine-tuning", [&] { session.train(tuning); });
  return outcome_of(session, method, options.pruning);
}

}  // namespace coppice
