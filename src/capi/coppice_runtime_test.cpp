// The C API as its callers see it: linked from the shared library, whose functions throw nothing.
#include "capi/coppice_runtime.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/files.h"
#include "core/numbers/half.h"
#include "core/random.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;

struct Close {
  void operator()(coppice_model* model) const { coppice_close(model); }
};
using Handle = std::unique_ptr<coppice_model, Close>;

Handle open(const std::string& path, coppice_options options) {
  coppice_model* model = nullptr;
  options.cache_folder = "";
  EXPECT_EQ(coppice_open(path.c_str(), &options, &model), COPPICE_OK) << coppice_error_text();
  return Handle(model);
}

Handle open(const std::string& path, int threads = 1) {
  coppice_options options = COPPICE_OPTIONS_INIT;
  options.threads = threads;
  return open(path, options);
}

coppice_tensor_info info_of(const Handle& model, bool input, size_t index = 0) {
  coppice_tensor_info info;
  EXPECT_EQ((input ? coppice_input_info : coppice_output_info)(model.get(), index, &info),
            COPPICE_OK);
  return info;
}

// Of one input and one output, of floats.
std::vector<float> run(const Handle& model, const std::vector<float>& x) {
  std::vector<float> y(info_of(model, false).bytes / sizeof(float), -1);
  const coppice_input input{x.data(), x.size() * sizeof(float)};
  const coppice_output output{y.data(), y.size() * sizeof(float)};
  EXPECT_EQ(coppice_run(model.get(), &input, 1, &output, 1), COPPICE_OK) << coppice_error_text();
  return y;
}

std::vector<float> numbers(const Handle& model, uint64_t seed) {
  std::vector<float> x(info_of(model, true).bytes / sizeof(float));
  Random random = Random::stream(seed, {});
  for (float& number : x) number = random.normal();
  return x;
}

// Layers of oneDNN's, of our own loops, and one that has but a reference kernel; its convolution
// has zeros for the sparse loops.
constexpr char kNet[] = R"(
  input x float32 [N, 8, 16, 16]
  const w float32 [32, 8, 3, 3] random
  const v float32 [10, 32] random
  a = Conv(x, w) {pads=[1, 1, 1, 1]}
  b = Relu(a)
  c = Erf(b)
  d = GlobalAveragePool(c)
  e = Flatten(d)
  y = Gemm(e, v) {transB=1}
  output y
)";

Graph sparse_net() {
  Graph graph = parse_text_graph(kNet);
  const auto w = graph.value(*find_value(graph, "w")).constant->mutate<float>();
  for (size_t i = 0; i < w.size(); ++i) w[i] = i % 10 == 0 ? w[i] : 0;
  return graph;
}

class CApi : public testing::Test {
 protected:
  std::string write(const Graph& graph, const std::string& name = "m.onnx") {
    write_onnx(graph, dir / name);
    return dir / name;
  }
  // Opening is refused with this status and a text with that part.
  static void expect_refused(const std::string& path, const coppice_options* options,
                             coppice_status status, const std::string& part) {
    auto* const untouched = reinterpret_cast<coppice_model*>(16);
    coppice_model* model = untouched;
    EXPECT_EQ(coppice_open(path.c_str(), options, &model), status);
    EXPECT_EQ(model, untouched);
    EXPECT_THAT(coppice_error_text(), HasSubstr(part));
  }
  TempDir dir;
};

TEST_F(CApi, says_what_inputs_and_outputs_are_like) {
  const Handle model = open("zoo:lenet5");
  EXPECT_EQ(coppice_runtime_abi(), COPPICE_RUNTIME_ABI);
  EXPECT_THAT(coppice_runtime_version(), testing::MatchesRegex("[0-9.]+"));
  ASSERT_EQ(coppice_input_count(model.get()), 1u);
  ASSERT_EQ(coppice_output_count(model.get()), 1u);
  const coppice_tensor_info input = info_of(model, true);
  EXPECT_STREQ(input.name, "input");
  EXPECT_EQ(input.type, COPPICE_FLOAT32);
  EXPECT_EQ(std::vector<int64_t>(input.sizes, input.sizes + input.rank),
            (std::vector<int64_t>{1, 1, 28, 28}));
  EXPECT_EQ(input.bytes, 28u * 28u * 4u);
  EXPECT_EQ(info_of(model, false).bytes, 40u);
}

TEST_F(CApi, computes_what_the_runtime_computes_at_any_batch) {
  const Graph graph = sparse_net();
  const std::string path = write(graph);
  for (const int64_t batch : {1, 3}) {
    coppice_options options = COPPICE_OPTIONS_INIT;
    options.batch = batch;
    const Handle model = open(path, options);
    const std::vector<float> x = numbers(model, 1), y = run(model, x);
    Executable executable = compile(graph, {.inputs = {}, .batch = batch});
    const Tensor input = Tensor::of<float>(executable.input_shape(0), x);
    const Tensor expected = executable.run(std::vector<Tensor>{input}).front();
    ASSERT_EQ(expected.size(), std::ssize(y));
    for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected.as<float>()[i], 1e-4);
  }
}

