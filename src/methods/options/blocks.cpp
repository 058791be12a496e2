// The ranges and words of what methods share.
#include "methods/options/blocks.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "methods/method.h"
#include "session/options/data_options.h"

namespace coppice {
namespace {

constexpr char kNothingLeft[] = "there would be nothing left";
constexpr char kNothingRemoved[] = "there would be nothing to remove";
constexpr int64_t kWidest = 1'000'000;
constexpr int64_t kUsualImages = 500;  // more brought nothing (experiments/README.md)

NumberRange share(const char* why_not_none, const char* why_not_all) {
  return {.low = 0,
          .high = 1,
          .ends = NumberRange::Ends::open,
          .why_not_low = why_not_none,
          .why_not_high = why_not_all};
}

std::optional<int64_t> width_of(const std::string& text) {
  if (text == "auto") return kRoundAuto;
  int64_t width = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, width);
  if (error != std::errc() || stop != end || width < 1 || width > kWidest) return std::nullopt;
  return width;
}

// "bias,merge,scale", some of these in any order, "all" or "none".
std::optional<CompensationOptions> recover_of(const std::string& text) {
  if (text == "none") return CompensationOptions{};
  if (text == "all") return CompensationOptions{.bias = true, .merge = true, .scale = true};
  CompensationOptions options;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    if (part != "bias" && part != "merge" && part != "scale") return std::nullopt;
    options.bias |= part == "bias";
    options.merge |= part == "merge";
    options.scale |= part == "scale";
    begin = end + 1;
  }
  return options;
}

}  // namespace

std::optional<std::pair<std::string, double>> name_and_share(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, share);
  if (error != std::errc() || stop != end || !(share >= 0 && share <= 1)) return std::nullopt;
  return std::pair(text.substr(0, equals), share);
}

const NumberOption kKeepMacs({"keep-macs", "SHARE", "share of the multiply-accumulates that stays",
                              "0.5, where there is no other budget"},
                             share(nullptr, kNothingRemoved));
const NumberOption kKeepParams({"keep-params", "SHARE", "share of the parameters that stays"},
                               share(nullptr, kNothingRemoved));
const NumberOption kPruneRatio({"prune-ratio", "SHARE",
                                "share of its channels that every group loses; of all channels "
                                "where they are ranked globally"},
                               share(nullptr, kNothingLeft));
const NumberOption kMaxLayerRatio({"max-layer-ratio", "SHARE",
                                   "no group loses a larger share of its channels"},
                                  share(nullptr, kNothingLeft), OneShotOptions{}.most_of_group);
const TextOption<int64_t> kRoundTo({"round-to", "auto|N",
                                    "keep widths a multiple of N; auto: 8, 16 from 128 up"},
                                   "auto or a width from 1 up; 1 doesn't round", width_of, "auto");
const FlagOption kKeepSpine("keep-spine",
                            "leave the channels alone that residual connections add up");
const TextOption<CompensationOptions> kRecover(
    {"recover", "all|none|bias,merge,scale",
     "make up for what leaves, by images of --data or by the model alone: by biases, by merging "
     "it into what stays, by the variances of BatchNormalization; best all three",
     "none; with --soft all"},
    "all, none, or some of bias, merge and scale, such as bias,merge", recover_of, "none");
