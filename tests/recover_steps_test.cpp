// Recovering step by step on the net that is cut: exact where the kept channels say all, harmless
// where they don't or where images are few, kept only where held-out images gain, and always
// something that cutting and masking agree on.

#include <gtest/gtest.h>

#include <algorithm>

#include "evidence/collector.h"
#include "prune/compensate/change_basis.h"
#include "prune/compensate/match_moments.h"
#include "prune/compensate/recover.h"
#include "prune/compensate/refit_layers.h"
#include "runtime/executable.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

// Evidence of these inputs, which all lie in one batch.
Measure measure_on(const std::vector<Tensor>& inputs) {
  return [inputs](const Graph& graph, std::span<const EvidenceRequest> requests) {
    Collector collector(graph, requests);
    compile(graph, sizes_of(graph, inputs), {.threads = 1}, collector.observation()).run(inputs);
    return collector.finish();
  };
}

std::vector<Tensor> images(const Graph& graph, int64_t count, uint64_t seed) {
  Random random(seed);
  return random_inputs(graph, count, random);
}

struct Net {
  Graph graph;
  Groups groups;
  Removal removal;

  // `leave`: units, by number.
  Net(const Graph& from, const std::vector<int64_t>& leave) : graph(from) {
    groups = find_groups(graph);
    removal.assign(groups.unit_count, 0);
    for (const int64_t unit : leave) removal[unit] = 1;
  }
  Graph cut() const {
    Graph smaller = graph;
    remove_units(smaller, groups, removal);
    return smaller;
  }
};

double mean_square(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a.as<float>()[i]) - b.as<float>()[i];
    sum += d * d / static_cast<double>(a.size());
  }
  return sum;
}

double error_of(const Graph& net, const Graph& original, const std::vector<Tensor>& inputs) {
  const Tensor wanted = run_reference(original, inputs)[0];
  return mean_square(run_reference(net, inputs)[0], wanted) /
         mean_square(wanted, Tensor::zeros(DType::f32, wanted.shape()));
}

// Filter `to` becomes `factor` times filter `from`.
void repeat_filter(Graph& graph, const std::string& name, int64_t to, int64_t from, float factor) {
  Tensor& weight = *graph.value(*find_value(graph, name)).constant;
  const int64_t size = weight.size() / weight.shape()[0];
  const auto element = weight.mutate<float>();
  for (int64_t i = 0; i < size; ++i) element[to * size + i] = factor * element[from * size + i];
}

// Channels 4 and 5 of r are multiples of 0 and 1, also behind the depthwise layer.
Graph redundant_net() {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 2, 6, 6]
    const w float32 [6, 2, 3, 3] random
    const d float32 [6, 1, 3, 3] random
    const v float32 [4, 6, 1, 1] random
    const u float32 [3, 4, 3, 3] random
    c = Conv(x, w)
    r = Relu(c)
    e = Conv(r, d) {group=6, pads=[1, 1, 1, 1]}
    f = Relu(e)
    s = Conv(f, v)
    t = Relu(s)
    y = Conv(t, u)
    output y
  )");
  for (const char* name : {"w", "d"}) {
    repeat_filter(graph, name, 4, 0, *name == 'w' ? 2.0f : 1.0f);
    repeat_filter(graph, name, 5, 1, *name == 'w' ? 0.5f : 1.0f);
  }
  return graph;
}

TEST(RecoverSteps, channels_that_are_sums_of_others_are_missed_by_nobody_after_least_squares) {
  Net net(redundant_net(), {4, 5});
  const Graph original = net.graph;
  const auto seen = images(original, 60, 1), others = images(original, 10, 2);
  EXPECT_GT(error_of(net.cut(), original, others), 0.05);
  const ChangedCounts found =
      refit_layers(original, net.graph, net.groups, net.removal, measure_on(seen));
  EXPECT_EQ(found.unknown, 0);
  EXPECT_LT(error_of(net.cut(), original, others), 1e-6);
}

// A stream of six channels that hold four numbers, written by two layers and read by two.
std::string stream_text(bool normalised) {
  const std::string norm = R"(
    const s1 float32 [6] positive
    const b1 float32 [6] random
    const m1 float32 [6] random
    const v1 float32 [6] positive
    const s2 float32 [6] positive
    const b2 float32 [6] random
    const m2 float32 [6] random
    const v2 float32 [6] positive
    p = BatchNormalization(a, s1, b1, m1, v1)
    q = BatchNormalization(b, s2, b2, m2, v2)
  )";
  return std::string(R"(
    input x float32 [N, 3, 6, 6]
    const w1 float32 [6, 3, 1, 1] random
    const w2 float32 [6, 5, 1, 1] random
    const e float32 [5, 6, 3, 3] random
    const f float32 [4, 6, 1, 1] random
    a = Conv(x, w1)
  )") + (normalised ? norm.substr(0, norm.find("    q =")) : "    p = Identity(a)\n") +
         R"(
    g = Conv(p, e) {pads=[1, 1, 1, 1]}
    h = Relu(g)
    b = Conv(h, w2)
)" + (normalised ? norm.substr(norm.find("    q =")) : "    q = Identity(b)\n") +
         R"(
    z = Add(p, q)
    y = Conv(z, f)
    output y
  )";
}

