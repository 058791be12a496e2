// The ranges and words of what methods share.
#include "methods/options/blocks.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "methods/method.h"
#include "options/comma_list.h"
#include "prune/runtimes/runtimes.h"
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

constexpr std::array<std::pair<const char*, bool RecoverOptions::*>, 7> kSteps = {
    {{"bias", &RecoverOptions::bias},
     {"merge", &RecoverOptions::merge},
     {"scale", &RecoverOptions::scale},
     {"basis", &RecoverOptions::basis},
     {"ls", &RecoverOptions::ls},
     {"bn", &RecoverOptions::bn},
     {"distill", &RecoverOptions::distill}}};

// Some steps in any order, "all" or "none".
std::optional<RecoverOptions> recover_of(const std::string& text) {
  if (text == "none") return RecoverOptions{};
  if (text == "all") return RecoverOptions::all();
  RecoverOptions options;
  for (const std::string& part : between_commas(text)) {
    const auto step = std::ranges::find(kSteps, part, [](const auto& s) { return s.first; });
    if (step == kSteps.end()) return std::nullopt;
    options.*(step->second) = true;
  }
  return options;
}

std::optional<LayerRatio> layer_ratio_of(const std::string& text) {
  const auto ratio = name_and_share(text);
  return ratio && ratio->second < 1 ? ratio : std::nullopt;
}

// Ratios by layer are exact: what would bend them is refused, and there is no budget beside them.
void settle_layer_ratios(const Settings& settings) {
  for (const Option* option :
       std::initializer_list<const Option*>{&kKeepMacs, &kKeepParams, &kKeepLatency, &kRoundTo,
                                            &kMaxLayerRatio, &kScope, &kAllocate, &kSensitivity}) {
    if (!settings.has(*option) || (option == &kRoundTo && settings[kRoundTo] == 1)) continue;
    fail_usage("--layer-ratio says exactly what leaves, found " + option->flag() +
               " beside it; leave one of them out");
  }
}

}  // namespace

std::optional<std::pair<std::string, double>> name_and_number(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return std::pair(text.substr(0, equals), number);
}

std::optional<std::pair<std::string, double>> name_and_share(const std::string& text) {
  const auto found = name_and_number(text);
  return found && found->second >= 0 && found->second <= 1 ? found : std::nullopt;
}

const NumberOption kKeepMacs({"keep-macs", "SHARE", "share of the multiply-accumulates that stays",
                              "0.5, where there is no other budget"},
                             share(nullptr, kNothingRemoved));
const NumberOption kKeepParams({"keep-params", "SHARE", "share of the parameters that stays"},
                               share(nullptr, kNothingRemoved));
const NumberOption kKeepLatency({"keep-latency", "SHARE",
                                 "share of the time of a run that stays, measured here; within 5 % "
                                 "of it, or it is said why not"},
                                share(nullptr, kNothingRemoved));
const TextOption<std::string> kLatencyTable(
    {"latency-table", "FILE",
     "for --keep-latency: times of the layers at several widths; measured and written there where "
     "there is no such file",
     "kept for each net and processor"},
    "a file", any_text);
const NumberOption kPruneRatio({"prune-ratio", "SHARE",
                                "share of its channels that every group loses, where widths are "
                                "rounded all groups together; of all channels where they are "
                                "ranked globally"},
                               share(nullptr, kNothingLeft));
const NumberOption kMaxLayerRatio({"max-layer-ratio", "SHARE",
                                   "no group loses a larger share of its channels"},
                                  share(nullptr, kNothingLeft), OneShotOptions{}.most_of_group);
const TextOption<int64_t> kRoundTo({"round-to", "auto|N",
                                    "keep widths a multiple of N; auto: as the runtime of --for "
                                    "runs them fast"},
                                   "auto or a width from 1 up; 1 doesn't round", width_of, "auto");

namespace {

std::vector<ChoiceOption<const Runtime*>::Choice> choices_of_runtimes() {
  std::vector<ChoiceOption<const Runtime*>::Choice> choices;
  for (const char* name : runtime_names()) choices.push_back({name, find_runtime(name)});
  return choices;
}

}  // namespace