const CountOption kRecoverImages({"recover-images", "N",
                                  "how many training images of --data --recover looks at; 0: "
                                  "none, by the model alone",
                                  "500 where there is --data"},
                                 0, 1'000'000'000);
const CountOption kImages({"images", "N", "how many training images of --data it looks at"}, 1,
                          1'000'000'000, kUsualImages);
const ChoiceOption<Aggregate> kAggregate(
    {"aggregate", "NAME",
     "what the scores of coupled layers become: mean, max, sum, or first, that of the first layer "
     "alone"},
    {{"mean", Aggregate::mean},
     {"max", Aggregate::max},
     {"sum", Aggregate::sum},
     {"first", Aggregate::first}},
    "mean");
const ChoiceOption<Allocate> kAllocate(
    {"allocate", "NAME",
     "how groups share the budget: by rank, as --scope says, or by sensitivity, with the least "
     "loss that the measured curves of --sensitivity predict"},
    {{"rank", Allocate::by_rank}, {"sensitivity", Allocate::by_sensitivity}}, "rank");
const TextOption<std::string> kSensitivity(
    {"sensitivity", "FILE",
     "for --allocate sensitivity: what 'coppice sensitivity' wrote of this model"},
    "a file", any_text);
const NumberOption kSparsity({"sparsity", "SHARE",
                              "share of the weights that becomes zero, such as 0.9"},
                             share("there would be nothing to zero", kNothingLeft));
const TextOption<std::string> kKeep({"keep", "REGEX",
                                     "leave alone what has a tensor or node of such a name; may be "
                                     "repeated",
                                     "", Option::Takes::values},
                                    "a regular expression", any_text);
const ChoiceOption<Ranked> kScope({"scope", "layer|global",
                                   "whether channels or weights are ranked within their layer, or "
                                   "over all"},
                                  {{"layer", Ranked::by_layer}, {"global", Ranked::globally}});
const ChoiceOption<Verify> kVerify({"verify", "on|off", "prove the cut on random inputs"},
                                   {{"on", Verify::on}, {"off", Verify::off}}, "on");
const CountOption kRounds({"rounds", "N", "how often it prunes and trains, each time --epochs"}, 1,
                          1000);
const CountOption kTuneEpochs({"tune-epochs", "N", "epochs after the cut"}, 0, 100'000);
const NumberOption kTuneLr({"tune-lr", "X", "largest learning rate after the cut", "--lr"},
                           {.low = 0, .ends = NumberRange::Ends::open});

namespace {

void require_allocation(const Settings& settings) {
  if (settings[kAllocate] == Allocate::by_rank) {
    if (!settings.has(kSensitivity)) return;
    fail_usage("--sensitivity is for --allocate sensitivity; add it, or leave both out");
  }
  if (!settings.has(kSensitivity)) {
    fail_usage(
        "--allocate sensitivity needs --sensitivity FILE, which "
        "'coppice sensitivity MODEL --data SPEC -o FILE' writes");
  }
  if (!settings.has(kScope)) return;
  fail_usage("--allocate sensitivity compares groups by their curves, found " + kScope.flag() +
             " beside it; leave one of them out");
}

}  // namespace

OptionList cutting_options(Ranked scope) {
  return {{&kKeepMacs},      {&kKeepParams},
          {&kPruneRatio},    {&kMaxLayerRatio},
          {&kRoundTo},       {&kKeep},
          {&kKeepSpine},     {&kRecover},
          {&kRecoverImages}, {&kScope, scope == Ranked::globally ? "global" : "layer"},
          {&kAllocate},      {&kSensitivity},
          {&kAggregate},     {&kVerify}};
}

void settle_budget(Settings& settings) {
  require_allocation(settings);
  const int given = settings.has(kKeepMacs) + settings.has(kKeepParams) + settings.has(kPruneRatio);
  if (given == 0) settings.set(kKeepMacs, "0.5");
  if (given < 2) return;
  fail_usage("found " + std::to_string(given) +
             " budgets, expected one of --keep-macs, --keep-params and --prune-ratio");
}

OneShotOptions cutting_of(const Settings& settings, uint64_t seed) {
  OneShotOptions options;
  if (const auto ratio = settings.given(kPruneRatio)) {
    options.budget = {.of = Budget::Of::ratio, .kept = 1 - *ratio};
  } else if (const auto parameters = settings.given(kKeepParams)) {
    options.budget = {.of = Budget::Of::parameters, .kept = *parameters};
  } else if (const auto macs = settings.given(kKeepMacs)) {
    options.budget = {.of = Budget::Of::macs, .kept = *macs};
  }
  options.round_to = settings[kRoundTo];
  options.most_of_group = settings[kMaxLayerRatio];
  options.scope =
      settings[kScope] == Ranked::globally ? Criterion::Scope::global : Criterion::Scope::group;
  options.aggregate = settings[kAggregate];
  options.keep = settings.all(kKeep);
  if (settings[kKeepSpine]) options.spine = OneShotOptions::Spine::keep;
  options.verify = settings[kVerify];
  options.recover = settings[kRecover];
  options.seed = seed;
  options.of_criterion = settings;
  return options;
}

OneShotOptions cutting_of(const MethodInput& input) {
  OneShotOptions options = cutting_of(input.settings, input.seed);
  options.measure = input.measure;
  options.recover.measure = input.recovering;
  options.sensitivity = input.sensitivity;
  return options;
}

int64_t images_to_recover_by(const Settings& settings) {
  if (!has_option(settings.options(), kRecover)) return 0;
  const auto given = settings.given(kRecoverImages);
  const bool recovers = settings[kRecover].any(), has_data = settings.has(kData);
  const auto refuse = [&](const char* why) {
    fail_usage(kRecoverImages.flag() + " " + std::to_string(*given) + ": " + why);
  };
  if (given && !recovers) refuse("nothing is recovered; add --recover all");
  if (given.value_or(0) > 0 && !has_data) refuse("images need --data, for example cifar10:DIR");
  return recovers && has_data ? given.value_or(kUsualImages) : 0;
}

OptionList masking_options() { return {{&kSparsity}, {&kScope, "layer"}, {&kKeep}}; }

MagnitudeOptions masking_of(const Settings& settings) {
  using Scope = MagnitudeOptions::Scope;
  return {.sparsity = settings[kSparsity],
          .scope = settings[kScope] == Ranked::globally ? Scope::global : Scope::layer,
          .keep = settings.all(kKeep)};
}

OptionList tuning_options(const char* usual_epochs) {
  return {{&kTuneEpochs, usual_epochs}, {&kTuneLr}};
}

Recipe tuning_of(const Settings& settings, Recipe recipe, int64_t usual_epochs) {
  recipe.epochs = settings.given(kTuneEpochs).value_or(usual_epochs);
  recipe.optimizer.learning_rate = settings.given(kTuneLr).value_or(recipe.optimizer.learning_rate);
  return recipe;
}

}  // namespace coppice
