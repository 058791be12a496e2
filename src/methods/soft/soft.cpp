// Source: He, Kang, Dong, Fu, Yang, "Soft Filter Pruning for Accelerating Deep Convolutional Neural
// Networks", IJCAI 2018, arXiv:1808.06866, Algorithm 1; with FPGM as criterion He et al., CVPR
// 2019, arXiv:1811.00250, Algorithm 1. Weights, momentum and BatchNormalization go on as if nothing
// had happened: only the filters themselves are zeroed.
// Differs: what was zeroed is normalised by its running statistics from then on, in training, too.
// By the batch's a filter of zeros has no variance: its gradients are a hundred times what others'
// are, it comes back at full strength after one step however small that was, and its norm outranks
// those of filters that are worth more. ResNet-20 from its trained weights loses a third of its
// training accuracy so in four epochs. Filters are zeroed once before the first epoch too, as the
// authors' code does. Their compact models add up the constants that BatchNormalization gives for
// zeroed filters; here `options.recover` makes up for what is cut
// (prune/compensate/compensation.h), or nothing does. Coupled layers lose the same filters, so that
// residual streams shrink, where the paper chooses in every layer by itself and keeps their width.
// Biases and normalisations have no weight decay, where the authors' code decays all parameters.
// The original teaches where the recipe's loss has a share for it, as the command's does by default
// for a trained model.
#include "methods/soft/soft.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/passes/loosen.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/soft/zeroed_units.h"

namespace coppice {
namespace {

constexpr char kCutting[] = "pruning";
constexpr char kDifference[] = "zeroed_filters_difference";
constexpr char kShare[] = "zeroed_filters_share";

// The zeroings and the cut of one run. What was zeroed last is the session's own state.
class Zeroing {
 public:
  Zeroing(Session& session, const Criterion& criterion, const SoftOptions& options)
      : session_(session), criterion_(criterion), options_(options) {}

  void before_training() {
    const Traced traced = session_.traced();
    if (share_after(0) < 1) choose(traced, criterion_, options_.pruning);  // fails early if at all
    const Removal removal = chosen(traced, 0);
    if (std::ranges::count(removal, 1) > 0 && session_.can_evaluate()) {
      session_.note("held_out_top1_before", session_.evaluate().top1);
    }
    zero(traced, removal);
  }

  void after(int64_t epoch, int64_t epochs) {
    const bool due = epoch < epochs ? (epoch - 1) % options_.interval == 0
                                    : options_.last == SoftOptions::Last::zeroed;
    if (!due) return;
    const Traced traced = session_.traced();
    zero(traced, chosen(traced, epoch));
  }

  void cut() {
    const Traced traced = session_.traced();
    const OneShotOptions& pruning = options_.pruning;
    const Removal removal =
        options_.last == SoftOptions::Last::zeroed
            ? removal_of(traced.graph(), traced.groups(), session_.own().tensors)
            : choose(traced, criterion_, pruning).removal;
    Graph zeroed = session_.graph();
    apply_masks(zeroed, masks_of_filters(zeroed, traced.groups(), removal));
    session_.remove(traced.groups(), removal, removing(pruning));
    if (pruning.verify == Verify::off) return;
    constexpr int64_t kBatch = 3;
    const InputSizes sizes = fitting_sizes(zeroed, {.inputs = {}, .batch = kBatch});
    const auto found = zeroed_filters_of(compare(zeroed, session_.graph(), sizes, pruning.seed));
    if (!found) return;
    session_.note(kDifference, found->difference);
    session_.note(kShare, found->share);
  }

 private:
  double share_after(int64_t epoch) const { return options_.growth ? options_.growth(epoch) : 1; }

  // Little of a budget may be less than a filter of any layer.
  Removal chosen(const Traced& traced, int64_t epoch) const {
    const double share = share_after(epoch);
    if (share == 1) return choose(traced, criterion_, options_.pruning).removal;
    OneShotOptions part = options_.pruning;
    part.budget.kept = 1 - share * (1 - part.budget.kept);
    for (auto& [name, ratio] : part.layer_ratios) ratio *= share;
    part.round_to = 1;
    const auto found = attempt(ErrorKind::target, [&] { return choose(traced, criterion_, part); });
    return found ? found->removal : Removal(traced.groups().unit_count, 0);
  }

  void zero(const Traced& traced, const Removal& removal) {
    const Graph& graph = traced.graph();
    NamedTensors now = zeroed_units(graph, traced.groups(), removal);
    const NamedTensors& before = session_.own().tensors;
    session_.note("zeroed_filters", static_cast<double>(count_filters(now)));
    if (const int64_t count = count_filters(before); count > 0) {
      const Revival found = revival_of(graph, traced.groups(), before, now);
      session_.note("revived_filters", static_cast<double>(found.revived));
      session_.note("rechosen_share",
                    static_cast<double>(found.chosen_again) / static_cast<double>(count));
    }
    session_.hold_statistics(normalised_channels(graph, traced.groups(), removal));
    session_.mask(masks_of_filters(graph, traced.groups(), removal, options_.constants),
                  Session::Masking::soft);
    session_.keep_own({.text = {}, .tensors = std::move(now)});
  }

  Session& session_;
  const Criterion& criterion_;
  const SoftOptions& options_;
};

// As the stage of the cut, which a resumed run leaves out, put it on record.
std::optional<ZeroedFilters> recorded(const Session& session) {
  const auto cut = std::ranges::find(session.stages(), kCutting, &StageRecord::stage);
  ZeroedFilters found;
  bool any = false;
  for (const auto& [name, value] : cut->facts) {
    if (name == kDifference) found.difference = value;
    if (name == kShare) found.share = value;
    any = any || name == kDifference;
  }
  return any ? std::optional(found) : std::nullopt;
}

}  // namespace

void require_filters(const Criterion& criterion) {
  if (criterion.ranks != Criterion::Ranks::normalisations) return;
  fail_usage("'" + std::string(criterion.name) +
             "' doesn't rank by filters but by BatchNormalization's scales, which soft pruning "
             "would leave as active as before; choose fpgm, l1 or l2, or slimming to train scales "
             "towards zero");
}

Outcome prune_softly(Session& session, const Criterion& criterion, const SoftOptions& given,
                     const Recipe& recipe, const Recipe& tuning) {
  require_filters(criterion);
  SoftOptions options = given;
  options.pruning.measure = measuring_in(session, recipe, given.pruning);
  Zeroing zeroing(session, criterion, options);
  session.stage("zeroing filters", [&] {
    Graph graph = session.original();
    loosen(graph);
    session.rewrite(std::move(graph));
    zeroing.before_training();
  });
  session.stage("soft pruning", [&] {
    const auto after_epoch = [&](int64_t epoch) { zeroing.after(epoch, recipe.epochs); };
    session.train(recipe, {.after_epoch = after_epoch});
  });
  session.stage(kCutting, [&] { zeroing.cut(); });
  if (tuning.epochs > 0) session.stage("fine-tuning", [&] { session.train(tuning); });
  Outcome outcome = outcome_of(session, options.name, options.pruning);
  outcome.zeroed_filters = recorded(session);
  return outcome;
}

}  // namespace coppice
