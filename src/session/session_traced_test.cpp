// What a session knows of its graph beside the weights, and when it has to look again.
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/fitted.h"
#include "session/session.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

int64_t inferences_of_tracing(Session& session) {
  const int64_t before = inferences();
  const Traced traced = session.traced();
  return inferences() - before;
}

TEST(SessionTraced, is_found_once_while_only_weights_change) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  EXPECT_GT(inferences_of_tracing(session), 0);
  EXPECT_EQ(inferences_of_tracing(session), 0);
  Tensor mask = Tensor::zeros(DType::f32, {4, 1, 3, 3});
  session.mask({{"w1", mask}}, Session::Masking::soft);
  EXPECT_EQ(inferences_of_tracing(session), 0);
  const Traced traced = session.traced();
  const auto weights = fake::tensor(traced.graph(), "w1").as<float>();
  EXPECT_EQ(std::ranges::count(weights, 0.0f), 36) << "the weights are today's";
}

TEST(SessionTraced, is_found_anew_once_the_graph_was_cut_or_rewritten) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Traced whole = session.traced();
  ASSERT_EQ(whole.groups().unit_count, 7);
  session.rewrite(session.graph());
  EXPECT_GT(inferences_of_tracing(session), 0);
  session.remove(whole.groups(), {1, 0, 0, 0, 0, 0, 0});
  const Traced cut = session.traced();
  EXPECT_EQ(cut.groups().unit_count, 6);
  EXPECT_EQ(cut.costs().all().macs, whole.costs().after({1, 0, 0, 0, 0, 0, 0}).macs);
}

}  // namespace
}  // namespace coppice
