// A run that ended at any moment goes on to the same bits as one that never did.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "prune/masks/masks.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

struct Ran {
  SessionState end;
  int64_t bodies = 0;  // stages that were run
};

// Masks, trains, cuts in the middle of a second training: everything a state can hold.
void run_method(Session& session, Ran& run) {
  session.stage("masking", [&] {
    ++run.bodies;
    session.mask(magnitude_masks(session.graph(), {.sparsity = 0.5}), Session::Masking::hard);
  });
  session.stage("first", [&] {
    ++run.bodies;
    session.train(fake::recipe(2));
  });
  session.stage("second", [&] {
    ++run.bodies;
    session.train(fake::recipe(3), {.after_epoch = [&](int64_t epoch) {
                    if (epoch != 2) return;
                    const Groups groups = find_groups(session.graph());
                    Removal removal(groups.unit_count, 0);
                    removal[1] = 1;
                    session.remove(groups, removal);
                  }});
  });
}

constexpr int64_t kSteps = 15;  // of both trainings

Ran run_to_end(const std::filesystem::path& checkpoint, bool resume) {
  Ran run;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = checkpoint});
  if (resume) session.resume(read_checkpoint(checkpoint));
  run_method(session, run);
  run.end = read_checkpoint(checkpoint);
  return run;
}

// How the run was interrupted, as a message.
std::string run_until(const std::filesystem::path& checkpoint, int64_t step, double save_every_s) {
  Ran run;
  Fixture fixture;
  fixture.watcher.stop_after = step;
  Session& session = fixture.open(parse_text_graph(fake::kNet),
                                  {.checkpoint = checkpoint, .save_every_s = save_every_s});
  return fake::message_of(ErrorKind::interrupted, [&] { run_method(session, run); });
}

void expect_same(const SessionState& a, const SessionState& b) {
  EXPECT_TRUE(fake::bytes_of(a.graph) == fake::bytes_of(b.graph));
  EXPECT_EQ(a.plan, b.plan);
  EXPECT_EQ(a.masks, b.masks);
  fake::expect_same(a.stages, b.stages);
  EXPECT_EQ(a.optimizer.updates, b.optimizer.updates);
  EXPECT_EQ(a.optimizer.slots, b.optimizer.slots);
  fake::expect_same(a.history, b.history);
}

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Resume, after_a_stop_at_any_batch_gives_the_same_graph_plan_and_history) {
  const TempDir folder;
  const Ran whole = run_to_end(folder / "whole", false);
  ASSERT_EQ(whole.end.history.size(), 5u);
  ASSERT_FALSE(whole.end.plan.slices.empty());
  for (int64_t step = 1; step <= kSteps; ++step) {
    SCOPED_TRACE("stopped after step " + std::to_string(step));
    const std::filesystem::path checkpoint = folder / std::to_string(step);
    EXPECT_NE(run_until(checkpoint, step, 120).find("interrupted in"), std::string::npos);
    expect_same(run_to_end(checkpoint, true).end, whole.end);
  }
}

TEST(Resume, of_a_training_that_is_not_over_keeps_the_optimizer) {
  const TempDir folder;
  for (int64_t step = 7; step <= kSteps; ++step) {  // of the second training
    SCOPED_TRACE("stopped after step " + std::to_string(step));
    run_until(folder / "run", step, 120);
    const SessionState stopped = read_checkpoint(folder / "run");
    EXPECT_EQ(stopped.optimizer.updates, step - 6);
    Fixture fixture;
    fixture.watcher.stop_after = kSteps - step;  // the last step of all
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
    session.resume(stopped);
    if (step < kSteps) {
      Ran run;
      fake::message_of(ErrorKind::interrupted, [&] { run_method(session, run); });
    }
    const SessionState resumed = read_checkpoint(folder / "run");
    run_until(folder / "once", kSteps, 120);
    expect_same(resumed, read_checkpoint(folder / "once"));
  }
}

TEST(Resume, as_often_as_every_batch_still_comes_to_the_same) {
  const TempDir folder;
  const Ran whole = run_to_end(folder / "whole", false);
  int64_t rounds = 0;
  for (bool done = false; !done; ++rounds) {
    ASSERT_LE(rounds, kSteps);
    Ran run;
    Fixture fixture;
    fixture.watcher.stop_after = 1;
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
    if (rounds > 0) session.resume(read_checkpoint(folder / "run"));
    done =
        fake::message_of(ErrorKind::interrupted, [&] { run_method(session, run); }) == "(no error)";
  }
  EXPECT_EQ(rounds, kSteps + 1);
  expect_same(read_checkpoint(folder / "run"), whole.end);
}

TEST(Resume, saving_after_every_batch_changes_nothing) {
  const TempDir folder;
  const Ran whole = run_to_end(folder / "whole", false);
  run_until(folder / "run", kSteps, 0);
  expect_same(run_to_end(folder / "run", true).end, whole.end);
}

TEST(Resume, skips_the_stages_that_were_done) {
  const TempDir folder;
  run_until(folder / "run", 4, 120);
  EXPECT_EQ(run_to_end(folder / "run", true).bodies, 2);  // both trainings
  EXPECT_EQ(run_to_end(folder / "run", true).bodies, 0);
}

