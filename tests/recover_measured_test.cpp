// Compensating from what was measured: exact on what it was measured on, also where the model says
// nothing of itself, and the cut still computes what the masked graph does.

#include <gtest/gtest.h>

#include "evidence/collector.h"
#include "prune/compensate/compensation.h"
#include "runtime/executable.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"

namespace coppice {
namespace {

const CompensationOptions kAll{.bias = true, .merge = true, .scale = true};

// Evidence of these inputs, which all lie in one batch.
Measure measure_on(const std::vector<Tensor>& inputs) {
  return [inputs](const Graph& graph, std::span<const EvidenceRequest> requests) {
    Collector collector(graph, requests);
    compile(graph, sizes_of(graph, inputs), {.threads = 1}, collector.observation()).run(inputs);
    return collector.finish();
  };
}

struct Net {
  Graph graph;
  Groups groups;
  Removal removal;
  std::vector<Tensor> inputs;
  Tensor original;

  Net(const std::string& text, std::vector<int64_t> leave) : graph(parse_text_graph(text)) {
    groups = find_groups(graph);
    removal.assign(groups.unit_count, 0);
    for (const int64_t unit : leave) removal[unit] = 1;
    Random random(1);
    inputs = random_inputs(graph, 40, random);
    original = run_reference(graph, inputs)[0];
  }

  // The masked net's output after recovering so.
  Tensor masked(CompensationOptions options, Compensated* found = nullptr) const {
    Graph changed = graph;
    Groups with_biases = groups;
    options.measure = measure_on(inputs);
    const Compensated recovered = compensate(changed, with_biases, removal, options);
    if (found) *found = recovered;
    mask_units(changed, with_biases, removal);
    return run_reference(changed, inputs)[0];
  }
};

// Nothing is known of this net without data.
constexpr char kFolded[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [6, 2, 3, 3] random
  const b float32 [6] random
  const v float32 [4, 6, 1, 1] random
  c = Conv(x, w, b)
  r = Relu(c)
  y = Conv(r, v)
  output y
)";

double mean_square(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a.as<float>()[i]) - b.as<float>()[i];
    sum += d * d / static_cast<double>(a.size());
  }
  return sum;
}

double largest_mean_shift(const Tensor& a, const Tensor& b) {
  const int64_t channels = a.shape()[1], pixels = a.shape()[2] * a.shape()[3];
  std::vector<double> shift(channels, 0);
  for (int64_t i = 0; i < a.size(); ++i) {
    shift[i / pixels % channels] += static_cast<double>(a.as<float>()[i]) - b.as<float>()[i];
  }
  double largest = 0;
  for (const double s : shift) {
    largest = std::max(
        largest, std::fabs(s) * static_cast<double>(channels) / static_cast<double>(a.size()));
  }
  return largest;
}

TEST(CompensateMeasured, biases_keep_the_mean_of_every_output_over_what_was_measured) {
  const Net net(kFolded, {1, 4});
  Compensated found;
  EXPECT_GT(largest_mean_shift(net.masked({}), net.original), 0.05);
  EXPECT_LT(largest_mean_shift(net.masked({.bias = true}, &found), net.original), 1e-5);
  EXPECT_EQ(found, (Compensated{.layers = 1, .bias = 1}));
}

TEST(CompensateMeasured, merging_is_better_than_biases_alone_and_they_are_better_than_nothing) {
  const Net net(kFolded, {1, 4});
  const double nothing = mean_square(net.masked({}), net.original);
  const double bias = mean_square(net.masked({.bias = true}), net.original);
  const double merged = mean_square(net.masked({.merge = true}), net.original);
  EXPECT_LT(bias, 0.8 * nothing);
  EXPECT_LT(merged, 0.9 * bias);
}

TEST(CompensateMeasured, merging_is_the_least_squares_of_what_was_measured) {
  const Net net(kFolded, {2});
  const double least = mean_square(net.masked({.merge = true}), net.original);
  // No other weight of a kept channel does better.
  Graph changed = net.graph;
  Groups groups = net.groups;
  compensate(changed, groups, net.removal, {.merge = true, .measure = measure_on(net.inputs)});
  mask_units(changed, groups, net.removal);
  Tensor& weight = *changed.value(*find_value(changed, "v")).constant;
  for (const int64_t i : {0, 7, 15, 22}) {  // none of channel 2
    for (const float step : {-0.02f, 0.02f}) {
      weight.mutate<float>()[i] += step;
      EXPECT_GT(mean_square(run_reference(changed, net.inputs)[0], net.original), least);
      weight.mutate<float>()[i] -= step;
    }
  }
}

TEST(CompensateMeasured, each_position_behind_a_flatten_counts_by_itself) {
  const Net net(R"(
    input x float32 [N, 2, 4, 4]
    const w float32 [4, 2, 3, 3] random
    const v float32 [16, 5] random
    const b float32 [5] random
    const shape int64 [4] = 0 5 1 1
    c = Conv(x, w)
    r = Relu(c)
    f = Flatten(r)
    g = Gemm(f, v, b)
    y = Reshape(g, shape)
    output y
  )",
                {3});
  Compensated found;
  EXPECT_LT(largest_mean_shift(net.masked({.bias = true}, &found), net.original), 1e-5);
  EXPECT_EQ(found, (Compensated{.layers = 1, .bias = 1}));
}

TEST(CompensateMeasured, only_layers_that_lose_inputs_are_measured) {
  const Net net(R"(
    input x float32 [N, 2, 6, 6]
    const w float32 [6, 2, 3, 3] random
    const v float32 [4, 6, 1, 1] random
    const u float32 [3, 4, 1, 1] random
    c = Conv(x, w)
    r = Relu(c)
    d = Conv(r, v)
    s = Relu(d)
    y = Conv(s, u)
    output y
  )",
                {0});
  std::vector<std::string> asked;
  const Measure measure = [&](const Graph& graph, std::span<const EvidenceRequest> requests) {
    for (const EvidenceRequest& request : requests) asked.push_back(request.value);
    return measure_on(net.inputs)(graph, requests);
  };
  Graph graph = net.graph;
  Groups groups = net.groups;
  compensate(graph, groups, net.removal, {.bias = true, .measure = measure});
  EXPECT_EQ(asked, (std::vector<std::string>{"r", "r"}));
}

TEST(CompensateMeasured, on_random_graphs_the_cut_still_equals_the_mask) {
  int64_t corrected = 0, known_without = 0;
  for (uint64_t seed = 0; seed < 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    Groups groups = find_groups(graph);
    if (groups.unit_count == 0) continue;
    Random random(seed);
    const Removal removal = random_removal(groups, 0.4, random);
    Graph without = graph;
    Groups without_groups = groups;
    known_without += compensate(without, without_groups, removal, kAll).bias;
    CompensationOptions options = kAll;
    options.measure = measure_on(random_inputs(graph, 2, random));
    corrected += compensate(graph, groups, removal, options).bias;
    expect_cut_equals_mask(graph, groups, removal, random);
  }
  EXPECT_GT(corrected, 2 * known_without);
}

}  // namespace
}  // namespace coppice
