// Dense-sparse-dense under a fake trainer.
#include "methods/unstructured/dsd.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

int64_t zeros(const Tensor& tensor) { return std::ranges::count(tensor.as<float>(), 0.0f); }

TEST(Dsd, is_exactly_sparse_in_the_sparse_phase_and_dense_after_it) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<std::vector<int64_t>> zeros_by_step;
  fixture.watcher.after_epoch = [&] {
    std::vector<int64_t> counts;
    for (const char* name : {"w1", "w2", "fw"}) {
      counts.push_back(zeros(fake::tensor(session.graph(), name)));
    }
    zeros_by_step.push_back(counts);
  };
  const Outcome outcome =
      dense_sparse_dense(session, {.sparsity = 0.5, .rounds = 2}, fake::recipe(1));
  // The first convolution, w1, is never pruned; 12 and 9 weights lose 6 and 4.
  const std::vector<int64_t> sparse = {0, 6, 4}, dense = {0, 0, 0};
  EXPECT_EQ(zeros_by_step, (std::vector<std::vector<int64_t>>{sparse, dense, sparse, dense}));
  EXPECT_TRUE(outcome.plan.slices.empty());
  EXPECT_TRUE(outcome.plan.masks.empty());
  EXPECT_EQ(outcome.before.macs, outcome.after.macs);
}

TEST(Dsd, trains_dense_at_a_tenth_of_the_rate_without_old_momentum) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  dense_sparse_dense(session, {}, fake::recipe(2));
  ASSERT_EQ(session.history().size(), 4u);
  for (int epoch = 0; epoch < 2; ++epoch) {
    EXPECT_NEAR(session.history()[epoch + 2].learning_rate,
                session.history()[epoch].learning_rate / 10, 1e-12);
  }
}

TEST(Dsd, goes_on_to_the_same_bits_wherever_it_stopped) {
  const TempDir folder;
  const auto bytes = [&](int64_t stop_after) {
    return fake::bytes_after_stop(
        parse_text_graph(fake::kNet), folder / "checkpoint", stop_after, [](Session& session) {
          return dense_sparse_dense(session, {.sparsity = 0.5}, fake::recipe(2)).graph;
        });
  };
  const std::string whole = bytes(-1);
  for (const int64_t steps : {1, 5, 7, 11}) EXPECT_EQ(whole, bytes(steps)) << steps;
}

TEST(Dsd, layers_to_keep_stay_dense) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  fixture.watcher.after_epoch = [&] { EXPECT_EQ(zeros(fake::tensor(session.graph(), "fw")), 0); };
  dense_sparse_dense(session, {.sparsity = 0.5, .keep = {"^fw$"}}, fake::recipe(1));
}

}  // namespace
}  // namespace coppice
