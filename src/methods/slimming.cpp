// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, Sec. 3.
#include "methods/slimming.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "graph/views/batch_norm.h"
#include "methods/method.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/options/blocks.h"
#include "report/format.h"

namespace coppice {
namespace {

constexpr char kCriterion[] = "bn-scale";

const NumberOption kLambda({"lambda", "X",
                            "strength of the penalty on scales; 0: none, for a control"},
                           {.low = 0}, SlimmingOptions{}.lambda);

std::vector<ValueId> scales_in(const Graph& graph) {
  std::vector<ValueId> scales;
  for (const Node& node : graph.nodes) {
    if (!is_batch_norm_at_inference(node) || node.inputs.size() < 2) continue;
    const Value& scale = graph.value(node.inputs[1]);
    if (scale.constant && scale.constant->dtype() == DType::f32) scales.push_back(node.inputs[1]);
  }
  return scales;
}

// What one of several equal passes keeps so that all together come to the budget.
Budget budget_of_pass(Budget budget, int64_t passes) {
  budget.kept = std::pow(budget.kept, 1 / static_cast<double>(passes));
  return budget;
}

void cut_smallest_scales(Session& session, const OneShotOptions& options) {
  const Criterion& criterion = find_criterion(kCriterion);
  const Traced traced(prepared(session.graph(), criterion, options));
  const Allocation chosen = choose(traced, criterion, options);
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
  const Criterion& criterion = find_criterion(kCriterion);
  // What can't be reached fails before training.
  choose(Traced(prepared(session.original(), criterion, pruning)), criterion, pruning);
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
  return outcome_of(session, "slimming", options.pruning);
}

namespace {

// Said before the training, since hours later is too late: a penalty that can't move a scale to
// zero leaves nothing to choose by.
void warn_of_weak_penalty(const Session& session, const Recipe& recipe, double lambda,
                          const MethodInput& input) {
  const double scale = median_scale(session.original());
  const double pull = largest_pull(recipe, lambda, session.batches(recipe));
  if (pull == 0 || pull >= scale) return;
  input.warn("--lambda " + significant(lambda, 3) + " is weak for this training: over " +
             std::to_string(recipe.epochs) + " epochs it pulls a scale down by " +
             significant(pull, 2) + " at most, and half of the scales are above " +
             significant(scale, 2) + "; about --lambda " +
             significant(2 * lambda * scale / pull, 1) +
             " would push what matters little to zero, or more epochs");
}

Outcome slim(Session& session, const Recipe& recipe, const MethodInput& input) {
  const SlimmingOptions options{.pruning = cutting_of(input),
                                .lambda = input.settings[kLambda],
                                .passes = input.settings[kRounds]};
  warn_of_weak_penalty(session, recipe, options.lambda, input);
  return slimming(session, options, recipe, tuning_of(input.settings, recipe, recipe.epochs));
}

}  // namespace

extern const Method kSlimming{
    .name = "slimming",
    .paper = "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519",
    .about =
        "trains with a penalty on BatchNormalization's scales, then drops the smallest channels",
    .differs =
        "by rank, so that the ratio is exact; coupled layers are averaged; no group loses more "
        "than "
        "a cap (0.9 by default), and groups without BatchNormalization or to keep don't count "
        "among "
        "the channels of which the share leaves, so where there are any it isn't the paper's; "
        "scales, shifts and biases have no weight decay, where the authors' code decays all "
        "parameters, which halves the pull on scales; between passes the next training for "
        "sparsity "
        "stands for the fine-tuning; a trained original teaches by default, in both trainings "
        "(--distill 0: labels alone, as in the paper)",
    .needs = "training data, BatchNormalization",
    .options = joined(joined(cutting_options(Ranked::globally), tuning_options("as --epochs")),
                      {{&kLambda}, {&kRounds, "1"}}),
    .settle = settle_budget,
    .train = slim};

}  // namespace coppice
