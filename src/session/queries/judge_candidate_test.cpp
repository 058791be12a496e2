// Models that a search tries: judged and recalibrated beside the session's own.
#include <gtest/gtest.h>

#include "groups/cut/surgery.h"
#include "runtime/executable.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "training/parameters.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

// 40 images: 20 train, 10 are held out, 6 searched by, 4 recalibrate.
Session& open_in_parts(Fixture& fixture) {
  const PartShares shares{.held_out = 0.25, .search = 0.15, .recalibration = 0.1};
  return fixture.opened.emplace(parse_text_graph(fake::kNet),
                                SessionData{fixture.dataset.get(), {}, shares}, fixture.trainer,
                                fixture.watcher, SessionOptions{});
}

Graph smaller_than(Graph graph) {
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[0] = 1;
  remove_units(graph, groups, removal);
  return graph;
}

// The images with those numbers, by their first pixels.
std::set<float> pixels_of(const std::vector<int64_t>& images) {
  std::set<float> pixels;
  for (const int64_t image : images) pixels.insert(static_cast<float>(image + 1));
  return pixels;
}

TEST(Candidate, is_judged_by_the_images_of_its_part_and_nothing_else_changes) {
  Fixture fixture;
  Session& session = open_in_parts(fixture);
  const Graph candidate = smaller_than(session.graph());
  const std::string before = fake::bytes_of(session.graph());
  const Evaluation own = session.evaluate();
  fixture.trainer.judged.clear();
  const Evaluation found = session.evaluate(candidate, Part::search);
  EXPECT_EQ(found.images, 6);
  fixture.trainer.judged.erase(0);  // padding
  EXPECT_EQ(fixture.trainer.judged, pixels_of(session.images(Part::search)));
  EXPECT_TRUE(fake::bytes_of(session.graph()) == before);
  fake::expect_same(session.evaluate(), own);
  fake::expect_same(session.evaluate(session.graph(), Part::held_out), own);
}

TEST(Candidate, is_judged_in_mid_training_without_a_trace) {
  Fixture plain, searching;
  open_in_parts(plain);
  plain.opened->stage("training", [&] { plain.opened->train(fake::recipe(2)); });
  Session& session = open_in_parts(searching);
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_update = [&](int64_t) {
                    const Graph candidate = session.recalibrated(
                        smaller_than(session.graph()), {.part = Part::recalibration, .batch = 2});
                    session.evaluate(candidate, Part::search);
                  }});
  });
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(plain.opened->graph()));
  fake::expect_same(session.history(), plain.opened->history());
}

TEST(Candidate,
     judged_by_the_runtime_is_what_the_runtime_says_of_it_and_the_trainer_is_left_alone) {
  Fixture fixture;
  const PartShares shares{.held_out = 0.25, .search = 0.15, .recalibration = 0.1};
  Session& session = fixture.opened.emplace(
      parse_text_graph(fake::kNet), SessionData{fixture.dataset.get(), {}, shares}, fixture.trainer,
      fixture.watcher, SessionOptions{.candidates = SessionOptions::Candidates::by_runtime});
  const Graph candidate = smaller_than(session.graph());
  const Evaluation found = session.evaluate(candidate, Part::search);
  EXPECT_TRUE(fixture.trainer.judged.empty());
  Executable reference =
      compile(candidate, {.inputs = {}, .batch = 1}, {.kernels = Target::Kernels::reference});
  std::vector<Tensor> outputs = reference.allocate_outputs();
  const Shape& input = reference.input_shape(0);
  const Evaluation expected = evaluate(
      [&](const Tensor& image) {
        reference.run({&image, 1}, outputs);
        return outputs.front();
      },
      *fixture.dataset,
      {.indices = session.images(Part::search),
       .batch = 1,
       .input = Shape(input.begin() + 1, input.end()),
       .form = score_form(candidate)});
  EXPECT_EQ(found.images, 6);
  EXPECT_EQ(found.top1, expected.top1);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5);
}

TEST(Candidate, gets_the_mean_of_what_its_batches_give_and_only_its_statistics_change) {
  Fixture fixture;
  Session& session = open_in_parts(fixture);
  const Recalibration how{.part = Part::recalibration, .batches = 3, .batch = 2, .seed = 4};
  const Graph found = session.recalibrated(session.graph(), how);
  EXPECT_EQ(fixture.trainer.passed, pixels_of(session.images(Part::recalibration)));
  EXPECT_EQ(fixture.trainer.setup.norm_momentum.of(0.9), 0);
  ASSERT_EQ(fixture.trainer.means.size(), 3u);
  const double mean =
      (fixture.trainer.means[0] + fixture.trainer.means[1] + fixture.trainer.means[2]) / 3;
  for (const float x : fake::tensor(found, "mean").as<float>()) EXPECT_FLOAT_EQ(x, mean);
  for (const Parameter& parameter : trained_parameters(found)) {
    EXPECT_EQ(found.value(parameter.id).constant, session.graph().value(parameter.id).constant);
  }
  EXPECT_TRUE(fake::bytes_of(session.recalibrated(session.graph(), how)) == fake::bytes_of(found));
}

TEST(Candidate, that_has_fewer_images_than_a_batch_is_refused) {
  Fixture fixture;
  Session& session = open_in_parts(fixture);
  const std::string message = message_of(ErrorKind::input, [&] {
    session.recalibrated(session.graph(), {.part = Part::recalibration, .batch = 5});
  });
  EXPECT_NE(message.find("4 images"), std::string::npos) << message;
}

TEST(SessionParts, are_the_data_sets_and_share_no_image) {
  Fixture fixture;
  Session& session = open_in_parts(fixture);
  EXPECT_EQ(session.images(Part::training).size(), 20u);
  session.stage("training", [&] { session.train(fake::recipe(8)); });
  EXPECT_EQ(fixture.trainer.stepped, pixels_of(session.images(Part::training)));
  std::set<int64_t> all;
  for (const Part part : kParts) {
    for (const int64_t image : session.images(part)) {
      EXPECT_TRUE(all.insert(image).second) << name_of(part);
    }
  }
  EXPECT_EQ(all.size(), 40u);
}

}  // namespace
}  // namespace coppice