const ChoiceOption<const Runtime*> kFor(
    {"for", "RUNTIME",
     "what the result is to run fast in: onnxruntime, of this CPU's block or of a CPU with AVX2 or "
     "AVX-512; ONNX Runtime Web; OpenCV; coppice's own; or any of them"},
    choices_of_runtimes(), "onnxruntime");
const TextOption<LayerRatio> kLayerRatio(
    {"layer-ratio", "REGEX=SHARE",
     "share of their channels that groups with such a name lose, exactly; others lose "
     "--prune-ratio, or nothing; widths aren't rounded; may be repeated, and the last that matches "
     "counts",
     "", Option::Takes::values},
    "a regular expression, =, and a share from 0 to below 1, such as layer1=0.5", layer_ratio_of);
const FlagOption kKeepSpine("keep-spine",
                            "leave the channels alone that residual connections add up");
const TextOption<RecoverOptions> kRecover(
    {"recover", "all|none|STEPS",
     "make up for what leaves: by biases, by merging it into what stays, by the variances of "
     "BatchNormalization (bias,merge,scale); by images of --data also by another basis of linear "
     "streams, by least squares layer by layer, by means and variances (basis,ls,bn), and by a "
     "short training without labels (distill, not in all); of these, what helps on held-out "
     "images is kept",
     "all, where a criterion cuts and nothing trains; with --soft all; else none"},
    "all, none, or some of bias, merge, scale, basis, ls, bn and distill, such as bias,merge",
    recover_of, "none");
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
const ChoiceOption<int> kPattern({"pattern", "unstructured|2x1|4x1",
                                  "zeros anywhere, or in blocks of 2 or 4 filters that share an "
                                  "input channel and tap, which run faster"},
                                 {{"unstructured", 1}, {"2x1", 2}, {"4x1", 4}}, "unstructured");
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
const TextOption<std::string> kTickets({"tickets", "DIR",
                                        "writes the nets of every round there, as they were when "
                                        "the held-out loss was smallest and at the end"},
                                       "a folder", any_text);

