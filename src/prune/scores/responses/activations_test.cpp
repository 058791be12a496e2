// A criterion that looks at data is a list of needs and a function of the answers.

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/random.h"
#include "evidence/collector.h"
#include "prune/scores/criteria.h"
#include "runtime/executable.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// A residual stream of four channels, read by two layers at one value and by one at another.
constexpr char kNet[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [4, 2, 3, 3] random
  const u float32 [3, 4, 1, 1] random
  const t float32 [5, 4, 1, 1] random
  const v float32 [4, 3, 1, 1] random
  const f float32 [64, 2] random
  c = Conv(x, w)
  r = Relu(c)
  a = Conv(r, u)
  o = Conv(r, t)
  b = Relu(a)
  d = Conv(b, v)
  s = Add(r, d)
  q = Relu(s)
  h = Flatten(q)
  g = Gemm(h, f)
  output g
  output o
)";

std::vector<EvidenceRequest> needs(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& activation : view.activations) {
    requests.push_back({activation.value, Reduction::mean_absolute, activation.axis});
  }
  return requests;
}

std::vector<float> score(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Activation& activation : view.activations) {
    const auto numbers =
        view.evidence->numbers({activation.value, Reduction::mean_absolute, activation.axis});
    members.emplace_back();
    for (const auto& indices : activation.indices) {
      double sum = 0;
      for (const int64_t index : indices) sum += numbers[index];
      members.back().push_back(sum / static_cast<double>(indices.size()));
    }
  }
  return aggregated(members, view.options.aggregate);
}

const Criterion kMeanActivation{.name = "mean-activation",
                                .paper = "",
                                .about = "mean absolute activation",
                                .scope = Criterion::Scope::global,
                                .score = score,
                                .needs = needs};

const Activation& activation_at(const std::vector<Activation>& all, const std::string& value) {
  return *std::ranges::find(all, value, &Activation::value);
}

TEST(Activations, are_the_values_that_layers_read_units_from_each_once) {
  const Graph graph = parse_text_graph(kNet);
  const Groups groups = find_groups(graph);
  const auto all = activations_of(graph, groups);
  const size_t stream = group_of(groups, groups.free[0].first_unit);
  ASSERT_EQ(groups.free[stream].units(), 4);
  ASSERT_EQ(all[stream].size(), 2u);
  EXPECT_EQ(activation_at(all[stream], "r").axis, 1);
  EXPECT_EQ(activation_at(all[stream], "r").indices[2], std::vector<int64_t>{2});
  EXPECT_EQ(activation_at(all[stream], "h").indices[1].size(), 16u);
  EXPECT_EQ(activation_at(all[stream], "h").indices[1].front(), 16);
}

TEST(Activations, a_criterion_that_needs_them_gets_what_was_measured) {
  const Graph graph = parse_text_graph(kNet);
  const Groups groups = find_groups(graph);
  Random random(1);
  Tensor x = Tensor::zeros(DType::f32, {3, 2, 6, 6});
  random.fill_normal(x.mutate<float>(), 1);
  int measured = 0;
  ScoreOptions options{.aggregate = Aggregate::first};
  options.measure = [&](const Graph& net, std::span<const EvidenceRequest> requests) {
    ++measured;
    Collector collector(net, requests);
    compile(net, {.inputs = {}, .batch = 3}, {.threads = 1}, collector.observation())
        .run(std::vector<Tensor>{x});
    return collector.finish();
  };
  const Scores scores = score_units(graph, groups, kMeanActivation, options);
  EXPECT_EQ(measured, 1);
  const std::vector<ValueId> watch{*find_value(graph, "r")};
  const Tensor r = run_reference(graph, std::vector<Tensor>{x}, watch).back();
  for (int64_t unit = 0; unit < 4; ++unit) {
    double expected = 0;
    for (int64_t e = 0; e < r.size(); ++e) {
      if (e / 16 % 4 == unit) expected += r.as<float>()[e] / 48;
    }
    EXPECT_NEAR(scores.units[groups.free[0].first_unit + unit], expected, 1e-5);
  }
}

TEST(Activations, without_data_the_criterion_says_what_it_lacks) {
  const Graph graph = parse_text_graph(kNet);
  try {
    score_units(graph, find_groups(graph), kMeanActivation, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("'mean-activation' looks at how channels respond"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
