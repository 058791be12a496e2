// What is collected from a running net equals plain loops over what the reference computes.

#include "evidence/collector.h"

#include <gtest/gtest.h>
#include <omp.h>

#include "core/error.h"
#include "core/random.h"
#include "evidence/plain_loops.h"
#include "graph/infer.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "runtime/reference.h"
#include "support/graphs/random_layers.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Runtime and reference differ by this at most on these nets (runtime/differential_test.cpp);
// squares of it count twice.
constexpr double kTolerance = 4e-4;

constexpr Reduction kSums[] = {Reduction::mean, Reduction::variance, Reduction::mean_absolute,
                               Reduction::zero_share, Reduction::largest};
constexpr Reduction kOthers[] = {Reduction::covariance, Reduction::pooled, Reduction::samples};

std::vector<double> numbers_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::f64) {
    return {tensor.as<double>().begin(), tensor.as<double>().end()};
  }
  return {tensor.as<float>().begin(), tensor.as<float>().end()};
}

void expect_close(const std::vector<double>& actual, const std::vector<double>& expected,
                  double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  double largest = 1e-6;
  for (const double x : expected) largest = std::max(largest, std::fabs(x));
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << "element " << i;
  }
}

// Runs twice on different inputs. The values that the reference computed, by value and run.
struct Ran {
  Evidence evidence;
  std::vector<plain::Values> values;
};

Ran run(const Graph& graph, const std::vector<ValueId>& watched,
        const std::vector<EvidenceRequest>& requests) {
  Collector collector(graph, requests);
  Executable executable = compile(graph, {}, {.threads = 1}, collector.observation());
  Ran ran;
  ran.values.resize(watched.size());
  for (const uint64_t seed : {1, 2}) {
    const std::vector<Tensor> inputs = random_inputs(executable, seed);
    executable.run(inputs);
    const std::vector<Tensor> computed = run_reference(graph, inputs, watched);
    for (size_t i = 0; i < watched.size(); ++i) {
      ran.values[i].push_back(computed[graph.outputs.size() + i]);
    }
  }
  ran.evidence = collector.finish();
  return ran;
}

struct Asked {
  std::vector<ValueId> values;
  std::vector<EvidenceRequest> requests;
  std::vector<size_t> of;  // by request, into `values`
};

// All reductions of some values, along any axis.
Asked ask(const Graph& graph, Random& random) {
  Asked asked;
  const Inferred inferred = infer(graph);
  for (const Node& node : graph.nodes) {
    const ValueId id = node.outputs[0];
    if (inferred.types[id]->dtype != DType::f32 || inferred.shape(id).empty()) continue;
    if (element_count(inferred.shape(id)) == 0 || random.below(2) == 0) continue;
    const auto rank = static_cast<uint64_t>(std::ssize(inferred.shape(id)));
    const auto axis =
        static_cast<int64_t>(rank > 1 && random.below(4) > 0 ? 1 : random.below(rank));
    asked.values.push_back(id);
    const auto add = [&](Reduction reduction) {
      asked.requests.push_back({graph.value(id).name, reduction, axis, 3, 7});
      asked.of.push_back(asked.values.size() - 1);
    };
    for (const Reduction reduction : kSums) add(reduction);
    if (axis == 0) continue;
    for (const Reduction reduction : kOthers) add(reduction);
  }
  return asked;
}

TEST(Collector, of_random_nets_equals_plain_loops_over_the_reference) {
  int64_t compared = 0;
  for (uint64_t seed = 0; seed < 150 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Graph graph = random_layers([&](uint64_t bound) { return random.below(bound); });
    const Asked asked = ask(graph, random);
    const Ran ran = run(graph, asked.values, asked.requests);
    for (size_t r = 0; r < asked.requests.size(); ++r) {
      const EvidenceRequest& request = asked.requests[r];
      if (request.reduction == Reduction::zero_share) continue;  // below: rounding decides here
      SCOPED_TRACE(request.value + ", reduction " +
                   std::to_string(static_cast<int>(request.reduction)));
      expect_close(numbers_of(ran.evidence.at(request)),
                   plain::reduce(ran.values[asked.of[r]], request), kTolerance);
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000);
}

constexpr char kNet[] = R"(
  input x float32 [N, 3, 9, 11]
  const w float32 [21, 3, 3, 3] random
  const v float32 [5, 21, 3, 2] random
  c = Conv(x, w) {pads=[1, 1, 1, 1]}
  r = Relu(c)
  y = Conv(r, v) {strides=[2, 1], dilations=[1, 2], pads=[1, 0, 0, 2]}
  output y
)";

// What Conv `y` of kNet reads through.
Window window() {
  return {.kernel = {3, 2}, .strides = {2, 1}, .dilations = {1, 2}, .begin = {1, 0}, .end = {0, 2}};
}

TEST(Collector, zeros_are_counted_exactly) {
  const Graph graph = parse_text_graph(kNet);
  const EvidenceRequest request{"r", Reduction::zero_share};
  const Ran ran = run(graph, {*find_value(graph, "r")}, {request});
  const auto share = ran.evidence.numbers(request);
  expect_close({share.begin(), share.end()}, plain::reduce(ran.values[0], request), 1e-12);
  EXPECT_GT(share[0], 0.05);
}

