// See prune_options.h.
#include "cli/commands/prune_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

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

int64_t bits_of(const std::string& text, const std::string& all) {
  int64_t bits = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bits);
  if (error != std::errc() || stop != end || bits < 1 || bits > 16) {
    fail_usage("--bits '" + all + "': expected such as conv=8,fc=5 or 6, with 1 to 16 bits each");
  }
  return bits;
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

// The options that only deep-compression has.
Request deep_compression_request(const PruneOptions& options) {
  Request request;
  for (const std::string& density : options.densities) request.emplace_back("--density", density);
  if (options.quality) request.emplace_back("--quality", significant(*options.quality, 12));
  if (options.rounds) request.emplace_back("--rounds", std::to_string(*options.rounds));
  if (options.bits) request.emplace_back("--bits", *options.bits);
  if (options.init) request.emplace_back("--init", *options.init);
  if (options.alternate) request.emplace_back("--alternate", "");
  return request;
}

const char* budget_option(Budget::Of of) {
  switch (of) {
    case Budget::Of::parameters: return "--keep-params";
    case Budget::Of::macs: return "--keep-macs";
    case Budget::Of::ratio: return "--prune-ratio";
  }
  return "";
}

// Name and value of every option that the result depends on and that isn't at its default.
Request decisive_options(const PruneOptions& options) {
  Request request = {{"--method", options.method}};
  if (options.sparsity) request.emplace_back("--sparsity", significant(*options.sparsity, 12));
  if (options.scope) request.emplace_back("--scope", *options.scope);
  if (find_method(options.method).kind == Method::Kind::structured) {
    const Budget budget = budget_of(options);
    request.emplace_back(budget_option(budget.of), significant(budget.value, 12));
  }
  for (auto& entry : deep_compression_request(options)) request.push_back(std::move(entry));
  if (options.round_to != "auto") request.emplace_back("--round-to", options.round_to);
  for (const std::string& pattern : options.keep) request.emplace_back("--keep", pattern);
  if (options.keep_spine) request.emplace_back("--keep-spine", "");
  if (!options.verify) request.emplace_back("--verify", "off");
  if (options.fold_bn) request.emplace_back("--fold-bn", "");
  if (options.simplify) request.emplace_back("--simplify", "");
  if (!options.data.empty()) request.emplace_back("--data", options.data);
  if (!options.preprocess.empty()) request.emplace_back("--preprocess", options.preprocess);
  for (auto& entry : request_of(options.training)) request.push_back(std::move(entry));
  return request;
}

}  // namespace

void add_prune_options(CLI::App& app, PruneOptions& options) {
  add_model(app, options.model);
  add_output(app, options.output);
  app.add_option("--method", options.method,
                 "how channels or weights are ranked (default l2);\n'coppice methods' lists")
      ->type_name("NAME");
  app.add_option("--keep-macs", options.keep_macs,
                 "share of the multiply-accumulates that stays (default 0.5)")
      ->type_name("SHARE");
  app.add_option("--keep-params", options.keep_params, "share of the parameters that stays")
      ->type_name("SHARE");
  app.add_option("--prune-ratio", options.prune_ratio,
                 "share of its channels that every group loses")
      ->type_name("SHARE");
  app.add_option("--round-to", options.round_to,
                 "keep widths a multiple of N; auto (default): 8, 16 from 128 up")
      ->type_name("auto|N");
  app.add_option("--keep", options.keep,
                 "leave alone what has a tensor or node of such a name; may be repeated")
      ->type_name("REGEX")
      ->allow_extra_args(false);
  app.add_flag("--keep-spine", options.keep_spine,
               "leave the channels alone that residual connections add up");
  app.add_flag("--fold-bn", options.fold_bn,
               "fold BatchNormalization into the layer before, at the end");
  app.add_flag("--simplify", options.simplify, "fold constants and drop idle nodes, at the end");
  app.add_option("--sparsity", options.sparsity,
                 "share of the weights that magnitude and deep-compression zero\n"
                 "(deep-compression: default 0.9)")
      ->type_name("SHARE");
  app.add_option("--scope", options.scope,
                 "where weights are ranked for --sparsity: layer (default) or global")
      ->type_name("layer|global");
  const std::string group = "Deep Compression";
  app.add_option("--density", options.densities,
                 "share of a layer's weights that stays, in place of --sparsity; may be repeated")
      ->type_name("REGEX=SHARE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--quality", options.quality,
                 "prune below this times a layer's deviation, in place of --sparsity")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("X")
      ->group(group);
  app.add_option("--rounds", options.rounds,
                 "how often it prunes and trains, each time --epochs (default 4)")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->group(group);
  app.add_option("--bits", options.bits, "bits of a code for shared weights (default conv=8,fc=5)")
      ->type_name("BITS")
      ->group(group);
  app.add_option("--init", options.init,
                 "where centroids begin: linear (default), density or forgy")
      ->check(CLI::IsMember({"linear", "density", "forgy"}).description(""))
      ->group(group);
  app.add_flag("--alternate", options.alternate,
               "retrain matrices and convolutions in turn, the others frozen")
      ->group(group);
  add_switch(app, "--verify", options.verify, "prove the cut on random inputs");
  app.add_option("--plan", options.plan, "where the plan goes (default: plan.json beside OUT)")
      ->type_name("FILE");
  add_data_options(app, options.data, options.preprocess);
  add_switch(app, "--latency", options.latency, "measure latency before and after, at batch 1");
  add_training_options(app, options.training);
}

