#include "prune/compensate/recover.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "evidence/evidence.h"
#include "groups/cut/surgery.h"
#include "prune/compensate/change_basis.h"
#include "prune/compensate/match_moments.h"
#include "prune/compensate/refit_layers.h"

namespace coppice {
namespace {

// A graph with its groups on the way.
struct State {
  Graph graph;
  Groups groups;
};

// Where to go back to.
struct Resort {
  State state;
  double error = 0;
  Recovered result;
};

// Of a graph that doesn't change, asked for the same again and again.
Measure remembering(const Measure& measure) {
  if (!measure) return {};
  auto known = std::make_shared<Evidence>();
  return [measure, known](const Graph& graph, std::span<const EvidenceRequest> requests) {
    std::vector<EvidenceRequest> missing;
    for (const EvidenceRequest& request : requests) {
      if (!known->find(request)) missing.push_back(request);
    }
    if (!missing.empty()) known->add(measure(graph, missing));
    return *known;
  };
}

class Recovery {
 public:
  Recovery(const State& original, const Removal& removal, const RecoverOptions& options)
      : removal_(removal),
        options_(options),
        original_(original),
        now_(original),
        of_original_(remembering(options.measure)) {
    if (!options.judge) return;
    judge_.emplace(original.graph, options.judge, options.outputs);
    if (!judge_->known()) judge_.reset();
    if (judge_) error_ = error_of(now_);
  }

  std::pair<State, Recovered> run() {
    by_moments();
    if (options_.measure && options_.basis) change_to_best_basis();
    if (options_.measure && options_.ls) by_layers("ls", refit_layers);
    if (options_.measure && options_.bn) by_layers("bn", match_moments);
    if (judge_ && without_basis_ && error_ >= without_basis_->error) give_up_basis();
    return {std::move(now_), std::move(result_)};
  }

 private:
  double error_of(const State& state) const {
    Graph cut = state.graph;
    remove_units(cut, state.groups, removal_);
    return judge_->of(cut);
  }

  void give_up_basis() {
    const std::vector<RecoverStep> steps = std::move(result_.steps);
    now_ = std::move(without_basis_->state);
    result_ = std::move(without_basis_->result);
    for (size_t s = result_.steps.size(); s < steps.size(); ++s) result_.steps.push_back(steps[s]);
    const auto basis = std::ranges::find(result_.steps, "basis", &RecoverStep::name);
    for (auto step = basis; step != result_.steps.end(); ++step) step->kept = false;
  }

  // Takes the candidate where it helps, and says so.
  bool take(State candidate, RecoverStep step) {
    if (judge_) {
      step.before = error_;
      step.after = error_of(candidate);
      step.kept = *step.after < *step.before;
    }
    if (step.kept) {
      now_ = std::move(candidate);
      if (step.after) error_ = *step.after;
    }
    result_.steps.push_back(step);
    return step.kept;
  }

  State compensated(const State& from, CompensationOptions chosen, const Measure& measure,
                    Compensated& found) const {
    State state = from;
    chosen.measure = measure;
    if (chosen.any()) found = compensate(state.graph, state.groups, removal_, chosen);
    return state;
  }

  void by_moments() {
    if (!options_.by_moments()) return;
    const Measure& measure = of_original_;
    if (!judge_) {  // all at once
      chosen_ = {.bias = options_.bias, .merge = options_.merge, .scale = options_.scale};
      now_ = compensated(original_, chosen_, measure, result_.compensated);
      const Compensated& found = result_.compensated;
      if (options_.bias) result_.steps.push_back({"bias", true, found.bias, found.unknown});
      if (options_.merge) result_.steps.push_back({"merge", true, found.merge, found.unknown});
      if (options_.scale) result_.steps.push_back({"scale", true, found.scale, found.unknown});
      return;
    }
    if (options_.bias) by_more("bias", &CompensationOptions::bias, &Compensated::bias, measure);
    if (options_.merge) by_more("merge", &CompensationOptions::merge, &Compensated::merge, measure);
    if (options_.scale) by_more("scale", &CompensationOptions::scale, &Compensated::scale, measure);
  }

  // What was chosen so far, and one more.
  void by_more(const char* name, bool CompensationOptions::*part, int64_t Compensated::*count,
               const Measure& measure) {
    CompensationOptions more = chosen_;
    more.*part = true;
    Compensated found;
    State state = compensated(original_, more, measure, found);
    if (found.*count == 0) return;
    if (!take(std::move(state), {name, true, found.*count, found.unknown})) return;
    chosen_ = more;
    result_.compensated = found;
  }

  // What it brings shows only once what leaves is merged into what stays, so it is judged by that;
  // where nothing that was asked for does so, the outputs may be further off until layers are
  // refitted, and if they still are in the end, nothing of it is kept (`run`).
  void change_to_best_basis() {
    State changed = original_;
    const int64_t streams = change_basis(changed.graph, changed.groups, removal_, of_original_);
    if (streams == 0) return;
    const Measure measure = remembering(options_.measure);
    RecoverStep step{"basis", true, streams, 0};
    if (judge_) {
      CompensationOptions merging = chosen_;
      merging.bias = merging.merge = true;
      Compensated unused;
      step.before = error_;
      if (!chosen_.merge) {
        step.before = error_of(compensated(original_, merging, of_original_, unused));
      }
      step.after = error_of(compensated(changed, merging, measure, unused));
      step.kept = *step.after < *step.before;
    }
    result_.steps.push_back(step);
    if (!step.kept) return;
    without_basis_ = Resort{now_, error_, result_};
    original_ = changed;
    of_original_ = measure;
    now_ = compensated(original_, chosen_, measure, result_.compensated);
    if (!judge_) return;
    error_ = error_of(now_);
    if (options_.merge && !chosen_.merge) {
      by_more("merge", &CompensationOptions::merge, &Compensated::merge, measure);
    }
  }

  void by_layers(const char* name, ChangedCounts (*correct)(const Graph&, Graph&, Groups&,
                                                            const Removal&, const Measure&)) {
    State state = now_;
    const ChangedCounts counts =
        correct(original_.graph, state.graph, state.groups, removal_, options_.measure);
    if (counts.corrected == 0) return;
    take(std::move(state), {name, true, counts.corrected, counts.unknown});
  }

  const Removal& removal_;
  const RecoverOptions& options_;
  State original_, now_;  // original: what is approached, in whatever basis
  Measure of_original_;
  std::optional<OutputError> judge_;
  double error_ = 0;            // of `now_`
  CompensationOptions chosen_;  // that `now_` has
  std::optional<Resort> without_basis_;
  Recovered result_;
};

}  // namespace

std::vector<std::string> step_names(const RecoverOptions& options) {
  std::vector<std::string> names;
  const auto add = [&](bool asked, const char* name) {
    if (asked) names.emplace_back(name);
  };
  add(options.bias, "bias");
  add(options.merge, "merge");
  add(options.scale, "scale");
  add(options.basis, "basis");
  add(options.ls, "ls");
  add(options.bn, "bn");
  add(options.distill, "distill");
  return names;
}

std::vector<std::string> Recovered::kept() const {
  std::vector<std::string> names;
  for (const RecoverStep& step : steps) {
    if (step.kept) names.push_back(step.name);
  }
  return names;
}

Recovered recover(Graph& graph, Groups& groups, const Removal& removal,
                  const RecoverOptions& options) {
  auto [state, found] = Recovery({graph, groups}, removal, options).run();
  graph = std::move(state.graph);
  groups = std::move(state.groups);
  return found;
}

}  // namespace coppice
