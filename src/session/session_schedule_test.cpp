// When things happen in a training: hooks between updates, parts of a schedule, what inputs get.
#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

// 30 images in batches of 8: three updates an epoch.
Recipe part_of(int64_t epochs, int64_t first, std::optional<int64_t> end = {}) {
  Recipe recipe = fake::recipe(epochs);
  recipe.updates = {.first = first, .end = end};
  return recipe;
}

void train(Session& session, const Recipe& recipe, const TrainHooks& hooks = {}) {
  session.stage("training", [&] { session.train(recipe, hooks); });
}

TEST(SessionHooks, come_after_every_update_whose_number_is_a_multiple) {
  for (const int64_t every : {1, 2, 4, 100}) {
    SCOPED_TRACE(every);
    Fixture fixture;
    std::vector<int64_t> called, expected;
    train(fixture.open(parse_text_graph(fake::kNet)), fake::recipe(3),
          {.after_update =
               [&](int64_t update) {
                 called.push_back(update);
                 EXPECT_EQ(update, fixture.watcher.steps + 1) << "it isn't told yet";
               },
           .every = every});
    for (int64_t update = every; update <= 9; update += every) expected.push_back(update);
    EXPECT_EQ(called, expected);
    EXPECT_EQ(fixture.trainer.loads, 1) << "nothing was changed";
  }
}

TEST(SessionHooks, that_look_change_nothing) {
  Fixture plain, looking;
  train(plain.open(parse_text_graph(fake::kNet)), fake::recipe(2));
  Session& session = looking.open(parse_text_graph(fake::kNet));
  train(session, fake::recipe(2), {.after_update = [&](int64_t) {
          session.evaluate();
          session.evaluate(session.original(), Part::training);
        }});
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(plain.opened->graph()));
  fake::expect_same(session.history(), plain.opened->history());
}

TEST(SessionHooks, may_cut_in_the_middle_of_an_epoch) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, fake::recipe(2),
        {.after_update =
             [&](int64_t) {
               const Groups groups = find_groups(session.graph());
               Removal removal(groups.unit_count, 0);
               removal[0] = 1;
               session.remove(groups, removal);
             },
         .every = 2});
  EXPECT_EQ(fake::tensor(session.graph(), "w1").shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(session.history().size(), 2u);
}

TEST(SessionHooks, get_evidence_of_each_updates_own_batch) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  int64_t asked = 0;
  std::vector<int64_t> channels;
  const EvidenceRequest gates{"r", Reduction::mean_gate_gradients};
  TrainHooks hooks{.after_update =
                       [&](int64_t update) {
                         EXPECT_EQ(std::ssize(channels), update) << "it comes first";
                         const Traced traced = session.traced();
                         Removal removal(traced.groups().unit_count, 0);
                         removal[0] = 1;
                         session.remove(traced.groups(), removal);
                       },
                   .every = 3};
  hooks.requests = [&] {
    ++asked;
    return std::vector<EvidenceRequest>{gates};
  };
  hooks.evidence = [&](const Evidence& evidence) {
    ASSERT_EQ(evidence.at(gates).shape()[0], 8);
    channels.push_back(evidence.at(gates).shape()[1]);
  };
  train(session, fake::recipe(2), hooks);
  EXPECT_EQ(channels, (std::vector<int64_t>{4, 4, 4, 3, 3, 3}));
  EXPECT_EQ(asked, 2) << "for the model as it was, and as it then was";
  EXPECT_TRUE(fixture.trainer.collecting.empty()) << "no pass of its own";
}

TEST(SessionHooks, are_called_for_the_updates_that_are_due_and_no_others) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<std::string> calls;
  TrainHooks hooks;
  hooks.due = [](int64_t update) { return update == 2 || update == 5; };
  hooks.requests = [] { return std::vector<EvidenceRequest>{{"w2", Reduction::weight_gradients}}; };
  hooks.evidence = [&](const Evidence& evidence) {
    calls.push_back("evidence of " + std::to_string(evidence.size()));
  };
  hooks.after_update = [&](int64_t update) { calls.push_back(std::to_string(update)); };
  train(session, fake::recipe(2), hooks);
  EXPECT_EQ(calls, (std::vector<std::string>{"evidence of 1", "2", "evidence of 1", "5"}));
}

TEST(SessionHooks, end_a_training_before_its_schedule_does_wherever_it_stopped) {
  const TempDir dir;
  const auto run = [](Session& session) {
    session.stage("training", [&] {
      const auto done = [&] {
        const auto found = session.own().tensors.find("done");
        return found == session.own().tensors.end() ? 0 : found->second.as<int64_t>()[0];
      };
      TrainHooks hooks;
      hooks.requests = [] { return std::vector<EvidenceRequest>(); };
      hooks.evidence = [&](const Evidence&) {
        MethodState own;
        own.tensors["done"] = Tensor::of<int64_t>({1}, {done() + 1});
        session.keep_own(own);
      };
      hooks.left = [&] { return 5 - done(); };
      session.train(fake::recipe(9), hooks);
    });
    return session.graph();
  };
  Fixture whole;
  const std::string expected = fake::bytes_of(run(whole.open(parse_text_graph(fake::kNet))));
  EXPECT_EQ(whole.watcher.steps, 5);
  ASSERT_EQ(whole.opened->history().size(), 2u);
  EXPECT_EQ(whole.opened->history()[1].epoch, 2);
  EXPECT_TRUE(whole.opened->history()[1].held_out);
  for (int64_t stop = 1; stop <= 5; ++stop) {
    EXPECT_TRUE(fake::bytes_after_stop(parse_text_graph(fake::kNet),
                                       dir / ("at" + std::to_string(stop)), stop, run) == expected)
        << stop;
  }
}

