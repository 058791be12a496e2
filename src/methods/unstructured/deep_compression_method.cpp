// What Deep Compression can be told, and its entry among the methods.
#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/deep_compression.h"
#include "methods/unstructured/rescale_dropout.h"

namespace coppice {
namespace {

using Retraining = DeepCompressionOptions::Retraining;
using LayerShare = std::pair<std::string, double>;

std::optional<LayerShare> density_of(const std::string& text) {
  const auto density = name_and_share(text);
  return density && density->second > 0 ? density : std::nullopt;
}

const TextOption<LayerShare> kDensity(
    {"density", "REGEX=SHARE",
     "share of a layer's weights that stays, in place of --sparsity; may be repeated", "",
     Option::Takes::values},
    "a layer's name or a regular expression, =, and the share of its weights that stays, such as "
    "fc1=0.08",
    density_of);
const NumberOption kQuality({"quality", "X",
                             "prune below this times a layer's deviation, in place of --sparsity"},
                            {.low = 0, .ends = NumberRange::Ends::open});
const FlagOption kAlternate("alternate",
                            "retrain matrices and convolutions in turn, the others frozen");

bool is_by_layer(const Settings& settings) {
  return settings.has(kQuality) || settings.has(kDensity);
}

void settle(Settings& settings) {
  if (settings.has(kQuality) && settings.has(kSparsity)) {
    fail_usage("--quality is in place of --sparsity, found both");
  }
  if (is_by_layer(settings) && settings[kScope] == Ranked::globally) {
    fail_usage("--scope global ranks all layers together, found --density or --quality beside it");
  }
  sharing_of(settings, {}, 0);
}

DeepCompressionOptions options_for(const Graph& graph, const MethodInput& input) {
  const Settings& settings = input.settings;
  DeepCompressionOptions options;
  options.pruning = masking_of(settings);
  // Layers that no --density names stay dense.
  if (is_by_layer(settings) && !settings.has(kSparsity)) options.pruning.sparsity = 0;
  for (const auto& [pattern, share] : settings.all(kDensity)) {
    for (const std::string& name : weights_matching(graph, pattern, kDensity.name())) {
      options.pruning.layers[name] = 1 - share;
    }
  }
  options.quality = settings.given(kQuality);
  options.rounds = settings[kRounds];
  if (settings[kAlternate]) options.retraining = Retraining::alternating;
  options.sharing = sharing_of(settings, options.pruning.keep, input.seed);
  if (options.sharing->bits.none) options.sharing.reset();
  return options;
}

Outcome run(Session& session, const Recipe& recipe, const MethodInput& input) {
  if (count_dropouts(session.original()) == 0) {
    input.remark(
        "the model has no Dropout (exporters leave it out), so the paper's weaker dropout for "
        "fewer connections has nothing to act on");
  }
  return deep_compression(session, options_for(session.original(), input), recipe);
}

}  // namespace

extern const Method kDeepCompression{
    .name = "deep-compression",
    .paper = "Han et al., Deep Compression, ICLR 2016, arXiv:1510.00149",
    .about = "zeroes small weights in rounds with training, then lets the rest share few values",
    .differs =
        "by rank, so that sparsities are exact; every round keeps the same share of what the one "
        "before left, where the paper raises thresholds by hand; dead neurons go after every "
        "pruning, not only at the end; the learning rate of each retraining starts high, not at a "
        "tenth or a hundredth of the original's; shared values are tuned by Adam "
        "(--share-optimizer sgd: the paper's sums); --alternate freezes the weights of the other "
        "layers, not their biases and normalisations; a trained original teaches by default, in "
        "retraining and tuning (--distill 0: labels alone, as in the paper)",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = joined(joined(changed(masking_options(), {&kSparsity, "0.9"}),
                             {{&kRounds, "4"}, {&kDensity}, {&kQuality}, {&kAlternate}}),
                      sharing_options()),
    .settle = settle,
    .train = run};

}  // namespace coppice
