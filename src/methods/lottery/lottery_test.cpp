// The rounds of a lottery under a fake trainer: what each starts from, what is masked, what is
// judged, and what is refused.
#include "methods/lottery/lottery.h"

#include <gtest/gtest.h>

#include "methods/method.h"
#include "methods/options/blocks.h"
#include "prune/plan/plan.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

// A lottery with what was seen of it.
struct Watched {
  Fixture fixture;
  Graph net = parse_text_graph(fake::kNet);
  std::map<std::string, Graph> delivered;
  std::vector<std::string> order, warnings;
  std::vector<Graph> begun;         // at the end of every stage that reset a net
  std::vector<NamedTensors> masks;  // that the first step of every training had
  std::vector<double> rates;        // of every epoch
  Outcome outcome;

  explicit Watched(LotteryOptions options, const Recipe& recipe = fake::recipe(2)) {
    options.deliver = [&](const std::string& name, const Graph& graph) {
      if (!delivered.contains(name)) order.push_back(name);
      delivered[name] = graph;
    };
    options.warn = [&](const std::string& text) { warnings.push_back(text); };
    Session& session = fixture.open(net);
    std::string stage;
    fixture.watcher.after_epoch = [&] {
      const EpochRecord& record = fixture.watcher.epochs.back();
      rates.push_back(record.learning_rate);
      if (stage != record.stage) masks.push_back(fixture.trainer.setup.masks);
      stage = record.stage;
    };
    outcome = find_ticket(session, options, recipe);
  }

  const ResultTable& table(const std::string& key) const {
    for (const ResultTable& found : outcome.tables) {
      if (found.key == key) return found;
    }
    throw std::logic_error("no table " + key);
  }
  std::vector<double> column(const std::string& key, const std::string& of = "tickets") const {
    std::vector<double> numbers;
    const ResultTable& found = table(of);
    for (size_t c = 0; c < found.columns.size(); ++c) {
      if (found.columns[c].key != key) continue;
      for (const auto& row : found.rows) numbers.push_back(std::get<double>(row[c]));
    }
    return numbers;
  }
};

LotteryOptions rounds(int64_t count, double rate = 0.5) {
  LotteryOptions options;
  options.pace.rounds = count;
  options.pace.rate = rate;
  return options;
}

int64_t zeros(const Tensor& tensor) { return std::ranges::count(tensor.as<float>(), 0.0f); }

// The weights that a training begins with, as its first step's gradients would see them: the fake
// trainer says what it was last loaded with, so a schedule of rate zero leaves it there.
Recipe standing_still(int64_t epochs = 1) {
  Recipe recipe = fake::recipe(epochs);
  recipe.optimizer.learning_rate = 0;
  return recipe;
}

TEST(Lottery, prunes_the_share_of_what_is_left_in_every_round_and_holds_all_masks) {
  const Watched run(rounds(2));
  // 36, 12 and 9 weights: halves of them, rounded.
  EXPECT_EQ(run.column("weights"), (std::vector<double>{57, 28, 14}));
  EXPECT_EQ(run.column("round"), (std::vector<double>{0, 1, 2}));
  for (const auto& [name, mask] : run.outcome.plan.masks) {
    const Tensor& weight = fake::tensor(run.outcome.graph, name);
    EXPECT_EQ(zeros(mask), zeros(weight)) << name;
    for (int64_t i = 0; i < mask.size(); ++i) {
      EXPECT_TRUE(mask.as<float>()[i] != 0 || weight.as<float>()[i] == 0);
    }
  }
  EXPECT_EQ(run.outcome.plan.method, "lottery");
  EXPECT_EQ(run.outcome.weights_after->nonzero, 14);
  ASSERT_EQ(run.masks.size(), 3u);
  EXPECT_EQ(count_left(run.masks[1]), 28);
  EXPECT_EQ(count_left(run.masks[2]), 14);
}

// A trainer that doesn't move anything shows what a round begins with; all else is a training that
// does.
TEST(Lottery, every_round_begins_with_the_first_weights_and_statistics_again) {
  const Watched still(rounds(2), standing_still());
  for (const char* name : {"w1", "w2", "fw", "fb", "shift"}) {
    const Tensor& first = fake::tensor(still.net, name);
    const Tensor& last = fake::tensor(still.delivered.at("round-02-end"), name);
    for (int64_t i = 0; i < first.size(); ++i) {
      const float found = last.as<float>()[i];
      EXPECT_TRUE(found == first.as<float>()[i] || (found == 0 && first.rank() > 1)) << name << i;
    }
  }
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<Tensor> means;
  fixture.watcher.after_step = [&] {
    if (fixture.watcher.steps % 6 == 1) means.push_back(fake::tensor(session.graph(), "mean"));
  };
  find_ticket(session, rounds(2), fake::recipe(2));
  ASSERT_EQ(means.size(), 3u);  // the state as the training was loaded
  EXPECT_EQ(means[1], means[0]);
  EXPECT_EQ(means[2], means[0]);
}

