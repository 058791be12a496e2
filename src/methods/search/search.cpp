// See search.h.
#include "methods/search/search.h"

#include <algorithm>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/search/search_options.h"
#include "prune/latency/latency_meter.h"
#include "search/pareto.h"
#include "session/state/fact_names.h"
#include "training/parameters.h"

namespace coppice {
namespace {

using As = ResultTable::As;
using Column = ResultTable::Column;

ResultTable::Cell share(int64_t part, int64_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

std::string text_of(const Widths& widths) {
  std::string text;
  for (const int64_t width : widths) text += (text.empty() ? "" : ",") + std::to_string(width);
  return text;
}

// Foretold, as shares of the whole net's time; nothing without a meter.
std::vector<ResultTable::Cell> latencies_of(const std::vector<Trial>& trials, const Traced& traced,
                                            const MethodInput& input) {
  std::vector<ResultTable::Cell> shares(trials.size());
  if (!input.latency) return shares;
  const auto model = input.latency->model(traced, even_allocation(traced, cutting_of(input)));
  for (size_t i = 0; i < trials.size(); ++i) {
    shares[i] = model->share(last_units_beyond(traced.groups(), trials[i].widths));
  }
  return shares;
}

std::vector<char> front_of(const std::vector<Trial>& trials,
                           const std::vector<ResultTable::Cell>& latencies) {
  std::vector<std::vector<double>> costs;
  std::vector<double> scores;
  for (size_t i = 0; i < trials.size(); ++i) {
    const double* latency = std::get_if<double>(&latencies[i]);
    costs.push_back({static_cast<double>(trials[i].costs.macs), latency ? *latency : 0});
    scores.push_back(trials[i].judged->top1);
  }
  return pareto_front(costs, scores);
}

}  // namespace

Recalibration recalibration_of(const MethodInput& input, int64_t batch) {
  return {.batches = input.settings[kRecalibrate], .batch = batch, .seed = input.seed};
}

void require_searchable(const Session& session, const MethodInput& input) {
  // Of the original: what is trained meanwhile may have other inputs.
  if (session.classes() == 0 || session.original().inputs.size() != 1) {
    fail_input(
        "a search is judged by labels, and the model's outputs aren't scores of the data's "
        "classes");
  }
  if (input.settings[kRecalibrate] > 0 && !has_batch_norm(session.original())) {
    input.remark(
        "the model has no BatchNormalization whose statistics could be found anew; cuts are judged "
        "as they are");
  }
}

void run_search(Session& session, Trials& trials, Strategy& strategy, const MethodInput& input) {
  int64_t done = 0;
  const auto tell = [&] {
    input.progress("searching", "cuts", done, std::max(done, strategy.trials()));
  };
  tell();
  for (;;) {
    const std::vector<Widths> asked = strategy.ask();
    if (asked.empty()) break;
    std::vector<std::optional<double>> scores;
    for (const Widths& widths : asked) {
      const size_t known = trials.all().size();
      const Trial& trial = trials.judge(widths);
      scores.push_back(trial.judged ? std::optional(trial.judged->top1) : std::nullopt);
      ++done;
      tell();
      if (trials.all().size() > known) session.save_or_stop();
    }
    strategy.tell(scores);
  }
  if (!trials.best()) fail_target("none of the widths that were tried can be cut to");
}

void add_tables(const Session& session, const Traced& traced, const MethodInput& input,
                Outcome& outcome) {
  std::vector<Trial> trials = kept_trials(session.own());
  std::erase_if(trials, [](const Trial& trial) { return !trial.judged; });
  const std::vector<ResultTable::Cell> latencies = latencies_of(trials, traced, input);
  const std::vector<char> front = front_of(trials, latencies);
  std::vector<Column> columns = {
      {"macs_kept", "MACs kept", As::share},
      {"parameters_kept", "parameters kept", As::share},
      {"latency_kept", input.latency ? "latency foretold" : "", As::share},
      {"top1", "top-1", As::share},
      {"loss", "loss"},
      {"pareto", "", As::count},
      {"widths", "", As::text}};
  ResultTable all{.key = "candidates", .shown = ResultTable::Shown::in_file, .columns = columns};
  ResultTable best{.key = "pareto", .columns = std::move(columns)};
  for (size_t i = 0; i < trials.size(); ++i) {
    const Trial& trial = trials[i];
    all.rows.push_back({share(trial.costs.macs, outcome.before.macs),
                        share(trial.costs.parameters, outcome.before.parameters), latencies[i],
                        trial.judged->top1, trial.judged->loss, static_cast<double>(front[i]),
                        text_of(trial.widths)});
    if (front[i]) best.rows.push_back(all.rows.back());
  }
  std::ranges::stable_sort(best.rows, {}, [](const auto& row) { return std::get<double>(row[0]); });
  std::string names;
  for (const Group& group : traced.groups().free) names += (names.empty() ? "" : ",") + group.name;
  all.about = {{"widths_of", names}};
  outcome.tables.push_back(std::move(best));
  outcome.tables.push_back(std::move(all));
}

Outcome search_and_train(
    Session& session, const Recipe& recipe, const MethodInput& input, const std::string& method,
    const std::function<std::unique_ptr<Strategy>(SearchSpace space, const Traced& traced)>&
        strategy) {
  require_searchable(session, input);
  const OneShotOptions pruning = cutting_of(input);
  const Criterion& criterion = find_criterion(input.settings[kRankBy]);
  const Traced traced(prepared(session.original(), criterion, pruning));
  require_finite(traced.graph());
  const Scores scores =
      score_units(traced.graph(), traced.groups(), criterion,
                  {.seed = pruning.seed, .aggregate = pruning.aggregate, .own = input.settings});
  SearchSpace space = space_of(traced, scores, input);
  session.stage("searching", [&] {
    Trials trials(session, traced, scores, [&](const Widths&) { return traced; },
                  {pruning, recalibration_of(input, recipe.batch)});
    const auto searching = strategy(std::move(space), traced);
    run_search(session, trials, *searching, input);
    const Outcome found = trials.outcome(trials.best()->widths);
    session.note("search_top1", trials.best()->judged->top1);
    session.adopt(found.graph, found.plan, {});
  });
  if (recipe.epochs > 0) session.stage("fine-tuning", [&] { session.train(recipe); });
  Outcome outcome = outcome_of(session, method, pruning);
  add_tables(session, traced, input, outcome);
  return outcome;
}

}  // namespace coppice
