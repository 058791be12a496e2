// The line between two nets, and how much higher it is than its ends.
#include "methods/lottery/linear_path.h"

#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

Graph scaled(Graph graph, float factor) {
  for (Value& value : graph.values) {
    if (!value.constant || value.constant->dtype() != DType::f32) continue;
    for (float& number : value.constant->mutate<float>()) number *= factor;
  }
  return graph;
}

TEST(LinearPath, goes_from_the_one_net_to_the_other_with_all_that_training_moves) {
  const Graph a = parse_text_graph(fake::kNet), b = scaled(a, 3);
  EXPECT_EQ(fake::bytes_of(between(a, b, 0)), fake::bytes_of(a));
  EXPECT_EQ(fake::bytes_of(between(a, b, 1)), fake::bytes_of(b));
  const Graph middle = between(a, b, 0.5);
  for (const char* name : {"w1", "scale", "mean", "variance", "fb"}) {
    EXPECT_FLOAT_EQ(fake::tensor(middle, name).as<float>()[1],
                    2 * fake::tensor(a, name).as<float>()[1])
        << name;
  }
}

TEST(LinearPath, has_no_barrier_between_copies_that_are_the_same) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const auto path = linear_path(session, session.graph(), session.graph(), 11);
  ASSERT_EQ(path.size(), 11u);
  EXPECT_EQ(path[3].share, 0.3);
  const Barrier barrier = barrier_of(path);
  EXPECT_EQ(barrier.error, 0);
  EXPECT_EQ(barrier.loss, 0);
}

TEST(LinearPath, has_the_highest_error_over_the_mean_of_its_ends_for_a_barrier) {
  const Barrier barrier = barrier_of({{.share = 0, .top1 = 0.9, .loss = 0.5},
                                      {.share = 0.5, .top1 = 0.6, .loss = 2},
                                      {.share = 1, .top1 = 0.8, .loss = 0.7}});
  EXPECT_NEAR(barrier.error, 0.25, 1e-12);
  EXPECT_NEAR(barrier.loss, 1.4, 1e-12);
}

}  // namespace
}  // namespace coppice
