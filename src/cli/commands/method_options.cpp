// See method_options.h.
#include "cli/commands/method_options.h"

#include <algorithm>
#include <charconv>

#include "cli/commands/recover_option.h"
#include "core/error.h"
#include "report/format.h"

namespace coppice {
namespace {

void require_share(const char* option, double value, const char* meaning) {
  if (value > 0 && value < 1) return;
  const std::string found = std::string(option) + " " + significant(value, 6);
  if (value == 1) fail_usage(found + ": there would be nothing " + std::string(meaning));
  fail_usage(found + ": expected a number above 0 and below 1");
}

int64_t width_of(const std::string& text) {
  if (text == "auto") return kRoundAuto;
  int64_t width = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, width);
  if (error != std::errc() || stop != end || width < 1 || width > 1'000'000) {
    fail_usage("--round-to '" + text + "': expected auto or a width from 1 up; 1 doesn't round");
  }
  return width;
}

// Pattern and share of "REGEX=SHARE".
std::pair<std::string, double> density_of(const std::string& text) {
  const size_t equals = text.rfind('=');
  double share = 0;
  if (equals != std::string::npos && equals > 0) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, share);
    if (error == std::errc() && stop == end && share > 0 && share <= 1) {
      return {text.substr(0, equals), share};
    }
  }
  fail_usage("--density '" + text +
             "': expected a layer's name or a regular expression, =, and the share of its weights "
             "that stays, such as fc1=0.08");
}

bool is_global(const PruneOptions& options) {
  const std::string scope = options.scope.value_or("layer");
  if (scope == "layer" || scope == "global") return scope == "global";
  fail_usage("--scope '" + scope + "': expected layer or global");
}

Aggregate aggregate_of(const PruneOptions& options) {
  const std::string name = options.aggregate.value_or("mean");
  if (name == "mean") return Aggregate::mean;
  if (name == "max") return Aggregate::max;
  if (name == "sum") return Aggregate::sum;
  if (name == "first") return Aggregate::first;
  fail_usage("--aggregate '" + name + "': expected mean, max, sum or first");
}

}  // namespace

Budget budget_of(const PruneOptions& options) {
  const int given = options.keep_macs.has_value() + options.keep_params.has_value() +
                    options.prune_ratio.has_value();
  if (given > 1) {
    fail_usage("found " + std::to_string(given) +
               " budgets, expected one of --keep-macs, --keep-params and --prune-ratio");
  }
  if (options.prune_ratio) {
    require_share("--prune-ratio", *options.prune_ratio, "left");
    return {.of = Budget::Of::ratio, .value = *options.prune_ratio};
  }
  if (options.keep_params) {
    require_share("--keep-params", *options.keep_params, "to remove");
    return {.of = Budget::Of::parameters, .value = *options.keep_params};
  }
  const double macs = options.keep_macs.value_or(Budget{}.value);
  require_share("--keep-macs", macs, "to remove");
  return {.of = Budget::Of::macs, .value = macs};
}

MagnitudeOptions magnitude_options(const PruneOptions& options) {
  if (!options.sparsity) {
    fail_usage("--method " + options.method +
               " needs --sparsity, the share of the weights that becomes zero, such as --sparsity "
               "0.9");
  }
  if (*options.sparsity == 0) fail_usage("--sparsity 0: there would be nothing to zero");
  require_share("--sparsity", *options.sparsity, "left");
  using Scope = MagnitudeOptions::Scope;
  return {.sparsity = *options.sparsity,
          .scope = is_global(options) ? Scope::global : Scope::layer,
          .keep = options.keep};
}

DeepCompressionOptions deep_compression_options(const PruneOptions& options, const Graph& graph,
                                                uint64_t seed) {
  DeepCompressionOptions result;
  PruneOptions with_default = options;
  const bool by_layer = options.quality || !options.densities.empty();
  if (!options.sparsity && !by_layer) with_default.sparsity = 0.9;
  if (with_default.sparsity) {
    result.pruning = magnitude_options(with_default);
  } else {
    result.pruning.keep = options.keep;
  }
  if (options.quality && options.sparsity) {
    fail_usage("--quality is in place of --sparsity, found both");
  }
  if (by_layer && options.scope == "global") {
    fail_usage("--scope global ranks all layers together, found --density or --quality beside it");
  }
  for (const std::string& text : options.densities) {
    const auto [pattern, share] = density_of(text);
    for (const std::string& name : weights_matching(graph, pattern, "--density")) {
      result.pruning.layers[name] = 1 - share;
    }
  }
  result.quality = options.quality;
  result.rounds = options.rounds.value_or(result.rounds);
  if (options.alternate) result.retraining = DeepCompressionOptions::Retraining::alternating;
  result.sharing = sharing_options(options.sharing, options.keep, seed);
  return result;
}

OneShotOptions one_shot_options(const PruneOptions& options, uint64_t seed) {
  OneShotOptions result;
  result.budget = budget_of(options);
  result.round_to = width_of(options.round_to);
  result.keep = options.keep;
  if (options.keep_spine) result.spine = OneShotOptions::Spine::keep;
  if (!options.verify) result.verify = OneShotOptions::Verify::off;
  if (options.scope) {
    result.scope = is_global(options) ? Criterion::Scope::global : Criterion::Scope::group;
  }
  if (options.max_layer_ratio) {
    require_share("--max-layer-ratio", *options.max_layer_ratio, "left");
    result.most_of_group = *options.max_layer_ratio;
  }
  // The papers of soft pruning add constants back; without, 87.2 % of ResNet-20 became 64.7.
  const std::string usual = options.soft ? "all" : "none";
  result.recover = recover_options(options.recover.empty() ? usual : options.recover);
  result.norm_share = options.norm_share.value_or(0);
  result.aggregate = aggregate_of(options);
  result.seed = seed;
  return result;
}

SlimmingOptions slimming_options(const PruneOptions& options, uint64_t seed) {
  SlimmingOptions result;
  result.pruning = one_shot_options(options, seed);
  result.lambda = options.lambda.value_or(result.lambda);
  result.passes = options.rounds.value_or(result.passes);
  return result;
}

DsdOptions dsd_options(const PruneOptions& options) {
  DsdOptions result;
  result.sparsity = options.sparsity.value_or(result.sparsity);
  require_share("--sparsity", result.sparsity, "left");
  result.keep = options.keep;
  result.rounds = options.rounds.value_or(result.rounds);
  return result;
}

}  // namespace coppice