// Which weights are left is chosen by those that training came to, not by the first ones.
TEST(Lottery, ranks_the_weights_as_they_were_trained) {
  const Watched run(rounds(1), fake::recipe(3));
  const Graph& dense = run.delivered.at("round-00-end");
  const Masks all = {{"w1", Tensor::of<float>({4, 1, 3, 3}, std::vector<float>(36, 1.0f))}};
  const Masks expected = next_masks(all, all, dense, {.rate = 0.5}, 1);
  EXPECT_EQ(run.outcome.plan.masks.at("w1"), expected.at("w1"));
  EXPECT_NE(run.outcome.plan.masks.at("w1"),
            next_masks(all, all, run.net, {.rate = 0.5}, 1).at("w1"));
}

TEST(Lottery, late_rewinding_trains_to_the_update_once_and_every_round_goes_on_from_there) {
  LotteryOptions options = rounds(2);
  options.rewind = {.updates = 4};
  Recipe recipe = fake::recipe(3);  // of 3 updates
  recipe.schedule.kind = Schedule::Kind::step;
  recipe.schedule.milestones = {0.5};  // update 5 of 9
  const Watched run(options, recipe);
  // Four updates, then three times the five that are left.
  EXPECT_EQ(run.fixture.watcher.steps, 4 + 3 * 5);
  // The last update of an epoch: the second epoch's is the sixth, after the milestone.
  ASSERT_EQ(run.rates.size(), 8u);
  for (size_t epoch = 0; epoch < 8; ++epoch) {
    EXPECT_NEAR(run.rates[epoch], epoch < 2 ? 0.05 : 0.005, 1e-12) << epoch;
  }
  EXPECT_EQ(run.column("end_update"), (std::vector<double>{9, 9, 9}));
  EXPECT_EQ(run.outcome.facts.back(), (std::pair<std::string, int64_t>("rewound_to", 4)));
}

TEST(Lottery, an_epoch_is_as_good_a_point_to_rewind_to) {
  LotteryOptions options = rounds(1);
  options.rewind = {.epochs = 1};
  const Watched run(options, fake::recipe(3));
  EXPECT_EQ(run.fixture.watcher.steps, 3 + 2 * 6);
}

TEST(Lottery, rewinding_the_rate_leaves_weights_as_they_were_trained) {
  LotteryOptions options = rounds(2);
  options.rewind = {.of = Rewind::Of::rate};
  const Watched run(options, standing_still(2));
  EXPECT_EQ(run.fixture.watcher.steps, 3 * 6);
  LotteryOptions part = rounds(1);
  part.rewind = {.of = Rewind::Of::rate, .epochs = 1};
  const Watched moving(part, fake::recipe(2));
  EXPECT_EQ(moving.fixture.watcher.steps, 6 + 3) << "the dense net is trained in whole";
  const Graph& dense = moving.delivered.at("round-00-end");
  const Graph& ticket = moving.delivered.at("round-01-end");
  EXPECT_NE(fake::tensor(dense, "fb"), fake::tensor(ticket, "fb"));
}

TEST(Lottery, of_a_trained_model_the_rate_is_rewound_without_training_it_first) {
  LotteryOptions options = rounds(1);
  options.rewind = {.of = Rewind::Of::rate};
  options.trained = true;
  const Watched run(options);
  EXPECT_EQ(run.fixture.watcher.steps, 6);
  EXPECT_EQ(run.column("weights"), (std::vector<double>{57, 28}));
  EXPECT_EQ(run.column("end_update"), (std::vector<double>{0, 6}));
}

TEST(Lottery, weights_that_are_drawn_anew_are_the_same_for_all_rounds) {
  LotteryOptions options = rounds(1);
  options.first = LotteryOptions::First::drawn;
  options.by = {.conv = glorot_normal, .linear = glorot_normal};
  const Watched run(options, standing_still());
  const Tensor& dense = fake::tensor(run.delivered.at("round-00-end"), "w1");
  const Tensor& ticket = fake::tensor(run.delivered.at("round-01-end"), "w1");
  EXPECT_NE(dense, fake::tensor(run.net, "w1"));
  for (int64_t i = 0; i < dense.size(); ++i) {
    const float found = ticket.as<float>()[i];
    EXPECT_TRUE(found == 0 || found == dense.as<float>()[i]);
  }
}

