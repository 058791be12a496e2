// Masks that come and go while a model trains.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;

Tensor mask_of(std::vector<float> values) { return Tensor::of<float>({3, 3}, values); }

const Tensor kFirst = mask_of({0, 0, 1, 1, 1, 1, 1, 1, 1});
const Tensor kSecond = mask_of({1, 0, 0, 1, 1, 1, 1, 1, 1});  // weight 0 comes back, 2 goes

const Tensor& weights_of(const Session& session) { return fake::tensor(session.graph(), "fw"); }

bool zero_exactly_where(const Tensor& mask, const Tensor& weights) {
  return std::ranges::equal(
      mask.as<float>(), weights.as<float>(), {}, [](float stays) { return stays == 0; },
      [](float weight) { return weight == 0; });
}

TEST(SessionMasks, what_comes_back_begins_at_zero_with_its_momentum) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("masking", [&] { session.set_masks({{"fw", kFirst}}); });
  session.stage("training", [&] {
    session.train(
        fake::recipe(3), {.after_epoch = [&](int64_t epoch) {
          EXPECT_TRUE(zero_exactly_where(epoch < 3 ? kFirst : kSecond, weights_of(session)));
          if (epoch != 2) return;
          session.set_masks({{"fw", kSecond}});
          EXPECT_EQ(weights_of(session).as<float>()[0], 0);
          EXPECT_EQ(weights_of(session).as<float>()[2], 0);
        }});
  });
  const Tensor& momentum = fixture.trainer.loaded.slots.at("momentum").at("fw");
  for (const int64_t i : {0, 1, 2}) EXPECT_EQ(momentum.as<float>()[i], 0) << i;
  EXPECT_NE(momentum.as<float>()[3], 0);
  EXPECT_EQ(session.masks(), (NamedTensors{{"fw", kSecond}}));
}

// Whatever was masked between two updates has lost its momentum, though no trainer saw it masked.
TEST(SessionMasks, what_went_and_came_back_at_once_begins_at_zero_too) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
                    if (epoch != 1) return;
                    session.set_masks({{"fw", kFirst}});
                    session.unmask();
                  }});
  });
  const Tensor& momentum = fixture.trainer.loaded.slots.at("momentum").at("fw");
  EXPECT_EQ(momentum.as<float>()[0], 0);
  EXPECT_NE(momentum.as<float>()[2], 0);
  EXPECT_TRUE(session.masks().empty());
}

TEST(SessionMasks, they_may_change_after_every_update) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("training", [&] {
    session.train(
        fake::recipe(2), {.after_update = [&](int64_t update) {
          if (update > 1) {
            EXPECT_TRUE(zero_exactly_where(session.masks().at("fw"), weights_of(session)));
          }
          Tensor mask = mask_of(std::vector<float>(9, 1));
          mask.mutate<float>()[update % 9] = 0;
          session.set_masks({{"fw", mask}});
        }});
  });
  EXPECT_EQ(fixture.watcher.steps, 6);
  EXPECT_EQ(weights_of(session).as<float>()[6], 0);
}

TEST(SessionMasks, what_the_original_has_at_zero_stays_so_whatever_comes_back) {
  Fixture fixture;
  Graph sparse = parse_text_graph(fake::kNet);
  for (const char* name : {"w1", "w2", "fw"}) {
    sparse.value(*find_value(sparse, name)).constant->mutate<float>()[1] = 0;
  }
  for (int i = 0; i < 9; ++i) {
    sparse.value(*find_value(sparse, "w1")).constant->mutate<float>()[i] = 0;
  }
  Session& session = fixture.open(sparse);
  ASSERT_TRUE(session.kept().zeros.contains("fw"));
  session.stage("masking", [&] { session.set_masks({{"fw", kFirst}}); });
  session.stage("unmasking", [&] { session.set_masks({{"fw", kSecond}}); });
  session.stage("training", [&] { session.train(fake::recipe(1)); });
  EXPECT_TRUE(zero_exactly_where(kSecond, weights_of(session)));
}

TEST(SessionMasks, one_that_does_not_fit_is_refused_and_nothing_changes) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.set_masks({{"fw", kFirst}});
  const std::string before = fake::bytes_of(session.graph());
  const std::string message = message_of(ErrorKind::input, [&] {
    session.set_masks({{"fb", Tensor::zeros(DType::f32, {2})}});
  });
  EXPECT_NE(message.find("mask of tensor 'fb'"), std::string::npos) << message;
  EXPECT_EQ(session.masks(), (NamedTensors{{"fw", kFirst}}));
  EXPECT_TRUE(fake::bytes_of(session.graph()) == before);
}

TEST(SessionMasks, statistics_that_are_held_are_so_from_there_on_and_cut_with_their_channels) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const auto held = [](std::vector<float> channels) {
    return Tensor::of<float>({std::ssize(channels)}, channels);
  };
  session.stage("holding", [&] { session.hold_statistics({{"scale", held({0, 1, 0, 0})}}); });
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
                    EXPECT_EQ(fixture.trainer.setup.still.at("scale"),
                              epoch == 1 ? held({0, 1, 0, 0}) : held({0, 1, 0, 1}));
                    if (epoch == 1) session.hold_statistics({{"scale", held({0, 0, 0, 1})}});
                  }});
  });
  session.stage("cutting", [&] {
    const Traced traced = session.traced();
    const auto group = std::ranges::find(traced.groups().free, "w1", &Group::name);
    ASSERT_NE(group, traced.groups().free.end());
    Removal removal(traced.groups().unit_count, 0);
    removal[group->first_unit] = 1;
    session.remove(traced.groups(), removal);
  });
  session.stage("tuning", [&] { session.train(fake::recipe(1)); });
  EXPECT_EQ(fixture.trainer.setup.still.at("scale"), held({1, 0, 1}));
}

}  // namespace
}  // namespace coppice
