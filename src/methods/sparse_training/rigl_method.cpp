// What RigL can be told, and its entry among the methods.
#include <string>

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/rigl.h"
#include "methods/sparse_training/sparse_training.h"

namespace coppice {
namespace {

using Growth = RiglOptions::Growth;
using Anneal = DropSchedule::Anneal;

const ChoiceOption<Densities> kDensities(
    {"densities", "uniform|erk",
     "how many weights each layer has: the same share, but all of a first convolution, or by "
     "Erdos-Renyi-Kernel, where small layers have larger shares"},
    {{"uniform", Densities::uniform}, {"erk", Densities::erk}}, "erk");
const ChoiceOption<Growth> kGrowth(
    {"growth", "gradient|random|none",
     "what grows where weights were dropped: those of the largest gradients, any (SET), or "
     "nothing, so that the first masks stay"},
    {{"gradient", Growth::gradient}, {"random", Growth::random}, {"none", Growth::none}},
    "gradient");
const NumberOption kDropFraction({"drop-fraction", "SHARE",
                                  "of a layer's weights this share is dropped when masks first "
                                  "change"},
                                 {.low = 0, .high = 1}, 0.3);
const ChoiceOption<Anneal> kAnneal({"anneal", "cosine|constant",
                                    "how that share falls until the last change"},
                                   {{"cosine", Anneal::cosine}, {"constant", Anneal::constant}},
                                   "cosine");

// What was asked for by name isn't left out in silence.
void settle(Settings& settings) {
  if (settings[kGrowth] != Growth::none) return;
  for (const Option* option :
       {static_cast<const Option*>(&kDropFraction), static_cast<const Option*>(&kAnneal),
        static_cast<const Option*>(&kMaskEvery), static_cast<const Option*>(&kMaskUntil)}) {
    if (settings.has(*option)) {
      fail_usage(kGrowth.flag() + " none leaves the masks as they are, found " + option->flag() +
                 " beside it; leave one of the two out");
    }
  }
}

Outcome run(Session& session, const Recipe& recipe, const MethodInput& input) {
  const Settings& settings = input.settings;
  const RiglOptions options{.sparsity = settings[kSparsity],
                            .keep = settings.all(kKeep),
                            .densities = settings[kDensities],
                            .growth = settings[kGrowth],
                            .anneal = settings[kAnneal],
                            .fraction = settings[kDropFraction],
                            .every = settings[kMaskEvery],
                            .until = settings[kMaskUntil],
                            .seed = input.seed};
  const int64_t last = update_at(options.until, updates_of(session, recipe));
  if (options.growth != Growth::none && options.every > last) {
    input.warn("masks never change: the first time would be after " +
               std::to_string(options.every) + " updates (" + kMaskEvery.flag() +
               "), the last after " + std::to_string(last) + " (" + kMaskUntil.flag() + ")");
  }
  return train_sparse(session, options, recipe);
}

}  // namespace

extern const Method kRigl{
    .name = "rigl",
    .paper = "Evci et al., Rigging the Lottery, ICML 2020, arXiv:1911.11134",
    .about = "trains a sparse model from the start, whose masks drop small weights and grow others",
    .differs =
        "an update of the weights is made also where masks change, which the paper leaves out "
        "there; they then change by the gradients of that update's batch, before it, and by the "
        "weights after it; ties by index, where the authors' code adds noise; the counts of erk "
        "are exact together; uniform leaves a first layer dense only if it is a convolution; "
        "weights are those that the model comes with, and a trained original teaches by default "
        "(--distill 0: labels alone, as in the paper)",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = {{&kSparsity, "0.9"},
                {&kKeep},
                {&kDensities},
                {&kGrowth},
                {&kDropFraction},
                {&kAnneal},
                {&kMaskEvery},
                {&kMaskUntil}},
    .settle = settle,
    .train = run};

}  // namespace coppice
