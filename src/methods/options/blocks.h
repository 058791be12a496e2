// Options that several methods have, declared once and named by those that use them; and what they
// mean together.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "methods/one_shot/one_shot.h"
#include "options/settings.h"
#include "training/recipe.h"

namespace coppice {

struct MethodInput;

// Name and number of "NAME=NUMBER".
std::optional<std::pair<std::string, double>> name_and_number(const std::string& text);
// Name and share of "NAME=SHARE", a share from 0 to 1.
std::optional<std::pair<std::string, double>> name_and_share(const std::string& text);

enum class Ranked { by_layer, globally };

// Of methods that cut channels.
extern const NumberOption kKeepMacs, kKeepParams, kKeepLatency, kPruneRatio, kMaxLayerRatio;
extern const TextOption<std::string> kLatencyTable;
extern const TextOption<int64_t> kRoundTo;
// What the result is for.
extern const ChoiceOption<const Runtime*> kFor;
extern const TextOption<LayerRatio> kLayerRatio;
extern const FlagOption kKeepSpine;
extern const TextOption<RecoverOptions> kRecover;
extern const CountOption kRecoverImages;
// Of methods that look at images.
extern const CountOption kImages;
extern const ChoiceOption<Aggregate> kAggregate;
// What groups share a budget by.
enum class Allocate { by_rank, by_sensitivity };
extern const ChoiceOption<Allocate> kAllocate;
extern const TextOption<std::string> kSensitivity;
// Of methods that zero weights: the share of zeros, and how many filters they are alike in.
extern const NumberOption kSparsity;
extern const ChoiceOption<int> kPattern;
// Of both.
extern const TextOption<std::string> kKeep;
extern const ChoiceOption<Ranked> kScope;
extern const ChoiceOption<Verify> kVerify;
// Of methods that train.
extern const CountOption kRounds, kTuneEpochs;
extern const NumberOption kTuneLr;
extern const TextOption<std::string> kTickets;

// Budget, widths, what to leave alone, compensation, ranking and proof. `scope`: the default.
OptionList cutting_options(Ranked scope);
// What says how much goes.
std::span<const Option* const> budget_options();
// Those of them that are set, as they are given: "--keep-macs 0.5".
std::string budget_text(const Settings& settings);
// Chooses a budget where none is set. Throws Error::usage where there is more than one, or where
// --allocate doesn't go with what else is set.
void settle_budget(Settings& settings);
// The same where there are ratios by layer, which are exact: what would bend them is refused.
void settle_budget_or_ratios(Settings& settings);
OneShotOptions cutting_of(const Settings& settings, uint64_t seed);
// The same, with what there is to measure on.
OneShotOptions cutting_of(const MethodInput& input);
// What is to be recovered, and by what.
RecoverOptions recovering_of(const MethodInput& input);
// How many training images recovering looks at; 0 where there is no --data, or nothing is
// recovered. Throws Error::usage for a number of them that says nothing.
int64_t images_to_recover_by(const Settings& settings);

// The share of zeros and their pattern, how they are ranked, and what to leave alone.
OptionList masking_options();
MagnitudeOptions masking_of(const Settings& settings);

// The training after a cut. `usual_epochs`: the default in words.
OptionList tuning_options(const char* usual_epochs);
// As `recipe` but for what is set.
Recipe tuning_of(const Settings& settings, Recipe recipe, int64_t usual_epochs);

}  // namespace coppice