namespace {

void require_allocation(const Settings& settings) {
  if (!has_option(settings.options(), kAllocate)) return;
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
  return {{&kKeepMacs},
          {&kKeepParams},
          {&kKeepLatency},
          {&kLatencyTable},
          {&kPruneRatio},
          {&kMaxLayerRatio},
          {&kRoundTo},
          {&kFor},
          {&kKeep},
          {&kKeepSpine},
          {&kRecover},
          {&kRecoverImages},
          {&kScope, scope == Ranked::globally ? "global" : "layer"},
          {&kAllocate},
          {&kSensitivity},
          {&kAggregate},
          {&kVerify}};
}

namespace {

// The runtime of this CPU by its own name, so that the command said again gives the same widths on
// another one.
void settle_runtime(Settings& settings) {
  if (settings.has(kRoundTo) || !has_option(settings.options(), kFor)) return;
  settings.set(kFor, settings[kFor]->name);
}

}  // namespace

std::span<const Option* const> budget_options() {
  static const std::array<const Option*, 6> options = {&kKeepMacs,   &kKeepParams, &kKeepLatency,
                                                       &kPruneRatio, &kLayerRatio, &kSparsity};
  return options;
}

std::string budget_text(const Settings& settings) {
  std::string text;
  for (const auto& [flag, value] : settings.decisive()) {
    const auto says = [&flag = flag](const Option* option) { return option->flag() == flag; };
    if (std::ranges::none_of(budget_options(), says)) continue;
    text += (text.empty() ? "" : " ") + flag + " " + value;
  }
  return text;
}

void settle_budget(Settings& settings) {
  require_allocation(settings);
  if (settings.has(kLatencyTable) && !settings.has(kKeepLatency)) {
    fail_usage("--latency-table is for --keep-latency; add it, or leave both out");
  }
  const OptionList budgets = {{&kKeepMacs}, {&kKeepParams}, {&kKeepLatency}, {&kPruneRatio}};
  const auto given = std::ranges::count_if(
      budgets, [&](const OptionUse& use) { return settings.has(*use.option); });
  if (given == 0) settings.set(kKeepMacs, "0.5");
  settle_runtime(settings);
  if (given < 2) return;
  fail_usage(
      "found " + std::to_string(given) +
      " budgets, expected one of --keep-macs, --keep-params, --keep-latency and --prune-ratio");
}

void settle_budget_or_ratios(Settings& settings) {
  if (settings.has(kLayerRatio)) {
    settle_layer_ratios(settings);
  } else {
    settle_budget(settings);
  }
}

OneShotOptions cutting_of(const Settings& settings, uint64_t seed) {
  OneShotOptions options;
  if (const auto ratio = settings.given(kPruneRatio)) {
    options.budget = {.of = Budget::Of::ratio, .kept = 1 - *ratio};
  } else if (const auto parameters = settings.given(kKeepParams)) {
    options.budget = {.of = Budget::Of::parameters, .kept = *parameters};
  } else if (const auto latency = settings.given(kKeepLatency)) {
    options.budget = {.of = Budget::Of::latency, .kept = *latency};
  } else if (const auto macs = settings.given(kKeepMacs)) {
    options.budget = {.of = Budget::Of::macs, .kept = *macs};
  }
  options.runtime = settings[kFor];
  options.round_to = settings[kRoundTo];
  options.most_of_group = settings[kMaxLayerRatio];
  if (has_option(settings.options(), kScope)) {
    options.scope =
        settings[kScope] == Ranked::globally ? Criterion::Scope::global : Criterion::Scope::group;
  }
  options.aggregate = settings[kAggregate];
  options.keep = settings.all(kKeep);
  options.layer_ratios = settings.all(kLayerRatio);
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
  options.recover = recovering_of(input);
  options.sensitivity = input.sensitivity;
  options.latency = input.latency;
  return options;
}

RecoverOptions recovering_of(const MethodInput& input) {
  RecoverOptions options = input.settings[kRecover];
  options.measure = input.recovering;
  options.judge = input.judging;
  options.outputs = input.outputs;
  return options;
}

namespace {

// What was asked for by name isn't left out in silence.
void require_images_for_steps(const Settings& settings) {
  const RecoverOptions asked = settings[kRecover];
  const bool none = !settings.has(kData) || settings.given(kRecoverImages).value_or(1) == 0;
  if (!none || !asked.by_images() || step_names(asked) == step_names(RecoverOptions::all())) return;
  fail_usage(kRecover.flag() + ": basis, ls and bn are fitted to images" +
             (settings.has(kData) ? ", found --recover-images 0; leave it out"
                                  : "; add --data, for example cifar10:DIR"));
}

}  // namespace

int64_t images_to_recover_by(const Settings& settings) {
  if (!has_option(settings.options(), kRecover)) return 0;
  const auto given = settings.given(kRecoverImages);
  const bool recovers = settings[kRecover].any(), has_data = settings.has(kData);
  const auto refuse = [&](const char* why) {
    fail_usage(kRecoverImages.flag() + " " + std::to_string(*given) + ": " + why);
  };
  if (given && !recovers) refuse("nothing is recovered; add --recover all");
  if (given.value_or(0) > 0 && !has_data) refuse("images need --data, for example cifar10:DIR");
  require_images_for_steps(settings);
  return recovers && has_data ? given.value_or(kUsualImages) : 0;
}

OptionList masking_options() { return {{&kSparsity}, {&kPattern}, {&kScope, "layer"}, {&kKeep}}; }

MagnitudeOptions masking_of(const Settings& settings) {
  using Scope = MagnitudeOptions::Scope;
  return {.sparsity = settings.has(kKeepLatency) ? 0 : settings[kSparsity],
          .scope = settings[kScope] == Ranked::globally ? Scope::global : Scope::layer,
          .keep = settings.all(kKeep),
          .together = settings[kPattern]};
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
