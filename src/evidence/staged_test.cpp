// A net run from a value that was kept answers as one that is run from its beginning.
#include "evidence/staged.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "evidence/collector.h"
#include "runtime/executable.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr int64_t kImages = 40;  // more than one batch of those that are kept

Graph net() {
  return parse_text_graph(R"(
    input x float32 [N, 2, 5, 5]
    const w float32 [4, 2, 3, 3] random
    const u float32 [4, 4, 1, 1] random
    const v float32 [4, 4, 1, 1] random
    const f float32 [36, 3] random
    a = Conv(x, w)
    r = Relu(a)
    b = Conv(r, u)
    c = Conv(r, v)
    s = Add(b, c)
    h = Flatten(s)
    y = Gemm(h, f)
    output y
  )");
}

// Counts how often the net is run from its beginning.
Measure measure_and_count(int& runs) {
  Random random(1);
  Tensor x = Tensor::zeros(DType::f32, {kImages, 2, 5, 5});
  random.fill_normal(x.mutate<float>(), 1);
  return [x, &runs](const Graph& graph, std::span<const EvidenceRequest> requests) {
    ++runs;
    Collector collector(graph, requests);
    compile(graph, {.inputs = {}, .batch = kImages}, {.threads = 1}, collector.observation())
        .run(std::vector<Tensor>{x});
    return collector.finish();
  };
}

TEST(Staged, bottlenecks_are_the_values_that_all_behind_are_functions_of) {
  const Graph graph = net();
  std::vector<std::string> names;
  for (const ValueId id : bottlenecks(graph)) {
    names.push_back(id == kNoValue ? "" : graph.value(id).name);
  }
  // Behind the last node nothing is left.
  EXPECT_EQ(names, (std::vector<std::string>{"a", "r", "", "", "s", "h", ""}));
}

TEST(Staged, what_is_kept_answers_as_the_whole_net_does_without_running_it) {
  const Graph graph = net();
  int runs = 0, others = 0;
  Staged staged(measure_and_count(runs));
  staged.keep(graph, *find_value(graph, "r"), kImages);
  EXPECT_EQ(runs, 1);
  const std::vector<EvidenceRequest> requests = {{"s", Reduction::samples, 1, 4, 7},
                                                 {"c", Reduction::patches, 1, 4, 7},
                                                 {"y", Reduction::mean}};
  const std::vector<ValueId> values = {*find_value(graph, "s"), *find_value(graph, "y")};
  const Evidence found = staged.measure(graph, values, requests);
  EXPECT_EQ(runs, 1);
  const Evidence wanted = measure_and_count(others)(graph, requests);
  for (size_t r = 0; r < 2; ++r) {
    const auto a = found.at(requests[r]).as<float>(), b = wanted.at(requests[r]).as<float>();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5);
  }
  staged.keep(graph, *find_value(graph, "s"), kImages);  // from what was kept before
  EXPECT_EQ(runs, 1);
  const Evidence last = staged.measure(graph, {values[1]}, std::span(&requests[2], 1));
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(last.numbers(requests[2])[c], wanted.numbers(requests[2])[c], 1e-5);
  }
}

}  // namespace
}  // namespace coppice
