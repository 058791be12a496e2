// Channel Pruning as a method: its options, and what it says of itself.
#include <algorithm>

#include "core/error.h"
#include "methods/channel_pruning/channel_pruning.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "report/format.h"

namespace coppice {
namespace {

using Choose = RegressionOptions::Choose;
using Refit = RegressionOptions::Refit;
using Sampler = ChannelPruningOptions::Sampler;
using ShareBy = ChannelPruningOptions::ShareBy;
using Scaled = RegressionOptions::Scaled;

const CountOption kPoints({"points", "N",
                           "sampled points of each image and layer: each is a place of the layer's "
                           "output and what it reads for that"},
                          1, 100'000, 10);
const ChoiceOption<Choose> kChoose(
    {"choose", "NAME",
     "how channels are chosen: by the LASSO, or, to compare, the largest sum of absolute weights "
     "of their filters, the first, the largest mean absolute response, or any"},
    {{"lasso", Choose::lasso},
     {"l1", Choose::l1},
     {"first", Choose::first},
     {"response", Choose::response},
     {"random", Choose::random}},
    "lasso");
const ChoiceOption<Scaled> kLassoScale(
    {"lasso-scale", "NAME",
     "whether the LASSO sees what a channel gives as it is, or as if the weights that read it had "
     "norm 1"},
    {{"none", Scaled::as_is}, {"norm", Scaled::by_norm}}, "none");
const ChoiceOption<Refit> kRefit(
    {"refit", "NAME",
     "which layers get new weights by least squares: all that read something changed, those that "
     "lose channels, or none"},
    {{"changed", Refit::changed}, {"losing", Refit::losing}, {"none", Refit::none}}, "changed");
const ChoiceOption<Sampler> kSampler(
    {"sampler", "on|off",
     "let layers that read a residual stream by themselves read fewer of its channels, by an index "
     "in front of them, whose numbers count as multiply-accumulates"},
    {{"on", Sampler::on}, {"off", Sampler::off}}, "off");

const ChoiceOption<ShareBy> kShareBy(
    {"share-by", "NAME",
     "how a budget is shared: every layer keeps the same share of its channels (even), or those "
     "leave first that cost the least error of what layers answer for what they save (errors)"},
    {{"even", ShareBy::even}, {"errors", ShareBy::errors}}, "errors");
constexpr double kMostTimes = 100;

std::optional<LayerRatio> times_of(const std::string& text) {
  const auto times = name_and_number(text);
  return times && times->second > 0 && times->second <= kMostTimes ? times : std::nullopt;
}

const TextOption<LayerRatio> kKeepMore(
    {"keep-more", "REGEX=TIMES",
     "groups with such a name keep so many times the share of their channels that others keep, as "
     "the paper's conv4 keeps 1.5 times that of the layers before; by errors, these count for so "
     "much more; may be repeated, and the last that matches counts",
     "", Option::Takes::values},
    "a regular expression, =, and a number above 0, such as layer3=1.5", times_of);

void require_one_sharing(const Settings& settings) {
  if (settings[kAllocate] != Allocate::by_sensitivity) return;
  for (const Option* option : std::initializer_list<const Option*>{&kShareBy, &kKeepMore}) {
    if (!settings.has(*option)) continue;
    fail_usage("--allocate sensitivity shares the budget by measured curves, found " +
               option->flag() + " beside it; leave one of them out");
  }
}

void settle(Settings& settings) {
  settle_budget_or_ratios(settings);
  require_one_sharing(settings);
  const bool errors = settings.has(kShareBy) && settings[kShareBy] == ShareBy::errors;
  if (!errors && !settings.has(kKeepMore)) return;
  const std::string sharing = errors ? kShareBy.flag() + " errors" : kKeepMore.flag();
  for (const Option* option : std::initializer_list<const Option*>{&kLayerRatio, &kPruneRatio}) {
    if (!settings.has(*option)) continue;
    fail_usage(sharing + " shares a budget among layers, found " + option->flag() +
               " beside it, which says what each loses; leave one of them out");
  }
}

void remark_on_errors(const std::vector<RegressedLayer>& layers, const MethodInput& input) {
  if (layers.empty()) return;
  double sum = 0;
  for (const RegressedLayer& layer : layers) sum += layer.fitted;
  const auto worst = std::ranges::max_element(layers, {}, &RegressedLayer::fitted);
  input.remark("layers that lost channels answer with a mean error of " +
               percentage(sum / static_cast<double>(layers.size())) +
               " of what their outputs vary by; most, " + percentage(worst->fitted) + ", does '" +
               worst->name + "'");
}

Method::Structure whose_structure(const Settings& settings) {
  const bool said = settings.has(kLayerRatio) || settings.has(kPruneRatio);
  return said || settings[kShareBy] == ShareBy::even ? Method::Structure::predefined
                                                     : Method::Structure::automatic;
}

Outcome prune(const Graph& graph, const MethodInput& input) {
  ChannelPruningOptions options{.pruning = cutting_of(input)};
  options.regression.choose = input.settings[kChoose];
  options.regression.scaled = input.settings[kLassoScale];
  options.regression.refit = input.settings[kRefit];
  options.regression.points = input.settings[kPoints];
  options.regression.after_layer = [&](int64_t done, int64_t layers) {
    input.progress("regressing", "layers", done, layers);
  };
  options.looked_at = [&](int64_t done, int64_t layers) {
    input.progress("measuring what layers can do without", "layers", done, layers);
  };
  options.sampler = input.settings[kSampler];
  options.share_by = input.settings[kShareBy];
  options.keep_more = input.settings.all(kKeepMore);
  options.remark = input.remark;
  Outcome outcome = channel_pruning(graph, options);
  remark_on_errors(outcome.regressed, input);
  return outcome;
}

}  // namespace

extern const Method kChannelPruning{
    .name = "channel-pruning",
    .paper =
        "He, Zhang, Sun, Channel Pruning for Accelerating Very Deep Neural Networks, ICCV "
        "2017, arXiv:1707.06168",
    .about =
        "chooses the channels that a layer reads by the LASSO and refits its weights to the "
        "original's outputs by least squares, layer by layer",
    .differs =
        "the LASSO sees all samples, where the authors' code draws 400, and each output has an "
        "intercept of its own in it; the count is met exactly, where the code takes up to 10 % "
        "more; channels are chosen once, then refitted, as in the code; channels that several "
        "layers read are chosen by all of these; layers that read something changed are refitted, "
        "too (--refit losing: as in the paper); widths are solved for a budget; a depthwise or "
        "grouped layer isn't refitted",
    .needs = "images, without labels",
    .options = {{&kKeepMacs},   {&kKeepParams},    {&kKeepLatency},    {&kLatencyTable},
                {&kPruneRatio}, {&kMaxLayerRatio}, {&kRoundTo},        {&kFor},
                {&kLayerRatio}, {&kShareBy},       {&kAllocate},       {&kSensitivity},
                {&kKeepMore},   {&kKeep},          {&kSampler},        {&kChoose},
                {&kLassoScale}, {&kRefit},         {&kImages, "1000"}, {&kPoints},
                {&kVerify}},
    .settle = settle,
    .prune = prune,
    .images = [](const Settings& settings) { return settings[kImages]; },
    .structure = whose_structure};

}  // namespace coppice
