// What a session lets a method do, with a trainer that is none.
#include "session/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "prune/masks/masks.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

void train(Session& session, const Recipe& recipe, const TrainHooks& hooks = {}) {
  session.stage("training", [&] { session.train(recipe, hooks); });
}

int64_t zeros_in(const Tensor& tensor) { return std::ranges::count(tensor.as<float>(), 0.0f); }

bool holds(const Tensor& mask, const Tensor& weights) {
  for (int64_t i = 0; i < mask.size(); ++i) {
    if (mask.as<float>()[i] == 0 && weights.as<float>()[i] != 0) return false;
  }
  return true;
}

TEST(Session, runs_each_stage_once_in_order_and_saves_after_it) {
  const TempDir folder;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  std::string ran;
  for (const std::string name : {"a", "b", "c"}) {
    session.stage(name, [&] { ran += name; });
    EXPECT_EQ(read_checkpoint(folder / "run").stages.size(), ran.size());
  }
  EXPECT_EQ(ran, "abc");
}

TEST(Session, without_a_checkpoint_it_trains_and_tells_the_observer_of_every_step_and_epoch) {
  Fixture fixture;
  train(fixture.open(parse_text_graph(fake::kNet)), fake::recipe());
  EXPECT_EQ(fixture.watcher.steps, 9);
  fake::expect_same(fixture.watcher.epochs, fixture.opened->history());
  ASSERT_EQ(fixture.watcher.epochs.size(), 3u);
  const EpochRecord& last = fixture.watcher.epochs.back();
  EXPECT_EQ(last.stage, "training");
  EXPECT_EQ(last.epoch, 3);
  EXPECT_EQ(last.epochs, 3);
  EXPECT_EQ(last.learning_rate, 0.05 * schedule_factor({}, 8, 9, 3));
  ASSERT_TRUE(last.held_out.has_value());
  EXPECT_EQ(last.held_out->images, 10);
}

TEST(Session, no_two_stages_see_the_images_in_the_same_order_or_draw_the_same_numbers) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, fake::recipe(2));
  train(session, fake::recipe(2));
  const std::vector<float>& order = fixture.trainer.order;
  const auto second = order.begin() + std::ssize(order) / 2;
  EXPECT_FALSE(std::equal(order.begin(), second, second));
  EXPECT_NE(order.front(), *second);
  const std::set<uint64_t> seeds(fixture.trainer.seeds.begin(), fixture.trainer.seeds.end());
  EXPECT_EQ(seeds.size(), 12u) << "as many as steps";
}

TEST(Session, what_a_stage_made_without_training_is_judged_and_told) {
  const TempDir folder;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  session.stage("looking", [] {});
  session.stage("written otherwise", [&] { session.rewrite(session.graph()); });
  session.stage("masking", [&] { session.mask(masks, Session::Masking::hard); });
  fake::expect_same(session.stages().back().held_out, session.evaluate());
  session.stage("masking again", [&] { session.mask(masks, Session::Masking::hard); });
  train(session, fake::recipe(2));
  session.stage("cutting", [&] {
    const Groups groups = find_groups(session.graph());
    Removal removal(groups.unit_count, 0);
    removal[0] = 1;
    session.remove(groups, removal);
  });
  fake::expect_same(session.stages().back().held_out, session.evaluate());
  std::vector<std::string> judged;
  for (const StageRecord& record : session.stages()) {
    if (record.held_out) judged.push_back(record.stage);
    EXPECT_EQ(record.epochs, record.stage == "training" ? 2 : 0);
  }
  EXPECT_EQ(judged, (std::vector<std::string>{"masking", "cutting"}));
  fake::expect_same(fixture.watcher.stages, session.stages());
  fake::expect_same(read_checkpoint(folder / "run").stages, session.stages());
}

TEST(Session, an_epoch_whose_hook_changed_the_model_is_judged_before_and_after) {
  const TempDir folder;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.7});
  Evaluation after;
  train(session, fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
          if (epoch == 2) return;
          session.mask(masks, Session::Masking::soft);
          after = session.evaluate();
        }});
  ASSERT_EQ(session.history().size(), 2u);
  const EpochRecord& first = session.history().front();
  fake::expect_same(first.held_out_after, after);
  EXPECT_NE(first.held_out->loss, first.held_out_after->loss);
  EXPECT_FALSE(session.history().back().held_out_after.has_value());
  fake::expect_same(fixture.watcher.epochs, session.history());
  fake::expect_same(read_checkpoint(folder / "run").history, session.history());
}

TEST(Session, held_out_images_judge_and_are_never_trained_on_whatever_the_seed) {
  std::set<float> first;
  for (const uint64_t seed : {1, 2}) {
    Fixture fixture;
    Recipe recipe = fake::recipe(12);
    recipe.seed = seed;
    train(fixture.open(parse_text_graph(fake::kNet)), recipe);
    fixture.trainer.judged.erase(0);  // padding
    EXPECT_EQ(fixture.trainer.judged.size(), 10u);
    EXPECT_EQ(fixture.trainer.stepped.size(), 30u);
    for (const float pixel : fixture.trainer.judged) {
      EXPECT_FALSE(fixture.trainer.stepped.contains(pixel)) << "image " << pixel - 1;
    }
    if (seed == 1) first = fixture.trainer.judged;
    EXPECT_EQ(fixture.trainer.judged, first);
  }
}