TEST(SessionSchedule, a_part_has_the_rates_of_the_whole_from_where_it_begins) {
  Fixture whole, part;
  std::vector<int64_t> updates;
  train(whole.open(parse_text_graph(fake::kNet)), fake::recipe(4));
  train(part.open(parse_text_graph(fake::kNet)), part_of(4, 4, 11),
        {.after_update = [&](int64_t u) { updates.push_back(u); }});
  EXPECT_EQ(updates, (std::vector<int64_t>{5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(part.watcher.steps, 7);
  const auto &expected = whole.opened->history(), &found = part.opened->history();
  ASSERT_EQ(found.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found[i].epoch, static_cast<int64_t>(i) + 2);
    EXPECT_EQ(found[i].epochs, 4);
    EXPECT_EQ(found[i].learning_rate,
              i < 2 ? expected[i + 1].learning_rate : 0.05 * schedule_factor({}, 10, 12, 3));
  }
  EXPECT_EQ(part.opened->stages().front().epochs, 3);
}

TEST(SessionSchedule, the_first_epoch_of_a_part_is_the_mean_of_its_own_updates) {
  Fixture fixture;
  fixture.trainer.loss_at = {{1, 2.0}, {2, 4.0}};
  train(fixture.open(parse_text_graph(fake::kNet)), part_of(2, 1));
  EXPECT_EQ(fixture.opened->history().front().loss, 3.0);
}

TEST(SessionSchedule, a_part_of_nothing_trains_nothing) {
  for (const int64_t update : {0, 5, 6}) {
    Fixture fixture;
    train(fixture.open(parse_text_graph(fake::kNet)), part_of(2, update, update));
    EXPECT_EQ(fixture.watcher.steps, 0);
    EXPECT_TRUE(fixture.opened->history().empty());
  }
}

TEST(SessionSchedule, a_part_that_is_not_in_it_is_refused) {
  for (const Recipe& recipe : {part_of(2, -1), part_of(2, 7), part_of(2, 3, 2), part_of(2, 0, 7)}) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet));
    EXPECT_NE(message_of(ErrorKind::usage, [&] { train(session, recipe); })
                  .find(" of 6, expected a part of them; 2 epochs have no more"),
              std::string::npos);
  }
}

TEST(SessionSchedule, augmentation_and_order_may_differ_from_stage_to_stage) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, fake::recipe(1));
  const std::set<float> plain = fixture.trainer.stepped;
  Recipe shifted = fake::recipe(4);
  shifted.augmentation.pad = 2;
  shifted.seed = 5;
  train(session, shifted);
  EXPECT_FALSE(plain.contains(0)) << "every image begins with its number";
  EXPECT_TRUE(fixture.trainer.stepped.contains(0)) << "windows begin with padding";
}

// The net of the fake session with a code of two numbers that scales its features.
std::string net_with_code() {
  std::string text = fake::kNet;
  text.replace(text.find("const w1"), 0, "input code float32 [1, 3]\n    ");
  text.replace(text.find("y = Gemm(f,"), 11, "m = Mul(f, code)\n    y = Gemm(m,");
  return text;
}

TEST(SessionFeeds, every_update_gives_the_other_inputs_what_the_method_says) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("widening", [&] { session.edit(parse_text_graph(net_with_code())); });
  EXPECT_FALSE(session.can_evaluate());
  EXPECT_FALSE(session.stages().back().held_out.has_value());
  std::vector<int64_t> asked;
  const auto feeds = [&](int64_t update) {
    asked.push_back(update);
    return NamedTensors{{"code", Tensor::of<float>({1, 3}, std::vector<float>(3, 0.5f))}};
  };
  train(session, fake::recipe(2), {.feeds = feeds});
  EXPECT_EQ(asked, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(fixture.trainer.fed, std::vector<double>(6, 1.5));
  EXPECT_EQ(session.history().size(), 2u);
  EXPECT_FALSE(session.history().back().held_out.has_value());
}

TEST(SessionLosses, go_to_the_trainer_and_must_be_outputs) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  Recipe recipe = fake::recipe(1);
  recipe.losses = {{"penalty", 0.25}};
  EXPECT_EQ(message_of(ErrorKind::input, [&] { train(session, recipe); }),
            "output 'penalty' is to be a part of the loss; the model has no such output");
  std::string text = fake::kNet;
  text.replace(text.find("output y"), 8, "penalty = Shape(fw)\n    output y penalty");
  session.edit(parse_text_graph(text));
  EXPECT_EQ(message_of(ErrorKind::input, [&] { session.require_trainable(recipe); }),
            "output 'penalty' is to be a part of the loss; it is int64, expected float32");
  text = fake::kNet;
  text.replace(text.find("output y"), 8, "penalty = ReduceMean(fw)\n    output y penalty");
  session.edit(parse_text_graph(text));
  train(session, recipe);
  EXPECT_EQ(fixture.trainer.setup.losses, recipe.losses);
}

}  // namespace
}  // namespace coppice
