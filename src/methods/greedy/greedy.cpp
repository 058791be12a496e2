// Sources: Molchanov, Tyree, Karras, Aila, Kautz, "Pruning Convolutional Neural Networks for
// Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, section 2: fine-tune, remove the
// least important map, and again; Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation
// for Neural Network Pruning", CVPR 2019, arXiv:1906.10771, section 3.3: several at a time, and
// scores averaged over rounds.
// Differs: a channel leaves with its group, and is cut, where the second paper's code zeroes its
// gate; momentum of what stays goes on; no group loses more than a share; where widths are rounded,
// channels leave one by one, but a group loses a whole block of them before another begins.
#include "methods/greedy/greedy.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "core/random.h"
#include "graph/passes/separate_vectors.h"
#include "methods/greedy/goal.h"
#include "methods/greedy/score_sums.h"
#include "methods/one_shot/prune_and_train.h"

namespace coppice {
namespace {

constexpr uint64_t kRoundStream = 0x726f756e64;  // "round": no other stream of the seed is like it

// As a session has it.
Graph separated(Graph graph) {
  separate_vectors(graph);
  return graph;
}

class Greedy {
 public:
  Greedy(Session& session, const Criterion& criterion, const GreedyOptions& options,
         const Recipe& loop)
      : session_(session),
        criterion_(criterion),
        options_(options),
        loop_(loop),
        whole_(separated(prepared(session.original(), criterion, options.pruning))),
        goal_(whole_, options.pruning, options.units, unscored(whole_)) {}

  void prepare() { session_.rewrite(whole_.graph()); }

  void train() {
    sums_ = ScoreSums(session_.own());
    TrainHooks hooks{.after_update = [this](int64_t) { remove_least(); },
                     .every = options_.updates,
                     .left = [this] { return updates_left(); }};
    hooks.requests = [this] { return look_anew(); };
    if (criterion_.members) {
      hooks.evidence = [this](const Evidence& evidence) {
        sums_.add(traced_->groups(), *views_, criterion_, evidence);
        session_.keep_own(sums_.kept());
      };
    }
    session_.train(recipe(), hooks);
    session_.keep_own({});
  }

 private:
  // Groups that the criterion has nothing to look at in.
  std::vector<char> unscored(const Traced& traced) const {
    const ScoreOptions options = scoring();
    if (!criterion_.needs) {
      return score_units(traced.graph(), traced.groups(), criterion_, options).unscored;
    }
    const GroupViews views(traced.graph(), traced.groups(), criterion_, options);
    std::vector<char> none;
    for (size_t g = 0; g < traced.groups().free.size(); ++g) {
      none.push_back(criterion_.needs(views.of(g, nullptr)).empty());
    }
    return none;
  }

  ScoreOptions scoring() const {
    const OneShotOptions& pruning = options_.pruning;
    return {.seed = pruning.seed,
            .aggregate = pruning.aggregate,
            .own = pruning.of_criterion,
            .measure = measuring_in(session_, loop_, pruning)};
  }

  // As many epochs as it takes at most, at one rate.
  Recipe recipe() const {
    Recipe recipe = loop_;
    const int64_t units = whole_.groups().unit_count, per_step = options_.units_per_step;
    const int64_t updates = (units + per_step - 1) / per_step * options_.updates;
    const int64_t batches = std::max<int64_t>(1, session_.batches(recipe));
    recipe.epochs = (updates + batches - 1) / batches;
    recipe.schedule = {.kind = Schedule::Kind::constant};
    return recipe;
  }

  // The model was changed, or is seen for the first time.
  std::vector<EvidenceRequest> look_anew() {
    traced_ = std::make_unique<Traced>(session_.traced());
    options_of_views_ = scoring();
    views_ = std::make_unique<GroupViews>(traced_->graph(), traced_->groups(), criterion_,
                                          options_of_views_);
    return criterion_.members ? views_->requests() : std::vector<EvidenceRequest>();
  }

  // Of the round that is under way.
  int64_t updates_left() {
    if (!traced_) look_anew();
    const int64_t units = goal_.units_left(*traced_, sums_.removed());
    const int64_t rounds = (units + options_.units_per_step - 1) / options_.units_per_step;
    return std::max<int64_t>(units > 0, rounds * options_.updates - sums_.updates());
  }

  Scores scores_of(const Traced& now) {
    if (criterion_.members) {
      return sums_.scores(now.graph(), now.groups(), *views_, criterion_, options_.smoothing);
    }
    ScoreOptions options = scoring();  // of its own for each round, or chance would be none
    options.seed = Random::stream(options.seed, {kRoundStream, uint64_t(sums_.removed())}).next();
    return score_units(now.graph(), now.groups(), criterion_, options);
  }

  void remove_least() {
    const Traced now = session_.traced();
    const Scores scores = scores_of(now);
    const Removal removal = goal_.least(now, scores, sums_.removed(), options_.units_per_step);
    if (std::ranges::count(removal, 1) == 0) {
      fail_target(
          "no channel is left that may leave, and the budget isn't met: every group keeps " +
              std::to_string(std::lround(100 * (1 - options_.pruning.most_of_group))) +
              " % of its channels",
          {option_hint("max-layer-ratio", "", "says how much of a group may go")});
    }
    sums_.next_round(now.graph(), now.groups(), removal);
    RemoveOptions cut = removing(options_.pruning);
    cut.proof = RemoveOptions::Proof::off;  // all cuts together are proved in the end
    session_.remove(now.groups(), removal, cut);
    session_.keep_own(sums_.kept());
    look_anew();
  }

  Session& session_;
  const Criterion& criterion_;
  const GreedyOptions& options_;
  const Recipe& loop_;
  const Traced whole_;
  const Goal goal_;
  ScoreSums sums_{MethodState()};
  std::unique_ptr<Traced> traced_;  // as the trainer has it, but for weights
  ScoreOptions options_of_views_;
  std::unique_ptr<GroupViews> views_;
};

int64_t milliseconds(double seconds) { return std::llround(1000 * seconds); }

}  // namespace

Outcome prune_greedily(Session& session, const Criterion& criterion, const GreedyOptions& options,
                       const Recipe& loop, const Recipe& tuning) {
  Greedy greedy(session, criterion, options, loop);
  session.stage("preparing", [&] { greedy.prepare(); });
  Session::Spent spent;
  session.stage("removing channels", [&] {
    greedy.train();
    spent = session.spent();
  });
  if (tuning.epochs > 0) session.stage("fine-tuning", [&] { session.train(tuning); });
  Outcome outcome = outcome_of(session, criterion.name, options.pruning);
  int64_t removed = 0;
  for (const GroupCut& group : outcome.groups) removed += group.before - group.after;
  outcome.facts.emplace_back("removed_channels", removed);
  if (spent.updates > 0) {  // in this process
    outcome.facts.emplace_back("removing_updates_ms", milliseconds(spent.updates));
    outcome.facts.emplace_back("removing_between_ms", milliseconds(spent.between));
  }
  return outcome;
}

}  // namespace coppice