TEST(Lottery, looks_at_the_held_out_images_as_often_as_it_is_told) {
  LotteryOptions options = rounds(1);
  const Watched by_epoch(options, fake::recipe(3));
  EXPECT_EQ(by_epoch.column("update", "judged"), (std::vector<double>{3, 6, 9, 3, 6, 9}));
  options.judge_every = 2;
  const Watched often(options, fake::recipe(3));
  EXPECT_EQ(often.column("update", "judged"), (std::vector<double>{2, 4, 6, 8, 9, 2, 4, 6, 8, 9}));
  EXPECT_EQ(fake::bytes_of(often.outcome.graph), fake::bytes_of(by_epoch.outcome.graph))
      << "looking changes nothing";
}

TEST(Lottery, names_the_update_of_the_smallest_loss_and_hands_over_the_net_as_it_then_was) {
  LotteryOptions options = rounds(1);
  options.judge_every = 1;
  const Watched run(options, fake::recipe(3));
  const std::vector<double> losses = run.column("loss", "judged"),
                            updates = run.column("update", "judged"),
                            best = run.column("early_stop_update"),
                            least = run.column("early_stop_loss");
  for (size_t training = 0; training < 2; ++training) {
    const auto begin = losses.begin() + 9 * static_cast<int64_t>(training);
    const auto smallest = std::min_element(begin, begin + 9);
    EXPECT_EQ(least[training], *smallest);
    EXPECT_EQ(best[training], updates[static_cast<size_t>(smallest - losses.begin())]);
  }
  Fixture fixture;
  Session& other = fixture.open(run.net);
  const Evaluation early = other.evaluate(run.delivered.at("round-01-early"), Part::held_out);
  EXPECT_EQ(early.loss, least[1]);
  const Evaluation end = other.evaluate(run.delivered.at("round-01-end"), Part::held_out);
  EXPECT_EQ(end.loss, run.column("end_loss")[1]);
}

TEST(Lottery, controls_have_the_tickets_size_and_leave_the_tickets_alone) {
  LotteryOptions options = rounds(2);
  options.controls = {.redrawn = true, .random_masks = true, .seeds = 2, .rounds = {2}};
  const Watched run(options, standing_still());
  EXPECT_EQ(run.column("weights"), (std::vector<double>{57, 28, 14, 14, 14, 14, 14}));
  const auto weight = [&](const char* name) -> const Tensor& {
    return fake::tensor(run.delivered.at(name), "w1");
  };
  const Tensor &ticket = weight("round-02-end"), &redrawn = weight("round-02-drawn-anew-1-end"),
               &random = weight("round-02-random-mask-1-end");
  EXPECT_EQ(zeros(ticket), zeros(redrawn));
  EXPECT_EQ(zeros(ticket), zeros(random));
  EXPECT_NE(redrawn, weight("round-02-drawn-anew-2-end"));
  EXPECT_NE(random, weight("round-02-random-mask-2-end"));
  for (int64_t i = 0; i < ticket.size(); ++i) {
    const float first = fake::tensor(run.net, "w1").as<float>()[i];
    EXPECT_EQ(ticket.as<float>()[i] == 0, redrawn.as<float>()[i] == 0) << "the same mask";
    EXPECT_TRUE(random.as<float>()[i] == 0 || random.as<float>()[i] == first) << "other weights";
  }
  EXPECT_EQ(run.order.back(), "round-02-end") << "the ticket comes last";
}

TEST(Lottery, stability_trains_the_last_ticket_twice_and_looks_at_the_line_between) {
  LotteryOptions options = rounds(1);
  options.stability = 5;
  const Watched run(options);
  const std::vector<double> shares = run.column("share", "path"), top1 = run.column("top1", "path");
  EXPECT_EQ(shares, (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(top1.front(), run.column("end_top1").back()) << "the ticket";
  EXPECT_EQ(top1.back(), run.column("end_top1")[1]) << "the same in another order";
  EXPECT_GE(run.column("error", "barrier").front(), 0);
  EXPECT_NE(fake::bytes_of(run.delivered.at("round-01-end")),
            fake::bytes_of(run.delivered.at("round-01-another-order-end")));
  EXPECT_EQ(fake::bytes_of(run.delivered.at("round-01-end")), fake::bytes_of(run.outcome.graph));
}

std::string refused(const LotteryOptions& options, const Recipe& recipe = fake::recipe(2),
                    ErrorKind kind = ErrorKind::usage, double held_out = 0.25) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {}, held_out);
  return fake::message_of(kind, [&] { find_ticket(session, options, recipe); });
}