void require_fitting(const PruneOptions& options, const Method& method) {
  std::string given;
  const auto note = [&](const char* option, bool is_given) {
    if (is_given) given += (given.empty() ? "" : ", ") + std::string(option);
  };
  const std::string where = "--method " + std::string(method.name);
  if (const Request own = deep_compression_request(options);
      !own.empty() && method.training == Method::Training::optional) {
    fail_usage(own.front().first + " is for --method deep-compression, found " + where);
  }
  if (method.kind == Method::Kind::unstructured) {
    note("--keep-macs", options.keep_macs.has_value());
    note("--keep-params", options.keep_params.has_value());
    note("--prune-ratio", options.prune_ratio.has_value());
    note("--round-to", options.round_to != "auto");
    note("--keep-spine", options.keep_spine);
    if (given.empty()) return;
    fail_usage(where + " zeroes single weights and cuts no channels: found " + given +
               ", expected --sparsity, such as --sparsity 0.9");
  }
  note("--sparsity", options.sparsity.has_value());
  note("--scope", options.scope.has_value());
  if (given.empty()) return;
  fail_usage(where + " cuts channels: found " + given +
             ", expected --keep-macs, --keep-params or --prune-ratio; --method magnitude zeroes "
             "single weights");
}

MagnitudeOptions magnitude_options(const PruneOptions& options) {
  if (!options.sparsity) {
    fail_usage("--method " + options.method +
               " needs --sparsity, the share of the weights that becomes zero, such as --sparsity "
               "0.9");
  }
  if (*options.sparsity == 0) fail_usage("--sparsity 0: there would be nothing to zero");
  require_share("--sparsity", *options.sparsity, "left");
  const std::string scope = options.scope.value_or("layer");
  if (scope != "layer" && scope != "global") {
    fail_usage("--scope '" + scope + "': expected layer or global");
  }
  using Scope = MagnitudeOptions::Scope;
  return {.sparsity = *options.sparsity,
          .scope = scope == "global" ? Scope::global : Scope::layer,
          .keep = options.keep};
}

SharingOptions sharing_options(const std::string& bits, const std::string& init, uint64_t seed) {
  SharingOptions result;
  result.seed = seed;
  using Init = KMeansOptions::Init;
  result.init = init == "density" ? Init::density : init == "forgy" ? Init::forgy : Init::linear;
  if (bits.find('=') == std::string::npos) {
    result.conv_bits = result.fc_bits = bits_of(bits, bits);
    return result;
  }
  for (size_t begin = 0; begin <= bits.size();) {
    const size_t end = std::min(bits.find(',', begin), bits.size());
    const std::string part = bits.substr(begin, end - begin);
    if (part.starts_with("conv=")) {
      result.conv_bits = bits_of(part.substr(5), bits);
    } else if (part.starts_with("fc=")) {
      result.fc_bits = bits_of(part.substr(3), bits);
    } else {
      bits_of("", bits);  // fails
    }
    begin = end + 1;
  }
  return result;
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
  result.sharing =
      sharing_options(options.bits.value_or("conv=8,fc=5"), options.init.value_or("linear"), seed);
  return result;
}

OneShotOptions one_shot_options(const PruneOptions& options, uint64_t seed) {
  OneShotOptions result;
  result.budget = budget_of(options);
  result.round_to = width_of(options.round_to);
  result.keep = options.keep;
  if (options.keep_spine) result.spine = OneShotOptions::Spine::keep;
  if (!options.verify) result.verify = OneShotOptions::Verify::off;
  result.seed = seed;
  return result;
}

void require_consistent_training(const PruneOptions& options, const Method& method) {
  if (method.training == Method::Training::part && options.training.epochs == 0) {
    fail_usage("--method " + std::string(method.name) +
               " trains: add --data SPEC and --epochs N, the epochs of each round");
  }
  const Request training = request_of(options.training);
  if (options.training.epochs == 0 && options.training.resume) {
    fail_usage("--resume goes on with training; add the --epochs that the run began with");
  }
  if (options.training.epochs == 0 && !training.empty()) {
    fail_usage(training.front().first + " is for training; add --epochs N to train afterwards");
  }
  if (options.training.epochs > 0 && options.data.empty()) {
    fail_usage("--epochs " + std::to_string(options.training.epochs) +
               ": training needs --data, for example cifar10:DIR; 'coppice data' lists the forms");
  }
}

std::string command_again(const PruneOptions& options, const CommonOptions& common) {
  std::string command = "coppice prune " + shell_quoted(options.model);
  const auto add = [&](const std::string& name, const std::string& value) {
    command += " " + name + (value.empty() ? "" : " " + shell_quoted(value));
  };
  add("-o", options.output);
  for (const auto& [name, value] : decisive_options(options)) add(name, value);
  if (!options.plan.empty()) add("--plan", options.plan);
  if (!options.latency) add("--latency", "off");
  if (common.seed != 0) add("--seed", std::to_string(common.seed));
  if (common.threads != 0) add("--threads", std::to_string(common.threads));
  return command;
}

Request request_of(const PruneOptions& options, const std::string& model_sha256,
                   const CommonOptions& common) {
  Request request = {{"command", "prune"}, {"model", model_sha256}};
  for (auto& entry : decisive_options(options)) request.push_back(std::move(entry));
  request.emplace_back("--seed", std::to_string(common.seed));
  return request;
}

}  // namespace coppice