TEST(RecoverSteps, another_basis_leaves_the_net_the_same_function) {
  for (const bool normalised : {false, true}) {
    SCOPED_TRACE(normalised);
    Net net(parse_text_graph(stream_text(normalised)), {0, 3});
    const Graph original = net.graph;
    ASSERT_EQ(net.groups.free[0].units(), 6);
    const Measure measure = measure_on(images(original, 20, 1));
    EXPECT_EQ(change_basis(net.graph, net.groups, net.removal, measure), 1);
    EXPECT_NE(*net.graph.value(*find_value(net.graph, "w1")).constant,
              *original.value(*find_value(original, "w1")).constant);
    EXPECT_LT(error_of(net.graph, original, images(original, 5, 2)), 1e-8);
  }
}

TEST(RecoverSteps, in_another_basis_a_stream_loses_nothing_but_what_it_repeats) {
  Graph graph = parse_text_graph(stream_text(false));
  for (const char* name : {"w1", "w2"}) {  // any two of the six can leave
    repeat_filter(graph, name, 4, 0, 1);
    repeat_filter(graph, name, 5, 1, -1);
  }
  Net net(graph, {1, 2});  // 2 is like no other
  const auto seen = images(graph, 60, 1), others = images(graph, 10, 2);
  const Measure measure = measure_on(seen);
  Net without = net;
  refit_layers(graph, without.graph, without.groups, without.removal, measure);
  EXPECT_GT(error_of(without.cut(), graph, others), 1e-3);
  ASSERT_EQ(change_basis(net.graph, net.groups, net.removal, measure), 1);
  const Graph original = net.graph;
  refit_layers(original, net.graph, net.groups, net.removal, measure);
  EXPECT_LT(error_of(net.cut(), graph, others), 1e-5);
}

TEST(RecoverSteps, a_stream_behind_an_activation_keeps_its_basis) {
  Net net(redundant_net(), {4});
  const Measure never = [](const Graph&, std::span<const EvidenceRequest>) -> Evidence {
    ADD_FAILURE() << "measured";
    return {};
  };
  EXPECT_EQ(change_basis(net.graph, net.groups, net.removal, never), 0);
}

struct Spread {
  std::vector<double> mean, variance;
  Spread(const Tensor& y) : mean(y.shape()[1], 0), variance(y.shape()[1], 0) {
    const int64_t channels = y.shape()[1], inner = y.size() / y.shape()[0] / channels;
    const double share = static_cast<double>(channels) / static_cast<double>(y.size());
    for (int64_t i = 0; i < y.size(); ++i) mean[i / inner % channels] += share * y.as<float>()[i];
    for (int64_t i = 0; i < y.size(); ++i) {
      const double d = y.as<float>()[i] - mean[i / inner % channels];
      variance[i / inner % channels] += share * d * d;
    }
  }
};

