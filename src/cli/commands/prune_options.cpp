// See prune_options.h.
#include "cli/commands/prune_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands/method_options.h"
#include "cli/commands/recover_option.h"
#include "core/error.h"
#include "report/format.h"

namespace coppice {
namespace {

const char* budget_option(Budget::Of of) {
  switch (of) {
    case Budget::Of::parameters: return "--keep-params";
    case Budget::Of::macs: return "--keep-macs";
    case Budget::Of::ratio: return "--prune-ratio";
  }
  return "";
}

// An option that not all methods have, as it was given.
struct OwnOption {
  std::string name, value;
  bool fits;            // the method that was chosen
  const char* methods;  // that it is for
};

std::vector<OwnOption> own_options(const PruneOptions& options) {
  const Method& method = find_method(options.method);
  const std::string name = method.name;
  std::vector<OwnOption> given;
  const auto add = [&](const char* option, const std::string& value, bool fits,
                       const char* methods) {
    given.push_back({option, value, fits, methods});
  };
  const auto number = [](double value) { return significant(value, 12); };

  if (options.scope) {
    add("--scope", *options.scope, method.kind != Method::Kind::dense,
        "a method whose result is smaller or sparse");
  }
  const bool structured = method.kind == Method::Kind::structured;
  static constexpr char kStructured[] = "a method that cuts channels";
  if (options.max_layer_ratio) {
    add("--max-layer-ratio", number(*options.max_layer_ratio), structured, kStructured);
  }
  if (options.soft) {
    add("--soft", "", structured && method.training == Method::Training::optional,
        "a criterion that cuts channels, such as fpgm or l2");
  }
  if (!options.recover.empty()) {
    add("--recover", options.recover, structured, kStructured);
  }
  if (options.aggregate) {
    add("--aggregate", *options.aggregate, structured && name != "random",
        "a method that ranks channels by their weights");
  }
  if (options.norm_share) {
    add("--norm-share", number(*options.norm_share), name == "fpgm", "--method fpgm");
  }
  if (options.lambda) {
    add("--lambda", number(*options.lambda), name == "slimming", "--method slimming");
  }
  const bool tunes = name == "slimming" || options.soft;
  static constexpr char kTuned[] = "--method slimming, or --soft";
  if (options.tune_epochs) {
    add("--tune-epochs", std::to_string(*options.tune_epochs), tunes, kTuned);
  }
  if (options.tune_lr) add("--tune-lr", number(*options.tune_lr), tunes, kTuned);
  if (options.rounds) {
    add("--rounds", std::to_string(*options.rounds), method.training == Method::Training::part,
        "--method deep-compression, slimming or dsd");
  }

  const bool deep = name == "deep-compression";
  static constexpr char kDeep[] = "--method deep-compression";
  for (const std::string& density : options.densities) add("--density", density, deep, kDeep);
  if (options.quality) add("--quality", number(*options.quality), deep, kDeep);
  for (const auto& [option, value] : request_of(options.sharing)) {
    given.push_back({option, value, deep, kDeep});
  }
  if (options.alternate) add("--alternate", "", deep, kDeep);
  return given;
}

// Name and value of every option that the result depends on and that isn't at its default.
Request decisive_options(const PruneOptions& options) {
  Request request = {{"--method", options.method}};
  if (options.sparsity) request.emplace_back("--sparsity", significant(*options.sparsity, 12));
  if (find_method(options.method).kind == Method::Kind::structured) {
    const Budget budget = budget_of(options);
    request.emplace_back(budget_option(budget.of), significant(budget.value, 12));
  }
  for (const OwnOption& own : own_options(options)) request.emplace_back(own.name, own.value);
  if (options.round_to != "auto") request.emplace_back("--round-to", options.round_to);
  for (const std::string& pattern : options.keep) request.emplace_back("--keep", pattern);
  if (options.keep_spine) request.emplace_back("--keep-spine", "");
  if (!options.verify) request.emplace_back("--verify", "off");
  if (options.fold_bn) request.emplace_back("--fold-bn", "");
  if (options.simplify) request.emplace_back("--simplify", "");
  if (!options.data.empty()) request.emplace_back("--data", options.data);
  if (!options.preprocess.empty()) request.emplace_back("--preprocess", options.preprocess);
  add_label_offset(request, options.label_offset);
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
                 "share of its channels that every group loses; of all channels where\n"
                 "they are ranked globally")
      ->type_name("SHARE");
  app.add_option("--max-layer-ratio", options.max_layer_ratio,
                 "no group loses a larger share of its channels (default 0.9)")
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
  add_recover(app, options.recover);
  app.add_flag("--fold-bn", options.fold_bn,
               "fold BatchNormalization into the layer before, at the end");
  app.add_flag("--simplify", options.simplify, "fold constants and drop idle nodes, at the end");
  app.add_option("--sparsity", options.sparsity,
                 "share of the weights that magnitude, deep-compression and dsd zero\n"
                 "(default: deep-compression 0.9, dsd 0.3)")
      ->type_name("SHARE");
  app.add_option("--scope", options.scope,
                 "whether channels or weights are ranked within their layer, or over all\n"
                 "(default: layer; slimming and bn-scale global)")
      ->type_name("layer|global");
  const std::string filters = "Filters";
  app.add_option("--aggregate", options.aggregate,
                 "what the scores of coupled layers become: mean (default), max, sum, or\n"
                 "first, that of the first layer alone")
      ->type_name("NAME")
      ->group(filters);
  app.add_option("--norm-share", options.norm_share,
                 "fpgm: share of the filters that leaves by norm, the rest by distance (default 0)")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("SHARE")
      ->group(filters);
  app.add_flag("--soft", options.soft,
               "zero filters after every epoch but go on training them; cut at the end")
      ->group(filters);
  app.add_option(
         "--lambda", options.lambda,
         "slimming: strength of the penalty on scales (default 0.0001);\n0: none, for a control")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("X")
      ->group(filters);
  app.add_option("--tune-epochs", options.tune_epochs,
                 "epochs after the cut (default: slimming as --epochs, --soft 0)")
      ->check(CLI::Range(0, 100000).description(""))
      ->type_name("N")
      ->group(filters);
  app.add_option("--tune-lr", options.tune_lr,
                 "largest learning rate after the cut (default: --lr)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("X")
      ->group(filters);
  app.add_option("--rounds", options.rounds,
                 "how often it prunes and trains, each time --epochs\n"
                 "(default: deep-compression 4, slimming and dsd 1)")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N");
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
  add_sharing_options(app, options.sharing);
  for (const char* name : {"--bits", "--init", "--share-lr", "--share-optimizer"}) {
    app.get_option(name)->group(group);
  }
  app.add_flag("--alternate", options.alternate,
               "retrain matrices and convolutions in turn, the others frozen")
      ->group(group);
  add_switch(app, "--verify", options.verify, "prove the cut on random inputs");
  app.add_option("--plan", options.plan,
                 "where the plan goes (default: plan.json beside OUT, or\n"
                 "OUT.plan.json where that is another's)")
      ->type_name("FILE");
  add_data_options(app, {options.data, options.preprocess, options.label_offset});
  add_switch(
      app, "--latency", options.latency,
      "measure latency before and after, at batch 1, of\none thread unless --threads says more");
  add_training_options(app, options.training);
}

void require_fitting(const PruneOptions& options, const Method& method) {
  std::string given;
  const auto note = [&](const char* option, bool is_given) {
    if (is_given) given += (given.empty() ? "" : ", ") + std::string(option);
  };
  const std::string where = "--method " + std::string(method.name);
  for (const OwnOption& own : own_options(options)) {
    if (!own.fits) fail_usage(own.name + " is for " + own.methods + ", found " + where);
  }
  if (method.kind != Method::Kind::structured) {
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
  if (given.empty()) return;
  fail_usage(where + " cuts channels: found " + given +
             ", expected --keep-macs, --keep-params or --prune-ratio; --method magnitude zeroes "
             "single weights");
}

void require_consistent_training(const PruneOptions& options, const Method& method) {
  if (method.training == Method::Training::part && options.training.epochs == 0) {
    fail_usage("--method " + std::string(method.name) +
               " trains: add --data SPEC and --epochs N, the epochs of each round");
  }
  if (options.soft && options.training.epochs == 0) {
    fail_usage("--soft prunes while it trains: add --data SPEC and --epochs N");
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
