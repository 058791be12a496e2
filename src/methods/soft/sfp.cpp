// Soft Filter Pruning and its asymptotic form, as their papers and the authors' code have them.
#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/soft/growth.h"
#include "methods/soft/soft.h"

namespace coppice {
namespace {

// What becomes of what BatchNormalization makes of zeroed filters.
enum class BnConstant { keep, zero, fold };

const CountOption kInterval({"interval", "N",
                             "zeroes after the first epoch, every N epochs from there, and after "
                             "the last"},
                            1, 100'000, 1);
const NumberOption kStartShare({"start-share", "SHARE",
                                "of what the budget removes this share is zeroed before the first "
                                "epoch"},
                               {.low = 0, .high = 0.7}, 0);
const ChoiceOption<BnConstant> kBnConstant(
    {"bn-constant", "keep|zero|fold",
     "the constants that BatchNormalization makes of zeroed filters: keep has them until the cut "
     "drops them, zero zeroes shifts and means with the filters, fold adds them to what reads "
     "them when the filters are cut (--recover bias)"},
    {{"keep", BnConstant::keep}, {"zero", BnConstant::zero}, {"fold", BnConstant::fold}}, "fold");

// The two ways to say what is recovered must say the same.
void settle_constants(Settings& settings) {
  const BnConstant constant = settings[kBnConstant];
  if (!settings.has(kRecover)) {
    settings.set(kRecover, constant == BnConstant::fold ? "bias" : "none");
    return;
  }
  const bool folds = settings[kRecover].bias;
  if (!settings.has(kBnConstant)) return settings.set(kBnConstant, folds ? "fold" : "keep");
  if (constant == BnConstant::zero || folds == (constant == BnConstant::fold)) return;
  fail_usage(std::string("--bn-constant ") +
             (folds ? "keep drops constants, and --recover bias makes up for them"
                    : "fold is what --recover bias does, which isn't in --recover") +
             "; leave one of the two out");
}

void settle(Settings& settings) {
  settle_budget(settings);
  settle_constants(settings);
}

SoftOptions soft_of(const char* name, const MethodInput& input) {
  const bool zero = input.settings[kBnConstant] == BnConstant::zero;
  return {.name = name,
          .pruning = cutting_of(input),
          .interval = input.settings[kInterval],
          .growth = {},
          .constants = zero ? Constants::zeroed : Constants::left,
          .last = SoftOptions::Last::zeroed};
}

Outcome soften(Session& session, const SoftOptions& options, const Recipe& recipe,
               const MethodInput& input) {
  return prune_softly(session, find_criterion("l2"), options, recipe,
                      tuning_of(input.settings, recipe, 0));
}

OptionList options_of_both() {
  OptionList cutting = changed(cutting_options(Ranked::by_layer), {&kRecover, "bias"});
  return joined(joined(std::move(cutting), tuning_options("0")), {{&kInterval}, {&kBnConstant}});
}

constexpr char kDiffers[] =
    "coupled layers lose the same filters, so that residual streams shrink, where the paper "
    "chooses in every convolution by itself and keeps a stream's width (--keep-spine leaves "
    "streams alone); filters that were zeroed are normalised by their running statistics from "
    "then on, where the authors' are by the batch's, of which they make a hundred times the "
    "gradients of others; the cut folds constants into what reads them, on the average over an "
    "image "
    "with zeros around it, where the authors add them to the stream and lose those of inner "
    "layers; biases and normalisations have no weight decay, where the authors' code decays all; "
    "the result is the last epoch's, where the authors keep the best by test accuracy; a trained "
    "original teaches by default (--distill 0: labels alone, as in the paper)";

}  // namespace

extern const Method kSfp{
    .name = "sfp",
    .paper = "He et al., Soft Filter Pruning, IJCAI 2018, arXiv:1808.06866",
    .about = "zeroes the smallest filters after every epoch but trains them on; cuts at the end",
    .differs = kDiffers,
    .needs = "training data",
    .options = options_of_both(),
    .settle = settle,
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      return soften(session, soft_of("sfp", input), recipe, input);
    }};

extern const Method kAsfp{
    .name = "asfp",
    .paper = "He et al., Asymptotic Soft Filter Pruning, arXiv:1808.07471",
    .about = "zeroes few filters at first and more after every epoch; cuts at the end",
    .differs = std::string(kDiffers) +
               "; the schedule counts epochs that are done, and grows whatever the budget is of",
    .needs = "training data",
    .options = joined(options_of_both(), {{&kStartShare}}),
    .settle = settle,
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      SoftOptions options = soft_of("asfp", input);
      const Growth growth(input.settings[kStartShare], recipe.epochs);
      options.growth = [growth](int64_t epoch) { return growth.after(epoch); };
      return soften(session, options, recipe, input);
    }};

}  // namespace coppice