TEST(RecoverSteps, means_and_variances_come_back_with_and_without_batch_normalisation) {
  for (const char* layer : {"y = Conv(r, v)", R"(n = Conv(r, v)
                            y = BatchNormalization(n, scale, shift, mean, variance))"}) {
    Net net(parse_text_graph(std::string(R"(
      input x float32 [N, 2, 6, 6]
      const w float32 [6, 2, 3, 3] random
      const v float32 [4, 6, 1, 1] random
      const scale float32 [4] positive
      const shift float32 [4] random
      const mean float32 [4] random
      const variance float32 [4] positive
      c = Conv(x, w)
      r = Relu(c)
      )") + layer + "\n      output y\n"),
            {1, 4});
    const Graph original = net.graph;
    const auto seen = images(original, 30, 1);
    match_moments(original, net.graph, net.groups, net.removal, measure_on(seen));
    const Spread wanted(run_reference(original, seen)[0]), found(run_reference(net.cut(), seen)[0]);
    for (size_t c = 0; c < wanted.mean.size(); ++c) {
      EXPECT_NEAR(found.mean[c], wanted.mean[c], 1e-4);
      EXPECT_NEAR(found.variance[c] / wanted.variance[c], 1, 1e-3);
    }
  }
}

TEST(RecoverSteps, few_images_do_no_harm) {
  for (const int64_t count : {1, 2, 5, 6}) {
    SCOPED_TRACE(count);
    Graph graph = parse_text_graph(R"(
      input x float32 [N, 8]
      const w float32 [40, 8] random
      const v float32 [30, 40] random
      c = Gemm(x, w) {transB=1}
      r = Relu(c)
      y = Gemm(r, v) {transB=1}
      output y
    )");
    Net net(graph, {3});
    const auto others = images(graph, 200, 2);
    const double before = error_of(net.cut(), graph, others);
    refit_layers(graph, net.graph, net.groups, net.removal, measure_on(images(graph, count, 1)));
    EXPECT_LT(error_of(net.cut(), graph, others), 1.5 * before);
  }
}

RecoverOptions all_by(const std::vector<Tensor>& fitted, const std::vector<Tensor>& judging) {
  RecoverOptions options = RecoverOptions::all();
  options.measure = measure_on(fitted);
  options.judge = measure_on(judging);
  return options;
}

TEST(RecoverSteps, what_helps_is_kept_and_each_step_begins_where_the_last_that_was_kept_ended) {
  Net net(parse_text_graph(stream_text(true)), {0, 3});
  const Graph original = net.graph;
  const auto judging = images(original, 12, 3);
  const Recovered found =
      recover(net.graph, net.groups, net.removal, all_by(images(original, 40, 1), judging));
  ASSERT_FALSE(found.kept().empty());
  double error = -1;
  for (const RecoverStep& step : found.steps) {
    ASSERT_TRUE(step.before && step.after);
    EXPECT_EQ(step.kept, *step.after < *step.before) << step.name;
    if (step.kept && step.name != "basis") {
      if (error >= 0) {
        EXPECT_LE(*step.before, error + 1e-12) << step.name;
      }
      error = *step.after;
    }
  }
  const OutputError judge(original, measure_on(judging), Outputs::numbers);
  EXPECT_NEAR(judge.of(net.cut()), error, 1e-6);
}

TEST(RecoverSteps, a_step_that_hurts_on_held_out_images_is_not_kept) {
  Net net(redundant_net(), {0, 2});
  const Graph original = net.graph;
  // What is fitted to says that all channels are dead.
  std::vector<Tensor> black = images(original, 20, 1);
  for (float& x : black[0].mutate<float>()) x = 1e4f;
  const Recovered found =
      recover(net.graph, net.groups, net.removal, all_by(black, images(original, 20, 2)));
  for (const RecoverStep& step : found.steps) {
    EXPECT_EQ(step.kept, *step.after < *step.before) << step.name;
  }
  EXPECT_TRUE(std::ranges::any_of(found.steps, [](const auto& step) { return !step.kept; }));
  const auto others = images(original, 20, 2);
  const Net plain(original, {0, 2});
  EXPECT_LE(error_of(net.cut(), original, others), error_of(plain.cut(), original, others));
}

TEST(RecoverSteps, without_images_only_what_the_model_says_of_itself_is_used) {
  Net net(parse_text_graph(stream_text(true)), {0});
  const Recovered found = recover(net.graph, net.groups, net.removal, RecoverOptions::all());
  std::vector<std::string> names;
  for (const RecoverStep& step : found.steps) names.push_back(step.name);
  EXPECT_EQ(names, (std::vector<std::string>{"bias", "merge", "scale"}));
}

TEST(RecoverSteps, on_random_graphs_the_cut_still_equals_the_mask) {
  int64_t corrected = 0;
  for (uint64_t seed = 0; seed < 80 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    Groups groups = find_groups(graph);
    if (groups.unit_count == 0) continue;
    Random random(seed);
    const Removal removal = random_removal(groups, 0.4, random);
    RecoverOptions options = RecoverOptions::all();
    options.measure = measure_on(random_inputs(graph, 6, random));
    for (const RecoverStep& step : recover(graph, groups, removal, options).steps) {
      corrected += step.corrected;
    }
    expect_cut_equals_mask(graph, groups, removal, random);
  }
  EXPECT_GT(corrected, 100);
}

// Two distributions over two classes.
TEST(OutputError, of_classes_is_the_divergence_and_of_numbers_the_share_of_the_variance) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 2]
    const w float32 [2, 2] = 1 0 0 1
    y = MatMul(x, w)
    output y
  )");
  Graph other = graph;
  other.value(*find_value(other, "w")).constant = Tensor::of<float>({2, 2}, {2, 0, 0, 2});
  const std::vector<Tensor> inputs = {Tensor::of<float>({2, 2}, {0, 1, 1, 0})};
  const OutputError classes(graph, measure_on(inputs), Outputs::classes);
  EXPECT_NEAR(classes.of(graph), 0, 1e-12);
  const double p = 1 / (1 + std::exp(-1.0)), q = 1 / (1 + std::exp(-2.0));
  EXPECT_NEAR(classes.of(other), p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)), 1e-6);
  const OutputError numbers(graph, measure_on(inputs), Outputs::numbers);
  EXPECT_NEAR(numbers.of(other), 2, 1e-6);  // off by 1 twice, a variance of 1/4 four times
}

}  // namespace
}  // namespace coppice
