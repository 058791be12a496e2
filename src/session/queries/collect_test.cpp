// Evidence with gradients of a session's graph, under a fake trainer.
#include <gtest/gtest.h>

#include "prune/scores/criteria.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

const EvidenceRequest kGates{"r", Reduction::gate_gradients},
    kScales{"scale", Reduction::scale_saliency}, kWeights{"w2", Reduction::weight_gradients};

Session& open(Fixture& fixture, const std::filesystem::path& checkpoint = {}) {
  return fixture.open(parse_text_graph(fake::kNet), {.checkpoint = checkpoint});
}

TEST(SessionCollect, sees_each_of_its_images_once_and_gives_the_same_each_time) {
  Fixture fixture;
  Session& session = open(fixture);
  const std::vector<EvidenceRequest> requests{kGates, kScales, kWeights};
  const Collection how{.batches = 3, .batch = 6, .seed = 2};
  const Evidence found = session.collect(session.graph(), requests, how);
  EXPECT_EQ(fixture.trainer.collected.size(), 18u);
  for (const float pixel : fixture.trainer.collected) {
    EXPECT_TRUE(std::ranges::count(session.images(Part::training), int64_t(pixel) - 1)) << pixel;
  }
  EXPECT_EQ(found.at(kGates).shape(), (Shape{18, 4}));
  EXPECT_EQ(found.at(kScales).shape(), (Shape{4}));
  EXPECT_EQ(found.at(kWeights).shape(), (Shape{3, 4, 1, 1}));
  EXPECT_EQ(session.collect(session.graph(), requests, how).answers(), found.answers());
  const Evidence other =
      session.collect(session.graph(), requests, {.batches = 3, .batch = 6, .seed = 3});
  EXPECT_NE(other.at(kGates), found.at(kGates));
}

TEST(SessionCollect, takes_whole_batches_and_no_more_than_there_are) {
  Fixture fixture;
  Session& session = open(fixture);
  const std::vector<EvidenceRequest> requests{kGates};
  const Evidence found = session.collect(
      session.graph(), requests,
      {.part = Part::held_out, .batch = 4, .mode = CollectOptions::Mode::evaluation});
  EXPECT_EQ(found.at(kGates).shape(), (Shape{8, 4}));
  ASSERT_EQ(fixture.trainer.collecting.size(), 2u);
  EXPECT_EQ(fixture.trainer.collecting[0].mode, CollectOptions::Mode::evaluation);
  EXPECT_NE(fixture.trainer.collecting[0].seed, fixture.trainer.collecting[1].seed);
  const std::string message = message_of(ErrorKind::input, [&] {
    session.collect(session.graph(), requests, {.part = Part::search, .batch = 4});
  });
  EXPECT_NE(message.find("'search' of data set 'tiny' has 0 images"), std::string::npos) << message;
}

TEST(SessionCollect, follows_the_loss_that_it_is_told) {
  Fixture fixture;
  Session& session = open(fixture);
  const std::vector<EvidenceRequest> requests{kWeights};
  session.collect(session.graph(), requests,
                  {.batch = 8,
                   .loss = {.label_smoothing = 0.1, .distillation = 0.5},
                   .numbers = CollectOptions::Numbers::f64});
  EXPECT_EQ(fixture.trainer.collecting.front().numbers, CollectOptions::Numbers::f64);
  EXPECT_EQ(fixture.trainer.setup.classes, 3);
  EXPECT_EQ(fixture.trainer.setup.loss.label_smoothing, 0.1);
  EXPECT_EQ(fixture.trainer.setup.teacher, &session.original());
}

// Collects in every hook, which may change nothing.
Graph trained(Session& session, bool collects) {
  const auto look = [&](int64_t number) {
    if (!collects) return;
    const std::vector<EvidenceRequest> requests{kGates, kWeights};
    session.collect(session.graph(), requests,
                    {.batches = 2, .batch = 5, .seed = static_cast<uint64_t>(number)});
  };
  session.stage("before", [&] { look(0); });
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_epoch = look, .after_update = look});
  });
  return session.graph();
}

TEST(SessionCollect, leaves_no_trace_in_mid_training) {
  Fixture plain, looking;
  const Graph expected = trained(open(plain), false), found = trained(open(looking), true);
  EXPECT_FALSE(looking.trainer.collected.empty());
  EXPECT_TRUE(fake::bytes_of(found) == fake::bytes_of(expected));
  fake::expect_same(looking.opened->history(), plain.opened->history());
}

TEST(SessionCollect, leaves_no_trace_where_a_run_stopped_and_went_on) {
  const TempDir dir;
  const Graph graph = parse_text_graph(fake::kNet);
  Fixture plain;
  const std::string expected = fake::bytes_of(trained(open(plain), false));
  for (int64_t stop = 1; stop <= 6; ++stop) {
    EXPECT_TRUE(fake::bytes_after_stop(graph, dir / ("at" + std::to_string(stop)), stop,
                                       [](Session& session) { return trained(session, true); }) ==
                expected)
        << stop;
  }
}

std::vector<EvidenceRequest> needs(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& activation : view.activations) {
    requests.push_back({activation.value, Reduction::mean_gate_gradients, activation.axis});
    requests.push_back({activation.value, Reduction::pooled, activation.axis});
  }
  return requests;
}

// The sums of |gate gradients|, where those of the same images were measured, too.
std::vector<float> score(const GroupView& view) {
  const Activation& seen = view.activations.front();
  const Tensor& gates = view.evidence->at({seen.value, Reduction::mean_gate_gradients, seen.axis});
  const Tensor& pooled = view.evidence->at({seen.value, Reduction::pooled, seen.axis});
  std::vector<float> scores(seen.indices.size(), 0);
  if (pooled.shape() != gates.shape()) return {};
  for (int64_t i = 0; i < gates.size(); ++i) {
    scores[i % gates.shape()[1]] += static_cast<float>(std::fabs(gates.as<double>()[i]));
  }
  return scores;
}

const Criterion kGated{.name = "gated",
                       .paper = "",
                       .about = "gate gradients",
                       .scope = Criterion::Scope::global,
                       .score = score,
                       .needs = needs};

TEST(SessionCollect, gives_criteria_both_kinds_of_evidence_of_the_same_images) {
  Fixture fixture;
  Session& session = open(fixture);
  const Traced traced = session.traced();
  const Collection how{.batches = 2, .batch = 5};
  const Scores scores =
      score_units(traced.graph(), traced.groups(), kGated, {.measure = session.measuring(how)});
  EXPECT_EQ(std::ranges::count(scores.unscored, 1), 0);
  const std::vector<EvidenceRequest> requests{{"r", Reduction::mean_gate_gradients}};
  const Evidence evidence = session.collect(session.graph(), requests, how);
  double first = 0;
  for (int64_t n = 0; n < 10; ++n) first += std::fabs(evidence.numbers(requests[0])[n * 4]);
  EXPECT_NEAR(scores.units[0], first, 1e-6 * first);
}

}  // namespace
}  // namespace coppice