TEST(Session, an_evaluation_is_the_graphs_own_on_the_images_held_out) {
  for (const bool fixed : {false, true}) {
    SCOPED_TRACE(fixed);
    Fixture fixture;
    Graph graph = parse_text_graph(fake::kNet);
    if (fixed) graph.value(graph.inputs.front()).declared->front() = {.size = 8, .symbol = ""};
    const Evaluation found = fixture.open(graph).evaluate();
    EvaluationJob job;
    fixture.trainer.judged.erase(0);
    for (const float pixel : fixture.trainer.judged) {
      job.indices.push_back(static_cast<int64_t>(pixel) - 1);
    }
    ASSERT_EQ(job.indices.size(), 10u);
    job.input = {1, 4, 4};
    job.batch = found.batch;
    const Evaluation expected = evaluate(
        [&](const Tensor& images) { return run_reference(graph, std::span(&images, 1)).front(); },
        *fixture.dataset, job);
    fake::expect_same(found, expected);
    EXPECT_EQ(found.batch, fixed ? 8 : 100);
  }
}

TEST(Session, evaluating_at_any_time_changes_nothing) {
  Fixture plain, looking;
  train(plain.open(parse_text_graph(fake::kNet)), fake::recipe());
  Session& session = looking.open(parse_text_graph(fake::kNet));
  session.evaluate();
  train(session, fake::recipe(), {.after_epoch = [&](int64_t) {
          fake::expect_same(session.evaluate(), *session.history().back().held_out);
        }});
  session.evaluate();
  EXPECT_TRUE(fake::bytes_of(plain.opened->graph()) == fake::bytes_of(session.graph()));
}

TEST(Session, hard_masks_hold_after_every_epoch) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  session.stage("masking", [&] { session.mask(masks, Session::Masking::hard); });
  int64_t epochs = 0;
  train(session, fake::recipe(), {.after_epoch = [&](int64_t) {
          ++epochs;
          for (const auto& [name, mask] : masks) {
            const Tensor& weights = fake::tensor(session.graph(), name);
            EXPECT_TRUE(holds(mask, weights)) << name;
            EXPECT_EQ(zeros_in(weights), zeros_in(mask)) << name;
          }
        }});
  EXPECT_EQ(epochs, 3);
  EXPECT_EQ(session.masks(), masks);
}

TEST(Session, hard_masks_add_up_until_they_are_taken_off) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Tensor first = Tensor::of<float>({3, 3}, std::vector<float>{0, 1, 1, 1, 1, 1, 1, 1, 1});
  const Tensor second = Tensor::of<float>({3, 3}, std::vector<float>{1, 1, 1, 1, 1, 1, 1, 1, 0});
  const Tensor other = Tensor::zeros(DType::f32, {4, 1, 3, 3});
  session.mask({{"fw", first}}, Session::Masking::hard);
  session.mask({{"w1", other}}, Session::Masking::hard);
  session.mask({{"fw", second}}, Session::Masking::hard);
  train(session, fake::recipe());
  EXPECT_EQ(zeros_in(fake::tensor(session.graph(), "w1")), 36);
  const Tensor& weights = fake::tensor(session.graph(), "fw");
  EXPECT_TRUE(holds(first, weights) && holds(second, weights));
  EXPECT_EQ(zeros_in(weights), 2);
  session.stage("unmasking", [&] { session.unmask(); });
  train(session, fake::recipe(1));
  EXPECT_EQ(zeros_in(fake::tensor(session.graph(), "fw")), 0);
}

TEST(Session, soft_masks_zero_once_and_weights_may_come_back) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  train(session, fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
          if (epoch == 1) session.mask(masks, Session::Masking::soft);
          const bool masked = holds(masks.at("fw"), fake::tensor(session.graph(), "fw"));
          EXPECT_EQ(masked, epoch == 1);
        }});
  EXPECT_TRUE(session.masks().empty());
}

TEST(Session, a_mask_that_does_not_fit_is_refused_and_nothing_changes) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const std::string before = fake::bytes_of(session.graph());
  EXPECT_NE(message_of(
                ErrorKind::input,
                [&] {
                  session.mask({{"fw", Tensor::zeros(DType::f32, {2, 3})}}, Session::Masking::hard);
                })
                .find("mask of tensor 'fw'"),
            std::string::npos);
  EXPECT_TRUE(session.masks().empty());
  EXPECT_TRUE(fake::bytes_of(session.graph()) == before);
}

TEST(Session, what_a_method_made_is_adopted_with_its_masks) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  Plan plan;
  plan.method = "weights";
  plan.masks = masks;
  train(session, fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
          if (epoch == 1) session.adopt(session.original(), plan, masks);
        }});
  EXPECT_EQ(session.plan().method, "weights");
  EXPECT_TRUE(session.plan().masks.empty());
  EXPECT_EQ(session.masks(), masks);
  EXPECT_TRUE(holds(masks.at("w1"), fake::tensor(session.graph(), "w1")));
}

TEST(Session, the_original_teaches_where_the_recipe_wants_it) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, fake::recipe(1));
  EXPECT_EQ(fixture.trainer.setup.teacher, nullptr);
  EXPECT_EQ(fixture.trainer.setup.classes, 3);
  Recipe recipe = fake::recipe(1);
  recipe.loss.distillation = 0.5;
  train(session, recipe);
  EXPECT_EQ(fixture.trainer.setup.teacher, &session.original());
}

}  // namespace
}  // namespace coppice
