// Models, data and recipes that don't go together.
#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

Recipe recipe_of(int64_t batch, double distillation = 0) {
  Recipe recipe = fake::recipe(1);
  recipe.batch = batch;
  recipe.loss.distillation = distillation;
  return recipe;
}

void train(Session& session, const Recipe& recipe) {
  session.stage("training", [&] { session.train(recipe); });
}

std::string message_of_net(const char* net) {
  Fixture fixture;
  return message_of(ErrorKind::input,
                    [&] { train(fixture.open(parse_text_graph(net)), recipe_of(8, 1)); });
}

TEST(SessionErrors, batch_normalisation_has_no_statistics_over_one_image) {
  Fixture fixture;
  EXPECT_EQ(message_of(ErrorKind::usage,
                       [&] { train(fixture.open(parse_text_graph(fake::kNet)), recipe_of(1)); }),
            "batches of 1: BatchNormalization needs statistics over more than one image");
}

TEST(SessionErrors, a_fixed_batch_is_the_only_one) {
  Fixture fixture;
  Graph graph = parse_text_graph(fake::kNet);
  graph.value(graph.inputs.front()).declared->front() = {.size = 5, .symbol = ""};
  Session& session = fixture.open(graph);
  EXPECT_EQ(message_of(ErrorKind::usage, [&] { train(session, recipe_of(8)); }),
            "the model's batch is fixed at 5, training's is 8; export it with an open batch axis");
}

TEST(SessionErrors, a_fixed_batch_that_is_asked_for_trains) {
  Fixture fixture;
  Graph graph = parse_text_graph(fake::kNet);
  graph.value(graph.inputs.front()).declared->front() = {.size = 5, .symbol = ""};
  train(fixture.open(graph), recipe_of(5));
  EXPECT_EQ(fixture.watcher.steps, 6);
}

TEST(SessionErrors, other_classes_than_the_models_need_a_teacher_alone) {
  Fixture fixture;
  fixture.dataset = fake::images(4);
  for (const double distillation : {0.0, 0.9}) {
    EXPECT_EQ(
        message_of(
            ErrorKind::input,
            [&] { train(fixture.open(parse_text_graph(fake::kNet)), recipe_of(8, distillation)); }),
        "the model has 3 outputs, data set 'tiny' has 4 classes; they must be as many, "
        "and there are no labels that fit");
  }
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  train(session, recipe_of(8, 1));
  EXPECT_EQ(session.classes(), 0);
  EXPECT_EQ(fixture.trainer.setup.classes, 0);
  ASSERT_EQ(session.history().size(), 1u);
  EXPECT_FALSE(session.history().front().held_out.has_value());
}

TEST(SessionErrors, a_model_of_two_inputs_is_fed_by_nobody) {
  EXPECT_EQ(message_of_net(R"(
                input x float32 [N, 1, 4, 4]
                input z float32 [N, 1, 4, 4]
                y = Add(x, z)
                output y)"),
            "the model has 2 inputs; images are fed to exactly one");
}

TEST(SessionErrors, an_input_that_holds_no_images_is_named) {
  EXPECT_EQ(message_of_net(R"(
                input x int64 [N, 3]
                const w float32 [7, 3] random
                y = Gather(w, x)
                output y)"),
            "input 'x' is int64, expected a batch of float32 images");
  EXPECT_EQ(message_of_net(R"(
                input x float32
                const w float32 [7, 3] random
                y = MatMul(x, w)
                output y)"),
            "input 'x' is float32 without a shape, expected a batch of float32 images");
}

TEST(SessionErrors, a_model_without_weights_has_nothing_to_train) {
  EXPECT_EQ(message_of_net(R"(
                input x float32 [N, 1, 4, 4]
                y = Relu(x)
                output y)"),
            "the model has no weights to train");
}

TEST(SessionErrors, less_than_a_batch_of_images_is_too_little) {
  Fixture fixture;
  EXPECT_EQ(message_of(ErrorKind::input,
                       [&] { train(fixture.open(parse_text_graph(fake::kNet)), recipe_of(31)); }),
            "data set 'tiny': 30 images to train with, expected at least one batch of 31");
}

TEST(SessionErrors, training_is_for_a_stage_and_once) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  EXPECT_NE(message_of(ErrorKind::internal, [&] { session.train(recipe_of(8)); }).find("stage"),
            std::string::npos);
  EXPECT_NE(message_of(ErrorKind::internal,
                       [&] {
                         session.stage("both", [&] {
                           session.train(recipe_of(8));
                           session.train(recipe_of(8));
                         });
                       })
                .find("twice"),
            std::string::npos);
}

TEST(SessionErrors, an_evaluation_needs_images) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {}, 0);
  EXPECT_NE(message_of(ErrorKind::internal, [&] { session.evaluate(); }).find("images"),
            std::string::npos);
  train(session, recipe_of(8));
  EXPECT_FALSE(session.history().front().held_out.has_value());
}

TEST(SessionErrors, a_checkpoint_of_another_kind_of_model_is_refused) {
  Fixture fixture;
  SessionState state;  // an empty graph
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  EXPECT_EQ(message_of(ErrorKind::input, [&] { session.resume(state); }),
            "checkpoint: the model has no inputs");
}

}  // namespace
}  // namespace coppice
