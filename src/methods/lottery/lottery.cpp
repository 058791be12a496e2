// Sources: Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv:1803.03635, Sec. 1
// and 2; Frankle, Dziugaite, Roy, Carbin, "Linear Mode Connectivity and the Lottery Ticket
// Hypothesis", ICML 2020, arXiv:1912.05671, Algorithm 2 (rewinding to an early update); Renda,
// Frankle, Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning", ICLR 2020,
// arXiv:2003.02389 (rewinding the rate).
#include "methods/lottery/lottery.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "methods/lottery/judged.h"
#include "methods/lottery/linear_path.h"
#include "methods/lottery/trainings.h"
#include "methods/one_shot/same_structure.h"
#include "methods/unstructured/mask_weights.h"
#include "prune/masks/survivors.h"
#include "prune/scores/criterion.h"
#include "session/reinitialise.h"
#include "training/judging/diagnosis.h"

namespace coppice {
namespace {

using Of = TicketTraining::Of;

constexpr char kStart[] = "start of a round", kOther[] = "the other copy";  // snapshots
constexpr char kMask[] = "mask ", kLeft[] = "left ", kPath[] = "path";      // in the own state
constexpr uint64_t kRedrawn = 0x72656472, kShuffled = 0x73687566;           // "redr", "shuf"

class Lottery {
 public:
  Lottery(Session& session, const LotteryOptions& options, const Recipe& recipe)
      : session_(session),
        options_(options),
        recipe_(recipe),
        first_(options.rewind.update(session.batches(recipe))),
        all_(all_left(session.original(), options.keep, session.kept().zeros)) {}

  Outcome run() {
    require_possible();
    begin();
    if (!options_.trained) train(training(Of::ticket, 0, 0), {});
    for (int64_t round = 1; round <= options_.pace.rounds; ++round) {
      prune(round);
      if (options_.controls.beside(round)) train_controls(round);
      const bool last = round == options_.pace.rounds;
      if (last && options_.stability > 0) train_ticket(Of::continuation, round);
      train_ticket(Of::ticket, round);
    }
    if (options_.stability > 0) look_between();
    return outcome();
  }

 private:
  bool rewinds_weights() const { return options_.rewind.of == Rewind::Of::weights; }

  // What fails, fails now.
  void require_possible() {
    require_finite(session_.original());
    if (recipe_.kept.which == KeptEpoch::Which::best || recipe_.kept.patience) {
      fail_usage(
          "a round trains all its updates and is pruned as it then is; leave out --save best and "
          "--patience: the report says where the held-out loss was smallest");
    }
    const int64_t updates = session_.batches(recipe_) * recipe_.epochs;
    if (first_ >= updates) {
      fail_usage("--rewind goes back to update " + std::to_string(first_) +
                 ", the training has only " + std::to_string(updates));
    }
    const bool looks = options_.judge_every > 0 || options_.stability > 0;
    if (looks && !session_.can_evaluate()) {
      fail_usage(std::string(options_.stability > 0 ? "--stability" : "--judge-every") +
                 " looks at held-out images with labels, and there are none that fit the model");
    }
    const Masks next = next_masks(all_, all_, session_.original(), options_.pace, 1);
    if (count_left(next) < count_left(all_)) return;
    fail_target("the first round would take none of " + std::to_string(count_left(all_)) +
                " weights; ask for a larger share");
  }

  void begin() {
    if (options_.trained) trainings_.push_back(training(Of::ticket, 0, 0));
    session_.stage("beginning", [&] {
      keep_masks(all_);
      if (options_.first == LotteryOptions::First::drawn) {
        draw(options_.seed);
      } else if (options_.trained) {
        if (session_.can_evaluate()) add(0, 0, session_.evaluate());
      } else {
        warn_of_trained();
      }
      session_.snapshot(kStart);
    });
    if (!rewinds_weights() || first_ == 0) return;
    const std::string where = "update " + std::to_string(first_);
    session_.stage("up to " + where, [&] {
      Recipe early = recipe_;
      early.updates.end = first_;
      session_.train(early);
    });
    session_.stage("keeping " + where, [&] { session_.snapshot(kStart); });
  }