// Snapshots, masks that come and go between updates, a part of a schedule, a state of its own, and
// a stage that takes long without training.
void run_rewinding(Session& session) {
  session.stage("beginning", [&] {
    session.train(fake::recipe(2), {.after_update =
                                        [&](int64_t update) {
                                          if (update == 2) session.snapshot("early");
                                          Masks masks = magnitude_masks(session.graph(),
                                                                        {.sparsity = 0.1 * update});
                                          session.set_masks(std::move(masks));
                                        },
                                    .every = 2});
  });
  session.stage("searching", [&] {
    for (size_t tried = session.own().text.size(); tried < 3; ++tried) {
      session.keep_own({.text = std::string(tried + 1, '.'),
                        .tensors = {{"tried", Tensor::scalar(static_cast<float>(tried))}}});
      session.save_or_stop();
    }
  });
  session.stage("rewinding", [&] { session.restore("early"); });
  session.stage("again", [&] {
    Recipe recipe = fake::recipe(3);
    recipe.updates = {.first = 2, .end = 8};
    session.train(recipe, {.after_update = [&](int64_t update) {
                    if (update % 3 == 0) session.restore("early");
                    if (update == 7) session.edit(session.graph());
                  }});
  });
}

TEST(Resume, of_all_else_that_a_state_holds_gives_the_same_graph_too) {
  const TempDir folder;
  const auto run = [&](const std::filesystem::path& path, int64_t stop, bool resume) {
    Fixture fixture;
    fixture.watcher.stop_after = stop;
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = path});
    if (resume) session.resume(read_checkpoint(path));
    return fake::message_of(ErrorKind::interrupted, [&] { run_rewinding(session); });
  };
  EXPECT_EQ(run(folder / "whole", -1, false), "(no error)");
  const SessionState whole = read_checkpoint(folder / "whole");
  EXPECT_EQ(whole.own.text, "...");
  for (int64_t step = 1; step <= 12; ++step) {
    SCOPED_TRACE("stopped after step " + std::to_string(step));
    const std::filesystem::path path = folder / std::to_string(step);
    EXPECT_NE(run(path, step, false), "(no error)");
    EXPECT_EQ(run(path, -1, true), "(no error)");
    const SessionState end = read_checkpoint(path);
    expect_same(end, whole);
    EXPECT_EQ(end.snapshots, whole.snapshots);
    EXPECT_EQ(end.own, whole.own);
  }
}

TEST(Resume, of_a_stage_that_takes_long_goes_on_from_what_the_method_kept) {
  const TempDir folder;
  for (int64_t stops = 1; stops <= 3; ++stops) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
    if (stops > 1) session.resume(read_checkpoint(folder / "run"));
    fixture.watcher.stop_after = 0;  // no step was made: at once
    const std::string message = fake::message_of(ErrorKind::interrupted, [&] {
      session.stage("searching", [&] {
        session.keep_own({.text = session.own().text + ".", .tensors = {}});
        session.save_or_stop();
      });
    });
    EXPECT_EQ(message, "interrupted in stage 'searching'");
    EXPECT_EQ(read_checkpoint(folder / "run").own.text, std::string(stops, '.'));
  }
}

TEST(Resume, with_another_request_is_refused) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.request = {{"--lr", "0.1"}}});
  SessionState state;
  state.request = {{"--lr", "0.2"}};
  EXPECT_EQ(fake::message_of(ErrorKind::usage, [&] { session.resume(state); }),
            "--resume: --lr is '0.1', the run began with '0.2'; give the same, or delete its "
            "folder to start anew");
}

TEST(Resume, with_fewer_images_than_the_checkpoint_counted_is_refused) {
  const TempDir folder;
  run_until(folder / "run", 2, 120);
  Fixture fixture;
  fixture.dataset = fake::images(3, 12);  // 9 to train with: one batch
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  session.resume(read_checkpoint(folder / "run"));
  Ran run;
  EXPECT_EQ(fake::message_of(ErrorKind::input, [&] { run_method(session, run); }),
            "the checkpoint goes on after batch 2 of an epoch, data set 'tiny' gives only 1; it "
            "isn't the one that the run began with");
}

TEST(Training, a_loss_that_is_not_finite_stops_it_and_leaves_the_checkpoint_before_as_it_was) {
  const TempDir folder;
  for (const double loss : {std::nan(""), static_cast<double>(INFINITY)}) {
    Ran run;
    Fixture fixture;
    const std::filesystem::path path = folder / "run";
    Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = path});
    fixture.trainer.loss_at[5] = loss;  // the second step of the second epoch
    std::string before;
    fixture.watcher.after_step = [&] { before = contents(path); };
    const std::string message =
        fake::message_of(ErrorKind::target, [&] { run_method(session, run); });
    EXPECT_NE(message.find("in step 2 of epoch 2"), std::string::npos) << message;
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    EXPECT_TRUE(contents(path) == before);
    EXPECT_EQ(read_checkpoint(path).cursor.epoch, 1);
  }
}

TEST(Training, weights_that_are_not_finite_stop_it_before_they_are_saved) {
  const TempDir folder;
  // A bias of its own is the hard one: with a NaN in it, it no longer looks like a parameter.
  const char* const net = R"(
    input x float32 [N, 1, 4, 4]
    const w float32 [3, 1, 4, 4] random
    const b float32 [3, 1, 1] random
    c = Conv(x, w)
    a = Add(c, b)
    y = Flatten(a)
    output y)";
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(net), {.checkpoint = folder / "run"});
  fixture.trainer.spoiled[6] = "b";  // the end of the second epoch
  const std::string message = fake::message_of(ErrorKind::target, [&] {
    session.stage("training", [&] { session.train(fake::recipe()); });
  });
  EXPECT_EQ(message, "epoch 2: weights of 'b' aren't finite any more");
  EXPECT_TRUE(
      std::isfinite(fake::tensor(read_checkpoint(folder / "run").graph, "b").as<float>()[0]));
}

}  // namespace
}  // namespace coppice