TEST_F(CApi, one_model_is_run_by_several_threads_at_once_with_the_same_bits) {
  constexpr int kThreads = 4, kRuns = 500;
  const std::string path = write(sparse_net());
  for (const int threads_of_a_run : {1, 2}) {
    const Handle model = open(path, threads_of_a_run);
    std::vector<std::vector<float>> inputs, expected;
    for (int t = 0; t < kThreads; ++t) {
      inputs.push_back(numbers(model, t));
      expected.push_back(run(model, inputs.back()));
    }
    std::vector<int> wrong(kThreads, 0);
    std::vector<std::thread> threads;
    std::latch together(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        together.arrive_and_wait();
        for (int i = 0; i < kRuns; ++i) wrong[t] += run(model, inputs[t]) != expected[t];
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
  }
}

TEST_F(CApi, models_are_opened_run_and_closed_by_several_threads_at_once) {
  const std::string path = write(sparse_net());
  const Handle one = open(path);
  const std::vector<float> x = numbers(one, 1), expected = run(one, x);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const std::vector<float> y = run(open(path), x);
      for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-5);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CApi, halves_are_floats_for_the_caller) {
  const Handle model = open(write(parse_text_graph(R"(
    input x float16 [N, 2]
    y = Relu(x)
    output y float16
  )")));
  EXPECT_EQ(info_of(model, true).type, COPPICE_FLOAT32);
  EXPECT_EQ(run(model, {-1, 2}), (std::vector<float>{0, 2}));
}

TEST_F(CApi, buffers_of_another_size_or_number_are_refused_and_the_model_runs_on) {
  const Handle model = open("zoo:lenet5");
  const std::vector<float> x = numbers(model, 1);
  float y[10] = {};
  const auto refused = [&](coppice_input input, size_t inputs, coppice_output output,
                           const std::string& part) {
    EXPECT_EQ(coppice_run(model.get(), &input, inputs, &output, 1), COPPICE_ERROR_USAGE);
    EXPECT_THAT(coppice_error_text(), HasSubstr(part));
  };
  const size_t bytes = x.size() * sizeof(float);
  refused({x.data(), bytes - 4}, 1, {y, 40},
          "input 'input' is given as 3132 bytes, expected 3136 bytes: float32 1x1x28x28");
  refused({x.data(), bytes}, 2, {y, 40}, "2 inputs are given, expected 1");
  refused({x.data(), bytes}, 1, {y, 44}, "output 'output' is given as 44 bytes, expected 40");
  refused({nullptr, bytes}, 1, {y, 40}, "'input' is given as NULL");
  refused({x.data(), bytes}, 1, {nullptr, 40}, "'output' is given as NULL");
  EXPECT_EQ(run(model, x).size(), 10u);
  coppice_tensor_info info;
  EXPECT_EQ(coppice_input_info(model.get(), 1, &info), COPPICE_ERROR_USAGE);
  EXPECT_THAT(coppice_error_text(), HasSubstr("input 1 of a model that has 1"));
}

TEST_F(CApi, what_cannot_be_opened_is_said_and_changes_nothing) {
  expect_refused(dir / "gone.onnx", nullptr, COPPICE_ERROR_INPUT, "gone.onnx");
  write_text(dir / "bad.onnx", "no model");
  expect_refused(dir / "bad.onnx", nullptr, COPPICE_ERROR_INPUT, "bad.onnx");
  Graph odd = parse_text_graph("input x float32 [N, 4]\nb = Mystery(x)\noutput b");
  expect_refused(write(odd, "odd.onnx"), nullptr, COPPICE_ERROR_UNSUPPORTED, "(Mystery)");
  EXPECT_EQ(coppice_open(nullptr, nullptr, nullptr), COPPICE_ERROR_USAGE);
  EXPECT_THAT(coppice_error_text(), HasSubstr("path is NULL"));
  coppice_close(nullptr);
  EXPECT_EQ(coppice_input_count(nullptr), 0u);
}

TEST_F(CApi, options_are_checked_and_open_sizes_are_asked_for) {
  const std::string path = write(parse_text_graph(R"(
    input x float32 [N, 3, H, W]
    y = Relu(x)
    output y
  )"));
  expect_refused(path, nullptr, COPPICE_ERROR_INPUT, "say its sizes in input_shapes");
  const char* shapes[] = {"x=1x3x5x7"};
  coppice_options options = COPPICE_OPTIONS_INIT;
  options.input_shapes = shapes;
  options.input_shape_count = 1;
  options.batch = 2;
  EXPECT_EQ(info_of(open(path, options), true).bytes, 2u * 3u * 5u * 7u * 4u);
  shapes[0] = "z=1x3x5x7";
  expect_refused(path, &options, COPPICE_ERROR_USAGE, "'z'");
  shapes[0] = nullptr;
  expect_refused(path, &options, COPPICE_ERROR_USAGE, "input_shapes is NULL");
  options = COPPICE_OPTIONS_INIT;
  options.threads = -1;
  expect_refused(path, &options, COPPICE_ERROR_USAGE, "-1 threads");
  options = COPPICE_OPTIONS_INIT;
  options.size = 8;
  expect_refused(path, &options, COPPICE_ERROR_USAGE, "COPPICE_OPTIONS_INIT");
  options = COPPICE_OPTIONS_INIT;
  options.batch = 4;
  const Graph fixed = parse_text_graph("input x float32 [2, 3]\ny = Relu(x)\noutput y");
  expect_refused(write(fixed), &options, COPPICE_ERROR_USAGE, "fixed at 2");
}

TEST_F(CApi, every_thread_has_an_error_text_of_its_own) {
  expect_refused(dir / "gone.onnx", nullptr, COPPICE_ERROR_INPUT, "gone.onnx");
  std::string other = "not asked";
  std::thread([&] { other = coppice_error_text(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_THAT(coppice_error_text(), HasSubstr("gone.onnx"));
}

}  // namespace
}  // namespace coppice
