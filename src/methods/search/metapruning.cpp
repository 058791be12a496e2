// See metapruning.h.
#include "methods/search/metapruning.h"

#include "core/error.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/search/evolving.h"
#include "methods/search/search_options.h"
#include "session/reinitialise.h"

namespace coppice {
namespace {

using Start = MetaPruningOptions::Start;

constexpr uint64_t kWidthsStream = 0x77696474;  // "widt": no other stream of the seed is like it

const CountOption kNetEpochs({"net-epochs", "N", "epochs of the PruningNet's training"}, 1, 100'000,
                             10);
const NumberOption kNetRate({"net-lr", "X", "largest learning rate of the PruningNet's training"},
                            {.low = 0, .ends = NumberRange::Ends::open}, 0.1);
const CountOption kNetHidden({"net-hidden", "N",
                              "how wide the layer is from which a layer's weights are generated; "
                              "the PruningNet is about so many times as large as the model"},
                             1, 10'000, PruningNetOptions{}.hidden);
const ChoiceOption<Start> kWeights(
    {"weights", "NAME",
     "what the net that is found goes on with: generated, the PruningNet's weights; inherit, the "
     "model's own; scratch, weights drawn anew"},
    {{"generated", Start::generated}, {"inherit", Start::inherited}, {"scratch", Start::redrawn}},
    "generated");

// Of a step of the training, from 1.
Widths widths_at(const SearchSpace& space, uint64_t seed, int64_t update) {
  Random random = Random::stream(seed, {kWidthsStream, static_cast<uint64_t>(update)});
  return drawn_anyhow(space, random);
}

Outcome start_of(Start start, const Traced& traced, const Widths& widths, Outcome generated,
                 const OneShotOptions& pruning, const MethodInput& input) {
  switch (start) {
    case Start::generated: break;
    case Start::redrawn:
      reinitialise(generated.graph, {.by = initialisation_of(traced.graph()), .seed = input.seed});
      break;
    case Start::inherited: {
      const Criterion& criterion = find_criterion(input.settings[kRankBy]);
      const Scores scores = score_units(traced.graph(), traced.groups(), criterion,
                                        {.seed = pruning.seed, .aggregate = pruning.aggregate});
      return cut_to(traced, removal_for(traced.groups(), scores, widths), pruning);
    }
  }
  return generated;
}

Recipe recipe_of_net(Recipe recipe, const MethodInput& input) {
  recipe.epochs = input.settings[kNetEpochs];
  recipe.optimizer.learning_rate = input.settings[kNetRate];
  recipe.kept = {};
  // As the authors have it; by labels alone, as the original never was of such widths.
  recipe.loss = {.label_smoothing = 0.1, .others = LossOptions::Others::leave};
  return recipe;
}

Outcome run(Session& session, const Recipe& recipe, const MethodInput& input) {
  const MetaPruningOptions options{
      .start = input.settings[kWeights],
      .net = {.hidden = input.settings[kNetHidden], .seed = input.seed},
      .training = recipe_of_net(recipe, input)};
  return metapruning(session, options, recipe, input);
}

void settle(Settings& settings) {
  settle_evolution(settings, TrainsBefore::a_net);
  if (settings[kWeights] == Start::inherited) return;
  for (const Option* option :
       std::initializer_list<const Option*>{&kRankBy, &kAggregate, &kRecover, &kRecoverImages}) {
    if (!settings.has(*option)) continue;
    fail_usage(option->flag() +
               " is for the model's own channels and weights; add --weights inherit, or leave it "
               "out");
  }
}

}  // namespace

Outcome metapruning(Session& session, const MetaPruningOptions& options, const Recipe& recipe,
                    const MethodInput& input) {
  require_searchable(session, input);
  const OneShotOptions pruning = cutting_of(input);
  const Traced traced(prepared(session.original(), find_criterion("l1"), pruning));
  require_finite(traced.graph());
  const Groups& groups = traced.groups();
  const SearchSpace space = space_of(traced, in_order(groups), input);
  PruningNet net = pruning_net_of(traced, options.net);
  Recipe training = options.training;
  training.frozen = net.frozen;
  session.stage("making the PruningNet", [&] { session.rewrite(std::move(net.graph)); });
  session.stage("training the PruningNet", [&] {
    session.train(training, {.feeds = [&](int64_t update) {
                    return feeds_for(groups, widths_at(space, input.seed, update));
                  }});
  });
  session.stage("searching", [&] {
    const Graph trained = session.graph();
    OneShotOptions cuts = pruning;
    cuts.recover = {};
    Trials trials(session, traced, in_order(groups),
                  [&](const Widths& widths) { return generated(traced, trained, widths); },
                  {cuts, recalibration_of(input, recipe.batch)});
    run_search(session, trials, *evolving(space, input), input);
    const Trial best = *trials.best();
    Outcome found = trials.outcome(best.widths);
    session.note("search_top1", best.judged->top1);
    session.note("generated_top1", session.evaluate(found.graph, Part::held_out).top1);
    if (input.deliver) input.deliver("generated", found.graph);
    found = start_of(options.start, traced, best.widths, std::move(found), pruning, input);
    session.adopt(found.graph, found.plan, {});
  });
  if (recipe.epochs > 0) session.stage("fine-tuning", [&] { session.train(recipe); });
  Outcome outcome = outcome_of(session, "metapruning", pruning);
  add_tables(session, traced, input, outcome);
  return outcome;
}

extern const Method kMetaPruning{
    .name = "metapruning",
    .paper = "Liu et al., MetaPruning, ICCV 2019, arXiv:1903.10258",
    .about =
        "trains a net that generates the weights of every narrower net, and searches the "
        "widths whose generated net is best",
    .differs =
        "all BatchNormalizations have one set of statistics, found anew for every cut, where the "
        "authors' have one for every width, which they find anew, too; a classifier keeps weights "
        "of its own, cropped; costs are multiply-accumulates; the last stage's width is searched, "
        "too (--keep leaves it alone); widths are rounded (--round-to 1: none is, as in the "
        "paper); the "
        "result goes on with the generated weights (--weights scratch: as in the paper)",
    .needs = "training data",
    .options =
        joined(joined(searching_options(), evolution_options()),
               {{&kNetEpochs}, {&kNetRate}, {&kNetHidden}, {&kWeights}, {&kRankBy}, {&kTickets}}),
    .settle = settle,
    .train = run,
    .epochs = Method::Epochs::may_be_none,
    .searches = true};

}  // namespace coppice
