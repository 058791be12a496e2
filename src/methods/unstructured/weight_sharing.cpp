#include "methods/unstructured/weight_sharing.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "graph/value_names.h"
#include "prune/masks/masks.h"

namespace coppice {

namespace {

std::optional<int64_t> bits_of(std::string_view text) {
  int64_t bits = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  if (bits < 1 || bits > 16) return std::nullopt;
  return bits;
}

// Layers and bits of "LAYERS=N".
std::optional<std::pair<std::string, int64_t>> part_of(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::optional<int64_t> bits = bits_of(std::string_view(text).substr(equals + 1));
  if (!bits) return std::nullopt;
  return std::pair(text.substr(0, equals), *bits);
}

// Of "conv=8,fc=5", "none", a single number for both, or a number for the layers that a regular
// expression matches ("conv=8,fc=5,^fc1=4").
std::optional<LayerBits> layer_bits_of(const std::string& text) {
  LayerBits result;
  if (text == "none") return LayerBits{.none = true};
  if (const auto both = bits_of(text)) {
    result.conv = result.fc = *both;
    return result;
  }
  for (size_t begin = 0, end = 0; begin <= text.size(); ++end) {
    end = std::min(text.find(',', end), text.size());
    auto part = part_of(text.substr(begin, end - begin));
    if (!part && end < text.size()) continue;  // a comma of the regular expression's own
    if (!part) return std::nullopt;
    if (part->first == "conv") {
      result.conv = part->second;
    } else if (part->first == "fc") {
      result.fc = part->second;
    } else {
      result.layers.push_back(std::move(*part));
    }
    begin = end + 1;
  }
  return result;
}

using Init = KMeansOptions::Init;
using Optimizer = OptimizerOptions::Kind;

const ChoiceOption<Init> kInit(
    {"init", "NAME", "where the shared values begin: linear, density or forgy"},
    {{"linear", Init::linear}, {"density", Init::density}, {"forgy", Init::forgy}}, "linear");
const ChoiceOption<Optimizer> kShareOptimizer(
    {"share-optimizer", "NAME", "of that tuning: adam, or sgd, the paper's sum of gradients"},
    {{"adam", Optimizer::adam}, {"sgd", Optimizer::sgd}}, "adam");

Recipe tuning_recipe(Recipe recipe, const CentroidSteps& steps) {
  recipe.optimizer.kind = steps.optimizer;
  recipe.optimizer.learning_rate = steps.learning_rate;
  recipe.optimizer.momentum = 0;  // of sgd; a sum of thousands needs no help
  recipe.optimizer.weight_decay = 0;
  return recipe;
}

}  // namespace

std::map<std::string, int64_t> bits_of_layers(const Graph& graph, const SharingOptions& options) {
  std::map<std::string, int64_t> bits;
  for (const ValueId id : maskable_weights(graph)) {
    const Value& value = graph.value(id);
    bits[value.name] = value.constant->rank() > 2 ? options.bits.conv : options.bits.fc;
  }
  if (bits.empty()) {
    fail_target("no weights to share: no Conv, ConvTranspose, Gemm or MatMul with float32 weights");
  }
  for (const auto& [pattern, own] : options.bits.layers) {
    for (const std::string& name : weights_matching(graph, pattern, "bits")) bits[name] = own;
  }
  for (const std::string& pattern : options.keep) {
    for (const std::string& name : weights_matching(graph, pattern, "keep")) bits.erase(name);
  }
  if (bits.empty()) {
    fail_target("no weights to share: all layers are left alone",
                {option_hint("keep", "", "names too many")});
  }
  return bits;
}

void share_weights(Graph& graph, const SharingOptions& options) {
  const ValueNames names(graph);
  for (const auto& [name, bits] : bits_of_layers(graph, options)) {
    std::span<float> weights = graph.value(*names.find(name)).constant->mutate<float>();
    const SharedWeights shared =
        share_weights(std::span<const float>(weights),
                      {.clusters = (1 << bits) - 1, .init = options.init, .seed = options.seed});
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = weight_of(shared, shared.codes[i]);
  }
}

void share_and_tune(Session& session, const SharingOptions& options, const Recipe& recipe) {
  session.stage("weight sharing", [&] {
    Masks zeros = masks_of_zeros(session.graph());
    std::erase_if(zeros,
                  [](const auto& mask) { return nonzeros_of(mask.second) == mask.second.size(); });
    session.mask(zeros, Session::Masking::hard);
    Graph shared = session.graph();
    share_weights(shared, options);
    session.edit(std::move(shared));
  });
  session.stage("tuning centroids", [&] {
    Recipe tuning = tuning_recipe(recipe, options.steps);
    for (const auto& [name, bits] : bits_of_layers(session.graph(), options)) {
      tuning.tied.insert(name);
    }
    session.train(tuning);
  });
}

const TextOption<LayerBits> kBits(
    {"bits", "conv=N,fc=N,REGEX=N",
     "bits of a code for shared weights, by kind of layer or by name; none: no values are shared"},
    "none, or such as conv=8,fc=5, or 6, or ^fc1=4 for the layers that a regular expression "
    "matches, with 1 "
    "to 16 bits each",
    layer_bits_of, "conv=8,fc=5");

const NumberOption kShareLr({"share-lr", "X", "largest learning rate of tuning the shared values"},
                            {.low = 0, .ends = NumberRange::Ends::open},
                            CentroidSteps{}.learning_rate);

OptionList centroid_options() { return {{&kShareLr}, {&kShareOptimizer}}; }
OptionList sharing_options() { return joined({{&kBits}, {&kInit}}, centroid_options()); }

SharingOptions sharing_of(const Settings& settings, std::vector<std::string> keep, uint64_t seed) {
  const SharingOptions options{
      .bits = settings[kBits],
      .keep = std::move(keep),
      .init = settings[kInit],
      .seed = seed,
      .steps = {.optimizer = settings[kShareOptimizer], .learning_rate = settings[kShareLr]}};
  if (options.bits.none) {
    for (const OptionUse& use : sharing_options()) {
      if (use.option == &kBits || !settings.has(*use.option)) continue;
      fail_usage(use.option->flag() + " is for shared weights, found --bits none");
    }
  }
  if (options.steps.optimizer == Optimizer::sgd && !settings.has(kShareLr)) {
    fail_usage(
        "--share-optimizer sgd needs --share-lr: its steps are sums over all weights that share a "
        "value, so no rate fits every network; begin near 1e-6");
  }
  return options;
}

}  // namespace coppice