  void warn_of_trained() {
    if (!options_.warn || !session_.can_evaluate()) return;
    const double top1 = session_.evaluate().top1;
    if (knows_little(top1, session_.classes())) return;
    options_.warn(
        "the model is trained already, and a ticket's first weights are those of an untrained net; "
        "--reinit net draws them anew, and --rewind lr --trained goes on from what it has learnt");
  }

  void draw(uint64_t seed) {
    Graph graph = session_.graph();
    reinitialise(graph, {.by = options_.by, .seed = seed});
    session_.edit(std::move(graph));
  }

  // The masks of the ticket, whatever controls are masked by.
  Masks masks() const {
    Masks masks;
    for (const auto& [name, tensor] : session_.own().tensors) {
      if (name.starts_with(kMask)) masks.emplace(name.substr(sizeof(kMask) - 1), tensor);
    }
    return masks;
  }

  void keep_masks(const Masks& masks) {
    MethodState own = session_.own();
    for (const auto& [name, mask] : masks) own.tensors[kMask + name] = mask;
    session_.keep_own(std::move(own));
  }

  void keep_own(const std::string& name, const std::vector<double>& numbers) {
    MethodState own = session_.own();
    own.tensors[name] = Tensor::of<double>({std::ssize(numbers)}, numbers);
    session_.keep_own(std::move(own));
  }

  // A resumed run has the masks of a later round by the time that it tells of this one.
  int64_t left_after(int64_t round) const {
    if (round == 0) return count_left(all_);
    const Tensor& left = session_.own().tensors.at(kLeft + std::to_string(round));
    return std::llround(left.as<double>()[0]);
  }

  // By the weights that the round before came to.
  void prune(int64_t round) {
    session_.stage(
        "pruning " + std::to_string(round) + " of " + std::to_string(options_.pace.rounds), [&] {
          const Masks next = next_masks(masks(), all_, session_.graph(), options_.pace, round);
          keep_masks(next);
          keep_own(kLeft + std::to_string(round), {static_cast<double>(count_left(next))});
          if (!rewinds_weights()) session_.snapshot(kStart);
        });
  }

  TicketTraining training(Of of, int64_t round, int64_t number) const {
    return {.of = of,
            .round = round,
            .rounds = options_.pace.rounds,
            .number = number,
            .left = left_after(round),
            .all = count_left(all_)};
  }

  void reset_to(const Masks& masks) {
    session_.set_masks(masks);
    session_.restore(kStart);
  }

  void train_ticket(Of of, int64_t round) {
    train(training(of, round, 0), [&] { reset_to(masks()); });
  }

  void train_controls(int64_t round) {
    for (int64_t number = 1; number <= options_.controls.seeds; ++number) {
      const auto seed = [&](uint64_t stream) {
        return Random::stream(options_.seed,
                              {stream, static_cast<uint64_t>(round), static_cast<uint64_t>(number)})
            .next();
      };
      if (options_.controls.redrawn) {
        train(training(Of::redrawn, round, number), [&] {
          session_.set_masks(masks());
          draw(seed(kRedrawn));
        });
      }
      if (options_.controls.random_masks) {
        train(training(Of::random_mask, round, number),
              [&] { reset_to(shuffled(masks(), all_, seed(kShuffled))); });
      }
    }
  }

  // `reset`: sets masks and weights; nothing for the first training.
  void train(const TicketTraining& training, const std::function<void()>& reset) {
    const int64_t number = std::ssize(trainings_);
    trainings_.push_back(training);
    const std::string name = stage_name(training);
    if (reset) session_.stage("resetting, " + name, reset);
    session_.stage(name, [&] {
      const Recipe recipe = recipe_for(training);
      session_.train(recipe, hooks_for(number, recipe));
      require_zeros(session_.graph(), session_.masks());
      if (training.of == Of::continuation) session_.snapshot(kOther);
      deliver(training, "end");
    });
  }

