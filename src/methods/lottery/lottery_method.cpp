// What a lottery can be told, and its entry among the methods.
#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "methods/lottery/lottery.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "options/comma_list.h"
#include "session/options/training_options.h"

namespace coppice {
namespace {

using LayerRate = std::pair<std::string, double>;  // an empty pattern is of all layers
enum class Control { redrawn, random_mask };

std::optional<LayerRate> rate_of(const std::string& text) {
  const bool named = text.find('=') != std::string::npos;
  auto rate = name_and_share(named ? text : "all=" + text);
  if (!rate || rate->second >= 1) return std::nullopt;
  if (!named) rate->first.clear();
  return rate;
}

std::optional<int64_t> count_of(const std::string& text) {
  int64_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = error == std::errc() && stop == text.data() + text.size();
  return whole && count >= 0 ? std::optional(count) : std::nullopt;
}

// "0", "500it", "2ep", "lr", "lr:500it".
std::optional<Rewind> rewind_of(const std::string& text) {
  Rewind rewind;
  std::string where = text;
  if (text.starts_with("lr")) {
    rewind.of = Rewind::Of::rate;
    if (text == "lr") return rewind;
    if (text[2] != ':') return std::nullopt;
    where = text.substr(3);
  }
  const bool updates = where.ends_with("it"), epochs = where.ends_with("ep");
  const auto count = count_of(updates || epochs ? where.substr(0, where.size() - 2) : where);
  if (!count || (!updates && !epochs && *count != 0)) return std::nullopt;
  (epochs ? rewind.epochs : rewind.updates) = *count;
  return rewind;
}

std::optional<std::vector<int64_t>> rounds_of(const std::string& text) {
  std::vector<int64_t> rounds;
  for (const std::string& part : between_commas(text)) {
    const auto round = count_of(part);
    if (!round || *round < 1) return std::nullopt;
    rounds.push_back(*round);
  }
  return rounds;
}

constexpr char kOwn[] = "net";

std::optional<std::string> initialisation_name(const std::string& text) {
  const auto names = initialise_names();
  const bool known = text == kOwn || std::ranges::find(names, text) != names.end();
  return known ? std::optional(text) : std::nullopt;
}

const TextOption<LayerRate> kRoundRate(
    {"round-rate", "[REGEX=]SHARE",
     "share of the weights left that a round takes; of layers with such a name, where one stands "
     "before it; may be repeated, and the last that matches counts",
     "", Option::Takes::values},
    "a share from 0 to below 1, also of layers such as fc3=0.1", rate_of, "0.2");
const TextOption<Rewind> kRewind(
    {"rewind", "POINT",
     "what rounds start from: 0, the first weights; 500it or 2ep, those of an early update or "
     "epoch, from which the schedule goes on; lr, the weights as trained, with the schedule gone "
     "through again (lr:2ep: from there)"},
    "0, or an update or epoch such as 500it or 2ep; lr, or lr: and one of them", rewind_of, "0");
const TextOption<std::string> kReinit(
    {"reinit", "net|NAME",
     "draws the first weights anew: as the net says itself, or by he-fan-in, he-fan-out, "
     "caffe-xavier, glorot-normal, normal-0.01 or truncated-normal-0.09"},
    "net, or the name of an initialisation, such as glorot-normal", initialisation_name);
const FlagOption kTrained("trained", "the model is trained: it is pruned at once; for --rewind lr");
const CountOption kJudgeEvery({"judge-every", "N",
                               "updates between looks at the held-out images, which say where "
                               "training could have stopped",
                               "an epoch's"},
                              1, 1'000'000'000);
const ChoiceOption<Control> kTicketControl(
    {"ticket-control", "NAME",
     "trains beside each ticket what is none: reinit, the same mask with weights drawn anew; "
     "random-mask, as many zeros of each layer elsewhere; may be repeated",
     "", Option::Takes::values},
    {{"reinit", Control::redrawn}, {"random-mask", Control::random_mask}});
const CountOption kTicketControlSeeds({"ticket-control-seeds", "N",
                                       "how many of each --ticket-control a round"},
                                      1, 1000, 1);
const TextOption<std::vector<int64_t>> kTicketControlRounds(
    {"ticket-control-rounds", "LIST", "beside which rounds they are trained", "all"},
    "rounds from 1 up, such as 7,9,11", rounds_of);
const CountOption kStability(
    {"stability", "N",
     "trains the last ticket once more, in another order of the images, and judges N points of "
     "the line between both"},
    2, 1001);

std::optional<double> rate_of_all(const Settings& settings) {
  std::optional<double> rate;
  for (const auto& [pattern, share] : settings.all(kRoundRate)) {
    if (pattern.empty()) rate = share;
  }
  return rate;
}

std::vector<LayerRate> rates_of_layers(const Settings& settings) {
  std::vector<LayerRate> rates = settings.all(kRoundRate);
  std::erase_if(rates, [](const LayerRate& rate) { return rate.first.empty(); });
  return rates;
}

// Two of the sparsity, the rounds and the rate say the third.
void settle_pace(Settings& settings) {
  const bool by_layer = !rates_of_layers(settings).empty();
  if (by_layer && settings[kScope] == Ranked::globally) {
    fail_usage(
        "--scope global ranks all layers together, found --round-rate of layers beside it; "
        "--keep leaves layers alone");
  }
  if (!settings.has(kSparsity)) {
    if (!settings.has(kRounds)) settings.set(kRounds, std::to_string(Pace{}.rounds));
    return;
  }
  const double rate = rate_of_all(settings).value_or(Pace{}.rate);
  if (by_layer) {
    fail_usage(
        "--sparsity is the same for all layers, found --round-rate of some beside it; say "
        "--rounds in place of --sparsity");
  }
  if (settings.has(kRounds) && rate_of_all(settings)) {
    fail_usage(
        "--sparsity and --rounds say what a round takes, found --round-rate beside them; "
        "leave one of the three out");
  }
  if (rate == 0) fail_usage("--round-rate 0 never comes to a --sparsity; ask for more");
  if (!settings.has(kRounds)) {
    settings.set(kRounds, std::to_string(rounds_to(settings[kSparsity], rate)));
  }
}

void settle_controls(const Settings& settings) {
  for (const Option* option :
       std::initializer_list<const Option*>{&kTicketControlSeeds, &kTicketControlRounds}) {
    if (!settings.has(*option) || settings.has(kTicketControl)) continue;
    fail_usage(option->flag() + " is for --ticket-control; add reinit or random-mask");
  }
  const auto rounds = settings.given(kTicketControlRounds);
  if (!rounds) return;
  for (const int64_t round : *rounds) {
    if (round <= settings[kRounds]) continue;
    fail_usage("--ticket-control-rounds names round " + std::to_string(round) + ", there are " +
               std::to_string(settings[kRounds]));
  }
}

void settle(Settings& settings) {
  settle_pace(settings);
  settle_controls(settings);
  const bool rate_alone = settings[kRewind].of == Rewind::Of::rate;
  if (settings[kTrained] && (!rate_alone || settings.has(kReinit))) {
    fail_usage(
        "--trained goes on from the weights of the model, so with --rewind lr alone, found " +
        std::string(settings.has(kReinit) ? "--reinit" : "another --rewind"));
  }
  // Nothing that the file knows is left.
  if (settings.has(kReinit)) settings.set(kFromScratch, "true");
}

LotteryOptions options_for(const MethodInput& input) {
  using Scope = MagnitudeOptions::Scope;
  const Settings& settings = input.settings;
  LotteryOptions options;
  options.pace = {.rounds = settings[kRounds],
                  .rate = rate_of_all(settings).value_or(Pace{}.rate),
                  .layers = rates_of_layers(settings),
                  .sparsity = settings.given(kSparsity),
                  .scope = settings[kScope] == Ranked::globally ? Scope::global : Scope::layer};
  options.keep = settings.all(kKeep);
  options.rewind = settings[kRewind];
  if (const auto reinit = settings.given(kReinit)) {
    options.first = LotteryOptions::First::drawn;
    if (*reinit != kOwn) {
      options.by = {.conv = initialise_of(*reinit), .linear = initialise_of(*reinit)};
    }
  }
  options.trained = settings[kTrained];
  options.judge_every = settings.given(kJudgeEvery).value_or(0);
  for (const Control control : settings.all(kTicketControl)) {
    (control == Control::redrawn ? options.controls.redrawn : options.controls.random_masks) = true;
  }
  options.controls.seeds = settings[kTicketControlSeeds];
  options.controls.rounds = settings.given(kTicketControlRounds).value_or(std::vector<int64_t>());
  options.stability = settings.given(kStability).value_or(0);
  options.seed = input.seed;
  options.deliver = input.deliver;
  options.warn = input.warn;
  return options;
}

}  // namespace

extern const Method kLottery{
    .name = "lottery",
    .paper = "Frankle and Carbin, The Lottery Ticket Hypothesis, ICLR 2019, arXiv:1803.03635",
    .about =
        "prunes in rounds, by the weights as trained, and begins each with the first weights "
        "again: finds a sparse net that learns as well from its start",
    .differs =
        "exactly round(p n) of a layer's n weights leave in a round, ties by index, and one always "
        "stays (the authors' code removes one more); the held-out images are judged once an epoch "
        "unless --judge-every says more; the images come in another order in every training; what "
        "is rewound to, --rewind 500it, is trained to once, and every round, the dense one too, "
        "begins there with a fresh optimizer (Frankle et al., ICML 2020, arXiv:1912.05671, "
        "Algorithm 2); --rewind lr is of Renda et al., ICLR 2020, arXiv:2003.02389",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = {{&kRounds, "7, or what --sparsity takes"},
                {&kRoundRate},
                {&kSparsity,
                 {},
                 "",
                 "share of the weights that is zero after the last round, in place of --rounds or "
                 "--round-rate"},
                {&kScope, "layer"},
                {&kKeep},
                {&kRewind},
                {&kReinit},
                {&kTrained},
                {&kJudgeEvery},
                {&kTickets},
                {&kTicketControl},
                {&kTicketControlSeeds},
                {&kTicketControlRounds},
                {&kStability}},
    .settle = settle,
    .train =
        [](Session& session, const Recipe& recipe, const MethodInput& input) {
          return find_ticket(session, options_for(input), recipe);
        },
    .original = Method::Original::is_made_better};

}  // namespace coppice
