// What training from scratch can be told, and its entries among the methods.
#include "core/error.h"
#include "methods/method.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "methods/scratch/given_structure.h"
#include "methods/scratch/scratch.h"
#include "report/format.h"
#include "session/options/teacher.h"
#include "session/options/training_options.h"

namespace coppice {
namespace {

using Length = ScratchBudget::Length;
using Rule = ScratchBudget::Rule;
using Counter = ScratchBudget::Counter;

const ChoiceOption<Rule> kScratchBudget(
    {"scratch-budget", "NAME",
     "how long it trains: paper, as many epochs as cost what --epochs cost the dense net; "
     "imagenet, the same but twice --epochs at most; strict, the rival's --rival-epochs more"},
    {{"paper", Rule::paper}, {"imagenet", Rule::imagenet}, {"strict", Rule::strict}}, "paper");
const CountOption kRivalEpochs({"rival-epochs", "N",
                                "for --scratch-budget strict: epochs in which what it is compared "
                                "with was fine-tuned"},
                               0, 100'000);
const ChoiceOption<Counter> kCountBy(
    {"count-by", "NAME",
     "what epochs cost: multiply-accumulates (macs), or flops as the paper's script counts them, "
     "with biases, normalisations, activations and pools; zeros count nothing"},
    {{"macs", Counter::macs}, {"flops", Counter::flops}}, "macs");

// What says the structure where no file does.
OptionList structure_options() {
  return {{&kStructure},     {&kKeepMacs},   {&kKeepParams}, {&kPruneRatio},
          {&kMaxLayerRatio}, {&kLayerRatio}, {&kRoundTo},    {&kFor},
          {&kKeep},          {&kKeepSpine},  {&kVerify}};
}

void settle_structure(Settings& settings) {
  if (!settings.has(kStructure)) return settle_budget_or_ratios(settings);
  for (const OptionUse& use : structure_options()) {
    if (use.option == &kStructure || use.option == &kVerify || !settings.has(*use.option)) continue;
    fail_usage("--structure says what is trained, found " + use.option->flag() +
               " beside it; leave one of them out");
  }
}

void settle_budget_of_epochs(Settings& settings) {
  settle_structure(settings);
  const bool strict = settings[kScratchBudget] == Rule::strict;
  if (strict == settings.has(kRivalEpochs)) return;
  fail_usage(strict ? "--scratch-budget strict counts what the rival was fine-tuned for; add "
                      "--rival-epochs N"
                    : "--rival-epochs is for --scratch-budget strict; add it, or leave both out");
}

Method::Structure whose_structure(const Settings& settings) {
  return settings.has(kStructure) ? Method::Structure::given : Method::Structure::predefined;
}

// A graph that a file holds.
ScratchStructure as_it_is(const Graph& original, const GivenStructure& given) {
  within("'" + given.file + "'", [&] { require_teaches(*given.graph, original, "structure"); });
  ScratchStructure structure{.of_original = false};
  Outcome& outcome = structure.outcome;
  outcome.graph = *given.graph;
  const auto costs = [](const Graph& graph) {
    return costs_of(graph, infer(graph, fitting_sizes(graph, {})));
  };
  outcome.before = costs(original);
  outcome.after = costs(outcome.graph);
  outcome.unproved = "the structure is that of '" + given.file + "' as it is";
  return structure;
}

ScratchStructure structure_of(const Graph& original, const MethodInput& input) {
  const GivenStructure* given = input.structure.get();
  if (given && given->graph) return as_it_is(original, *given);
  if (!given) {
    return {.outcome =
                prune_once(original, find_criterion("l2"), cutting_of(input.settings, input.seed))};
  }
  return {.outcome = within("plan '" + given->file + "'", [&] {
            return apply_plan(original, *given->plan, input.settings[kVerify], input.seed);
          })};
}

Outcome run(Session& session, const Recipe& recipe, const MethodInput& input,
            const ScratchBudget& budget, const char* name) {
  const ScratchOptions options{.budget = budget,
                               .seed = input.seed,
                               .zeros = input.settings[kZeros],
                               .remark = input.remark};
  Outcome outcome =
      train_from_scratch(session, structure_of(session.original(), input), recipe, options);
  outcome.plan.method = name;
  return outcome;
}

constexpr char kPaper[] =
    "Liu et al., Rethinking the Value of Network Pruning, ICLR 2019, arXiv:1810.05270";
constexpr char kDiffersInBoth[] =
    "weights are drawn by the model's own rule where it says one (zoo nets), else as He et al. "
    "have "
    "it, by the fans that are left; a layer that a mask thins out is drawn by fans as many times "
    "smaller, of whichever kind the layer is, where the paper's code does so for convolutions; "
    "masks are kept, where the code takes any weight that becomes 0 as pruned; without --structure "
    "l2 says which filters leave";

}  // namespace

extern const Method kScratchE{
    .name = "scratch-e",
    .paper = kPaper,
    .about =
        "draws the weights of a pruned structure anew and trains them for as many epochs as the "
        "dense net",
    .differs = kDiffersInBoth,
    .needs = "training data",
    .kind = Method::Kind::control,
    .options = structure_options(),
    .settle = settle_structure,
    .train =
        [](Session& session, const Recipe& recipe, const MethodInput& input) {
          return run(session, recipe, input, {.length = Length::dense}, "scratch-e");
        },
    .original = Method::Original::is_left_aside,
    .structure = whose_structure};

extern const Method kScratchB{
    .name = "scratch-b",
    .paper = kPaper,
    .about =
        "draws the weights of a pruned structure anew and trains them for as many epochs as cost "
        "what the dense net's do",
    .differs = kDiffersInBoth,
    .needs = "training data",
    .kind = Method::Kind::control,
    .options = joined(structure_options(), {{&kScratchBudget}, {&kRivalEpochs}, {&kCountBy}}),
    .settle = settle_budget_of_epochs,
    .train =
        [](Session& session, const Recipe& recipe, const MethodInput& input) {
          const Settings& settings = input.settings;
          return run(session, recipe, input,
                     {.length = Length::matched,
                      .rule = settings[kScratchBudget],
                      .counter = settings[kCountBy],
                      .rival = settings.given(kRivalEpochs).value_or(0)},
                     "scratch-b");
        },
    .original = Method::Original::is_left_aside,
    .structure = whose_structure};

}  // namespace coppice
