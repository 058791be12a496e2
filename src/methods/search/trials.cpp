// See trials.h.
#include "methods/search/trials.h"

#include "core/attempt.h"
#include "core/words/hash_of.h"
#include "report/json.h"
#include "training/judging/better.h"

namespace coppice {
namespace {

Json json_of(const Trial& trial) {
  Json json = {{"plan", trial.plan},
               {"widths", trial.widths},
               {"macs", trial.costs.macs},
               {"parameters", trial.costs.parameters}};
  if (trial.judged) {
    json["top1"] = trial.judged->top1;
    json["loss"] = trial.judged->loss;
  }
  return json;
}

Trial trial_of(const Json& json) {
  Trial trial{.plan = json.at("plan"), .widths = json.at("widths").get<Widths>()};
  trial.costs.macs = json.at("macs");
  trial.costs.parameters = json.at("parameters");
  if (json.contains("top1")) {
    trial.judged = Evaluation{.top1 = json.at("top1"), .loss = json.at("loss")};
  }
  return trial;
}

}  // namespace

std::vector<Trial> kept_trials(const MethodState& state) {
  std::vector<Trial> trials;
  if (state.text.empty()) return trials;
  const Json kept = Json::parse(state.text);
  for (const Json& json : kept.at("trials")) trials.push_back(trial_of(json));
  return trials;
}

Trials::Trials(Session& session, Traced traced, Scores scores, Weigh weigh, TrialOptions options)
    : session_(session),
      traced_(std::move(traced)),
      scores_(std::move(scores)),
      weigh_(std::move(weigh)),
      options_(std::move(options)),
      trials_(kept_trials(session_.own())) {
  for (size_t i = 0; i < trials_.size(); ++i) by_plan_[trials_[i].plan] = i;
}

void Trials::keep() const {
  Json list = Json::array();
  for (const Trial& trial : trials_) list.push_back(json_of(trial));
  MethodState own = session_.own();
  own.text = dumped({{"trials", list}});
  session_.keep_own(std::move(own));
}

Graph Trials::recalibrated(Graph graph) const {
  if (options_.recalibration.batches == 0) return graph;
  return session_.recalibrated(std::move(graph), options_.recalibration);
}

Outcome Trials::cut(const Widths& widths, Verify verify) const {
  OneShotOptions pruning = options_.pruning;
  pruning.verify = verify;
  Outcome outcome = cut_to(weigh_(widths), removal_for(traced_.groups(), scores_, widths), pruning);
  outcome.graph = recalibrated(std::move(outcome.graph));
  return outcome;
}

Outcome Trials::outcome(const Widths& widths) const { return cut(widths, options_.pruning.verify); }

const Trial& Trials::judge(const Widths& widths) {
  const auto removal =
      attempt(ErrorKind::target, [&] { return removal_for(traced_.groups(), scores_, widths); });
  const std::string plan =
      removal ? hash_of(to_json(plan_of(traced_.graph(), traced_.groups(), *removal))) : "none";
  const auto [place, is_new] = by_plan_.try_emplace(plan, trials_.size());
  if (!is_new) return trials_[place->second];
  Trial trial{.plan = plan, .widths = widths};
  if (removal) {
    trial.costs = traced_.costs().after(*removal);
    const auto cut_net = attempt(ErrorKind::target, [&] { return cut(widths, Verify::off).graph; });
    if (cut_net) trial.judged = session_.evaluate(*cut_net, Part::search);
  }
  trials_.push_back(std::move(trial));
  keep();
  return trials_.back();
}

const Trial* Trials::best() const {
  const Trial* best = nullptr;
  for (const Trial& trial : trials_) {
    if (trial.judged && (!best || is_better(*trial.judged, *best->judged))) best = &trial;
  }
  return best;
}

}  // namespace coppice
