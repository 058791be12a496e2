// What least squares can make up for goes first, and only as long as it can.

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"
#include "evidence/collector.h"
#include "prune/scores/criterion.h"
#include "runtime/executable.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Units 1 and 4 give the same, unit 2 is dead, and unit 3 is hardly read.
Graph net() {
  return parse_text_graph(R"(
    input x float32 [N, 3]
    const w float32 [5, 3] = 1 0 0  0 1 0  0 0 0  0 0 1  0 1 0
    const v float32 [2, 5] = 1 1 9 0.001 1  1 -1 9 0.001 1
    c = Gemm(x, w) {transB=1}
    r = Relu(c)
    y = Gemm(r, v) {transB=1}
    output y
  )");
}

std::vector<float> scores_of(const Graph& graph) {
  Random random(1);
  Tensor x = Tensor::zeros(DType::f32, {100, 3});
  random.fill_normal(x.mutate<float>(), 1);
  ScoreOptions options;
  options.measure = [&](const Graph& measured, std::span<const EvidenceRequest> requests) {
    Collector collector(measured, requests);
    compile(measured, {.inputs = {}, .batch = 100}, {.threads = 1}, collector.observation())
        .run(std::vector<Tensor>{x});
    return collector.finish();
  };
  return score_units(graph, find_groups(graph), find_criterion("reconstruction"), options).units;
}

TEST(Reconstruction, ranks_by_what_is_lost_once_the_others_make_up_for_it) {
  const std::vector<float> scores = scores_of(net());
  ASSERT_EQ(scores.size(), 5u);
  EXPECT_LT(scores[2], 1e-5);                       // dead
  EXPECT_LT(std::min(scores[1], scores[4]), 1e-3);  // one of two that say the same
  EXPECT_LT(scores[3], 1e-3);                       // hardly read
  EXPECT_GT(std::max(scores[1], scores[4]), 0.1);   // but not both
  EXPECT_GT(scores[0], 0.1);
}

TEST(Reconstruction, what_is_lost_in_all_is_the_variance_of_what_is_given) {
  const std::vector<float> scores = scores_of(net());
  EXPECT_NEAR(*std::ranges::max_element(scores), 1, 1e-2);
}

}  // namespace
}  // namespace coppice
