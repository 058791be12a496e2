// Which epoch of a training is kept, when it ends early, and by whom it is taught.
#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;
using Which = KeptEpoch::Which;

Recipe keeping(KeptEpoch kept, int64_t epochs = 8) {
  Recipe recipe = fake::recipe(epochs);
  recipe.optimizer.learning_rate = 3;  // so that the accuracy goes up and down
  recipe.schedule.kind = Schedule::Kind::constant;
  recipe.kept = kept;
  return recipe;
}

void train(Session& session, const Recipe& recipe, const TrainHooks& hooks = {}) {
  session.stage("training", [&] { session.train(recipe, hooks); });
}

// From 0, by accuracy and then loss.
int64_t best_of(const std::vector<EpochRecord>& history) {
  size_t best = 0;
  for (size_t e = 0; e < history.size(); ++e) {
    const Evaluation &now = *history[e].held_out, &then = *history[best].held_out;
    if (now.top1 > then.top1 || (now.top1 == then.top1 && now.loss < then.loss)) best = e;
  }
  return static_cast<int64_t>(best);
}

TEST(SessionKeptEpoch, the_best_comes_back_with_its_weights_and_its_judgement) {
  Fixture fixture, until_then;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, keeping({.which = Which::best}));
  const int64_t best = best_of(session.history());
  ASSERT_LT(best, 7) << "the last is the best: nothing is tested";
  Recipe recipe = keeping({});
  recipe.updates.end = 3 * (best + 1);
  train(until_then.open(parse_text_graph(fake::kNet)), recipe);
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(until_then.opened->graph()));
  EXPECT_EQ(session.stages().back().facts, (Facts{{"kept_epoch", static_cast<double>(best + 1)}}));
  EXPECT_EQ(session.stages().back().held_out->top1,
            session.history()[static_cast<size_t>(best)].held_out->top1);
}

TEST(SessionKeptEpoch, a_training_ends_after_so_many_epochs_that_are_no_better) {
  Fixture all;
  train(all.open(parse_text_graph(fake::kNet)), keeping({}));
  for (const int64_t patience : {1, 2, 4}) {
    SCOPED_TRACE(patience);
    int64_t expected = 1;  // epochs
    std::vector<EpochRecord> seen = {all.opened->history()[0]};
    while (expected < 8 && expected - 1 - best_of(seen) < patience) {
      seen.push_back(all.opened->history()[static_cast<size_t>(expected++)]);
    }
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet));
    train(session, keeping({.which = Which::best, .patience = patience}));
    EXPECT_EQ(std::ssize(session.history()), expected);
  }
}

TEST(SessionKeptEpoch, goes_on_to_the_same_bits_wherever_it_stopped) {
  const TempDir folder;
  const Graph graph = parse_text_graph(fake::kNet);
  const auto run = [](Session& session) {
    train(session, keeping({.which = Which::best, .patience = 3}));
    return session.graph();
  };
  const std::string whole = fake::bytes_after_stop(graph, folder / "c", -1, run);
  for (const int64_t stop : {1, 3, 5, 9}) {
    EXPECT_TRUE(fake::bytes_after_stop(graph, folder / "c", stop, run) == whole) << stop;
  }
}

TEST(SessionKeptEpoch, a_method_that_changes_the_model_meanwhile_keeps_the_last) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, keeping({.which = Which::best, .patience = 1}), {.after_epoch = [](int64_t) {}});
  EXPECT_EQ(session.history().size(), 8u);
  EXPECT_TRUE(session.stages().back().facts.empty());
}

TEST(SessionKeptEpoch, nothing_to_judge_by_is_refused) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {}, 0);
  const std::string message =
      message_of(ErrorKind::usage, [&] { train(session, keeping({.which = Which::best})); });
  EXPECT_NE(message.find("no images are held out"), std::string::npos) << message;
}

TEST(SessionTeacher, is_the_original_or_the_one_that_was_given) {
  Fixture own, other;
  Graph teacher = parse_text_graph(fake::kNet);
  teacher.name = "teacher";
  EXPECT_EQ(&own.open(parse_text_graph(fake::kNet)).teacher(), &own.opened->original());
  Session& session = other.open(parse_text_graph(fake::kNet), {.teacher = teacher});
  EXPECT_EQ(session.teacher().name, "teacher");
}

TEST(SessionTeacher, of_other_images_or_outputs_is_refused) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = fake::kNet;
    text.replace(text.find(from), from.size(), to);
    return parse_text_graph(text);
  };
  const auto refused = [](const Graph& teacher) {
    Fixture fixture;
    return message_of(ErrorKind::input,
                      [&] { fixture.open(parse_text_graph(fake::kNet), {.teacher = teacher}); });
  };
  EXPECT_NE(refused(with("[N, 1, 4, 4]", "[N, 1, 5, 5]")).find("images of"), std::string::npos);
  std::string wider = fake::kNet;
  wider.replace(wider.find("fw float32 [3, 3]"), 17, "fw float32 [5, 3]");
  wider.replace(wider.find("fb float32 [3]"), 14, "fb float32 [5]");
  const std::string message = refused(parse_text_graph(wider));
  EXPECT_NE(message.find("2x5, 'y' of the model is float32 2x3"), std::string::npos) << message;
}

}  // namespace
}  // namespace coppice