TEST(Lottery, refuses_what_it_could_not_do) {
  LotteryOptions late = rounds(1);
  late.rewind = {.updates = 6};
  EXPECT_NE(refused(late).find("goes back to update 6, the training has only 6"),
            std::string::npos);
  Recipe best = fake::recipe(2);
  best.kept.which = KeptEpoch::Which::best;
  EXPECT_NE(refused(rounds(1), best).find("leave out --save best"), std::string::npos);
  LotteryOptions judging = rounds(1);
  judging.judge_every = 2;
  EXPECT_NE(refused(judging, fake::recipe(2), ErrorKind::usage, 0).find("--judge-every looks at"),
            std::string::npos);
  EXPECT_NE(refused(rounds(1, 0.001), fake::recipe(2), ErrorKind::target).find("none of 57"),
            std::string::npos);
}

TEST(Lottery, needs_no_images_held_out) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {}, 0);
  const Outcome outcome = find_ticket(session, rounds(1), fake::recipe(1));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(outcome.tables.front().rows[1].back()));
  EXPECT_EQ(outcome.weights_after->nonzero, 28);
}

Settings settled(const std::vector<std::pair<std::string, const char*>>& set) {
  const Method& method = find_method("lottery");
  Settings settings(options_of(method));
  for (const auto& [name, value] : set) {
    for (const OptionUse& use : settings.options()) {
      if (use.option->name() == name) settings.set(*use.option, value);
    }
  }
  method.settle(settings);
  return settings;
}

std::string why_not(const std::vector<std::pair<std::string, const char*>>& set) {
  return fake::message_of(ErrorKind::usage, [&] { settled(set); });
}

TEST(LotteryOptions, two_of_sparsity_rounds_and_rate_say_the_third) {
  EXPECT_EQ(settled({})[kRounds], 7);
  EXPECT_EQ(settled({{"sparsity", "0.9"}})[kRounds], 11);
  EXPECT_EQ(settled({{"sparsity", "0.9"}, {"round-rate", "0.5"}})[kRounds], 4);
  EXPECT_EQ(settled({{"sparsity", "0.9"}, {"rounds", "1"}})[kRounds], 1);
  EXPECT_NE(why_not({{"sparsity", "0.9"}, {"rounds", "3"}, {"round-rate", "0.5"}})
                .find("leave one of the three out"),
            std::string::npos);
  EXPECT_NE(why_not({{"sparsity", "0.9"}, {"round-rate", "fc3=0.1"}}).find("say --rounds"),
            std::string::npos);
  EXPECT_NE(why_not({{"scope", "global"}, {"round-rate", "fc3=0.1"}}).find("--keep leaves"),
            std::string::npos);
}

TEST(LotteryOptions, say_what_they_are_for) {
  EXPECT_NE(why_not({{"trained", "true"}}).find("with --rewind lr alone"), std::string::npos);
  EXPECT_NE(why_not({{"ticket-control-seeds", "2"}}).find("is for --ticket-control"),
            std::string::npos);
  EXPECT_NE(why_not({{"ticket-control", "reinit"}, {"ticket-control-rounds", "3,9"}})
                .find("names round 9, there are 7"),
            std::string::npos);
  for (const char* wrong : {"5", "lr0", "it", "2epochs", "lr:", "-1it"}) {
    EXPECT_NE(why_not({{"rewind", wrong}}).find("expected 0, or an update"), std::string::npos)
        << wrong;
  }
  for (const char* wrong : {"1", "fc=1", "-0.1", "=0.1", "x"}) {
    EXPECT_NE(why_not({{"round-rate", wrong}}).find("expected a share"), std::string::npos)
        << wrong;
  }
  EXPECT_NE(why_not({{"reinit", "zeros"}}).find("glorot-normal"), std::string::npos);
}

TEST(LotteryOptions, become_a_lottery) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Settings settings = settled({{"rounds", "2"},
                                     {"round-rate", "0.5"},
                                     {"round-rate", "fw=0.25"},
                                     {"rewind", "1ep"},
                                     {"reinit", "glorot-normal"},
                                     {"ticket-control", "random-mask"},
                                     {"ticket-control-rounds", "1"},
                                     {"stability", "3"}});
  const Outcome outcome =
      run_in_training(find_method("lottery"), session, fake::recipe(2), {.settings = settings});
  EXPECT_EQ(nonzeros_of(outcome.plan.masks.at("w1")), 9);
  EXPECT_EQ(nonzeros_of(outcome.plan.masks.at("fw")), 9 - 2 - 2);
  // One epoch, then one for the dense net, a control, two tickets and the continuation.
  EXPECT_EQ(fixture.watcher.steps, 6 * 3);
}

}  // namespace
}  // namespace coppice