  // Weights that are drawn anew have no early update behind them.
  Recipe recipe_for(const TicketTraining& training) const {
    Recipe recipe = recipe_;
    const bool from_start =
        training.of == Of::redrawn || (training.round == 0 && !rewinds_weights());
    recipe.updates.first = from_start ? 0 : first_;
    return recipe;
  }

  TrainHooks hooks_for(int64_t number, const Recipe& recipe) {
    const int64_t every = options_.judge_every, epochs = recipe.epochs,
                  batches = session_.batches(recipe);
    TrainHooks hooks;
    if (!session_.can_evaluate()) return hooks;
    hooks.after_epoch = [=, this](int64_t epoch) {
      if (every == 0 || epoch == epochs) {
        add(number, epoch * batches, *session_.history().back().held_out);
      }
      if (epoch == epochs) note(number);
    };
    if (every == 0) return hooks;
    hooks.every = every;
    hooks.after_update = [=, this](int64_t update) {
      if (update < epochs * batches) add(number, update, session_.evaluate());
    };
    return hooks;
  }

  void add(int64_t number, int64_t update, const Evaluation& held_out) {
    JudgedTrainings judged(session_.own());
    const bool best =
        judged.add(number, {.update = update, .loss = held_out.loss, .top1 = held_out.top1});
    MethodState own = session_.own();
    judged.keep_in(own);
    session_.keep_own(std::move(own));
    require_zeros(session_.graph(), session_.masks());
    if (best) deliver(trainings_[number], "early");
  }

  void note(int64_t number) {
    const Judged best = *JudgedTrainings(session_.own()).best(number);
    session_.note("density", trainings_[number].density());
    session_.note("early_stop_update", static_cast<double>(best.update));
    session_.note("early_stop_top1", best.top1);
  }

  void deliver(const TicketTraining& training, const std::string& when) const {
    if (options_.deliver) options_.deliver(file_name(training) + "-" + when, session_.graph());
  }

  void look_between() {
    session_.stage("stability", [&] {
      const Graph ticket = session_.graph();
      session_.restore(kOther);
      const auto path = linear_path(session_, ticket, session_.graph(), options_.stability);
      session_.edit(ticket);
      std::vector<double> numbers;
      for (const PathPoint& point : path) {
        numbers.insert(numbers.end(), {point.share, point.top1, point.loss});
      }
      keep_own(kPath, numbers);
    });
  }

  std::vector<PathPoint> path() const {
    std::vector<PathPoint> path;
    const std::span<const double> numbers = session_.own().tensors.at(kPath).as<double>();
    for (size_t i = 0; i < numbers.size(); i += 3) {
      path.push_back({.share = numbers[i], .top1 = numbers[i + 1], .loss = numbers[i + 2]});
    }
    return path;
  }

  Outcome outcome() const {
    const Graph& original = session_.original();
    Outcome outcome = mask_weights(original, session_.masks(), Verify::on);
    outcome.graph = session_.graph();
    require_same_structure(outcome.graph, original, original);
    outcome.weights_after = count_weights(outcome.graph);
    outcome.plan.method = "lottery";
    outcome.facts = {{"rounds", options_.pace.rounds}, {"rewound_to", first_}};
    const JudgedTrainings judged(session_.own());
    outcome.tables = {table_of(trainings_, judged), curves_of(trainings_, judged)};
    if (options_.stability > 0) {
      outcome.tables.push_back(table_of(path()));
      outcome.tables.push_back(table_of(barrier_of(path())));
    }
    return outcome;
  }

  Session& session_;
  const LotteryOptions& options_;
  const Recipe& recipe_;
  const int64_t first_;  // the update that is rewound to
  const Masks all_;      // before the first round
  std::vector<TicketTraining> trainings_;
};

}  // namespace

bool TicketControls::beside(int64_t round) const {
  return any() && (rounds.empty() || std::ranges::find(rounds, round) != rounds.end());
}

Outcome find_ticket(Session& session, const LotteryOptions& options, const Recipe& recipe) {
  return Lottery(session, options, recipe).run();
}

}  // namespace coppice