TEST(Collector, patches_are_what_a_conv_reads_for_the_positions_of_its_samples) {
  const Graph graph = parse_text_graph(kNet);
  const EvidenceRequest patches{"y", Reduction::patches, 1, 6, 3},
      outputs{"y", Reduction::samples, 1, 6, 3};
  const Ran ran =
      run(graph, {*find_value(graph, "r"), *find_value(graph, "y")}, {patches, outputs});
  const Tensor &x = ran.evidence.at(patches), &y = ran.evidence.at(outputs);
  EXPECT_EQ(x.shape(), (Shape{12, 21 * 6}));
  EXPECT_EQ(y.shape(), (Shape{12, 5}));
  expect_close(numbers_of(x), plain::patches(ran.values[0], patches, window()), kTolerance);
  const auto weight = graph.value(*find_value(graph, "v")).constant->as<float>();
  for (int64_t row = 0; row < 12; ++row) {
    for (int64_t o = 0; o < 5; ++o) {
      double sum = 0;
      for (int64_t k = 0; k < 126; ++k) sum += x.as<float>()[row * 126 + k] * weight[o * 126 + k];
      EXPECT_NEAR(y.as<float>()[row * 5 + o], sum, 1e-3);
    }
  }
}

TEST(Collector, patches_of_a_gemm_are_its_input_rows) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 7]
    const w float32 [7, 4] random
    r = Relu(x)
    y = Gemm(r, w)
    output y
  )");
  const EvidenceRequest patches{"y", Reduction::patches, 1, 5, 0};
  const Ran ran = run(graph, {*find_value(graph, "r")}, {patches});
  EXPECT_EQ(ran.evidence.at(patches).shape(), (Shape{2, 7}));
  EXPECT_EQ(ran.evidence.at(patches).as<float>()[0], ran.values[0][0].as<float>()[0]);
}

// Blocks, rows, short rows and channels at the end, of any size, told to a collector directly.
TEST(Collector, the_number_of_threads_changes_no_bit) {
  const Graph graph = parse_text_graph("input x float32 [N, 6, 5, 7]\noutput x");
  for (const Shape& shape :
       {Shape{33, 13, 6, 7}, Shape{5, 200, 3, 1}, Shape{7, 9}, Shape{1, 40, 50}}) {
    for (int64_t axis = 1; axis < std::ssize(shape); ++axis) {
      Tensor tensor = Tensor::zeros(DType::f32, shape);
      Random(4).fill_normal(tensor.mutate<float>(), 2);
      std::vector<Evidence> found;
      std::vector<EvidenceRequest> requests;
      for (const Reduction r : kSums) requests.push_back({"x", r, axis});
      for (const Reduction r : kOthers) requests.push_back({"x", r, axis, 2, 0});
      for (const int threads : {1, 3}) {
        omp_set_num_threads(threads);
        Collector collector(graph, requests);
        const Observation observation = collector.observation();
        for (int run = 0; run < 3; ++run) {
          observation.see(0, {tensor.as<float>().data(), tensor.shape()});
        }
        found.push_back(collector.finish());
      }
      for (const EvidenceRequest& request : requests) {
        EXPECT_EQ(found[0].at(request), found[1].at(request));
        expect_close(numbers_of(found[0].at(request)),
                     plain::reduce({tensor, tensor, tensor}, request), 1e-5);
      }
    }
  }
}

TEST(Collector, a_mean_far_from_zero_costs_the_variance_no_digits) {
  const Graph graph = parse_text_graph("input x float32 [N, 2, 40, 40]\noutput x");
  Tensor tensor = Tensor::zeros(DType::f32, {8, 2, 40, 40});
  Random(1).fill_normal(tensor.mutate<float>(), 1);
  for (float& a : tensor.mutate<float>()) a += 10000;
  const std::vector<EvidenceRequest> requests{{"x", Reduction::variance},
                                              {"x", Reduction::covariance}};
  Collector collector(graph, requests);
  collector.observation().see(0, {tensor.as<float>().data(), tensor.shape()});
  const Evidence evidence = collector.finish();
  for (const EvidenceRequest& request : requests) {
    expect_close(numbers_of(evidence.at(request)), plain::reduce({tensor}, request), 1e-6);
  }
}

void expect_refused(const std::string& text, const EvidenceRequest& request,
                    const std::string& words) {
  try {
    run(parse_text_graph(text), {}, {request});
    FAIL() << "expected: " << words;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Collector, says_what_cannot_be_measured_and_why) {
  expect_refused(kNet, {"z", Reduction::mean}, "value 'z': the model has none of that name");
  expect_refused(kNet, {"r", Reduction::mean, 4}, "value 'r': axis 4, found the shape 1x21x9x11");
  expect_refused(kNet, {"r", Reduction::pooled, 0}, "axis 0 counts images");
  expect_refused(kNet, {"r", Reduction::patches, 1, 1}, "it is computed by node 'r' (Relu)");
  expect_refused(kNet, {"y", Reduction::samples}, "expected at least one point");
  expect_refused(R"(
    input x float32 [N, 3]
    const zero float32 [3] = 1 0 1
    y = Div(x, zero)
    output y
  )",
                 {"y", Reduction::zero_share}, "value 'y', channel 1: found a NaN or an infinity");
}

}  // namespace
}  // namespace coppice
