#include "runtime/executable.h"

#include "core/error.h"
#include "support/test_net.h"

namespace coppice {
namespace {

Graph small_graph() {
  TestNet net(1);
  const ValueId x = net.input({1, 3, 8, 8});
  const ValueId y = net.add("GlobalAveragePool", {net.add("Relu", {net.same_conv(x, 6)})});
  net.output(net.add("Gemm", {net.add("Flatten", {y}), net.weight({6, 4})}));
  net.graph.value(x).name = "image";
  (*net.graph.value(x).declared)[0] = {-1, "N"};
  return net.graph;
}

TEST(Executable, knows_its_inputs_and_outputs) {
  InputSizes sizes;
  sizes.batch = 3;
  const Executable executable = compile(small_graph(), sizes);
  EXPECT_EQ(executable.input_names(), std::vector<std::string>{"image"});
  EXPECT_EQ(executable.input_shape(0), (Shape{3, 3, 8, 8}));
  EXPECT_EQ(executable.output_shape(0), (Shape{3, 4}));
  EXPECT_EQ(executable.output_dtype(0), DType::f32);
  EXPECT_GT(executable.arena_bytes(), 0u);
}

TEST(Executable, says_what_is_wrong_with_an_input) {
  Executable executable = compile(small_graph());
  std::vector<Tensor> outputs = executable.allocate_outputs();
  const std::vector<Tensor> wrong{Tensor::zeros(DType::f32, {1, 3, 9, 8})};
  try {
    executable.run(wrong, outputs);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(),
                 "input 'image' is given as float32 1x3x9x8, but the model was "
                 "compiled for float32 1x3x8x8");
  }
  EXPECT_THROW(executable.run(std::vector<Tensor>{}, outputs), Error);
}

TEST(Executable, writes_to_the_callers_tensors_without_touching_copies_of_them) {
  Executable executable = compile(small_graph());
  std::vector<Tensor> outputs = executable.allocate_outputs();
  executable.run(random_inputs(executable, 1), outputs);
  const std::byte* const data = outputs[0].bytes().data();
  executable.run(random_inputs(executable, 2), outputs);
  EXPECT_EQ(outputs[0].bytes().data(), data);  // nothing was allocated
  const Tensor kept = outputs[0];
  const Tensor before = Tensor::of<float>(kept.shape(), kept.as<float>());
  executable.run(random_inputs(executable, 3), outputs);
  EXPECT_EQ(kept, before);
  EXPECT_FALSE(outputs[0] == kept);
}

TEST(Executable, gives_the_same_bytes_every_time_and_under_either_thread_count) {
  std::vector<Tensor> results;
  for (const int threads : {1, 1, 2}) {
    Target target;
    target.threads = threads;
    Executable executable = compile(small_graph(), {}, target);
    EXPECT_EQ(executable.threads(), threads);
    const std::vector<Tensor> inputs = random_inputs(executable, 1);
    for (int i = 0; i < 2; ++i) results.push_back(executable.run(inputs)[0]);
  }
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(results[i], results[0]);
  EXPECT_LE(relative_error(results[4], results[0]), kOrderTolerance);
}

TEST(Executable, times_its_layers_when_asked_to) {
  Target target;
  EXPECT_TRUE(compile(small_graph(), {}, target).layer_times().empty());
  target.profile = Target::Profile::on;
  Executable executable = compile(small_graph(), {}, target);
  executable.run(random_inputs(executable, 1));
  const std::vector<LayerTime> layers = executable.layer_times();
  EXPECT_EQ(kinds_of(layers).front(), "Conv+Relu");
  for (const LayerTime& layer : layers) EXPECT_GT(layer.ms, 0) << layer.kind;
}

TEST(Executable, runs_reference_kernels_through_the_same_interface) {
  const Graph graph = small_graph();
  Target target;
  target.kernels = Target::Kernels::reference;
  target.profile = Target::Profile::on;
  Executable executable = compile(graph, {}, target);
  const std::vector<Tensor> inputs = random_inputs(executable, 1);
  EXPECT_EQ(executable.run(inputs), run_reference(graph, inputs));
  EXPECT_EQ(executable.layer_times().size(), 1u);
}

TEST(Executable, can_be_moved_and_lives_on_without_the_graph) {
  auto graph = std::make_unique<Graph>(small_graph());
  Executable first = compile(*graph);
  const std::vector<Tensor> inputs = random_inputs(first, 1);
  const std::vector<Tensor> expected = run_reference(*graph, inputs);
  graph.reset();
  Executable second = std::move(first);
  expect_close(second.run(inputs), expected);
}

TEST(Executable, two_may_run_in_two_sizes_of_the_same_graph) {
  const Graph graph = small_graph();
  InputSizes sizes;
  sizes.batch = 5;
  Executable one = compile(graph), five = compile(graph, sizes);
  const std::vector<Tensor> a = random_inputs(one, 1), b = random_inputs(five, 1);
  expect_close(one.run(a), run_reference(graph, a));
  expect_close(five.run(b), run_reference(graph, b));
}

TEST(Latency, measures_at_least_the_asked_number_of_runs) {
  Executable executable = compile(small_graph());
  const Latency quick = measure_latency(executable, {.budget_seconds = 0});
  EXPECT_EQ(quick.runs, 5);
  EXPECT_GT(quick.median_ms, 0);
  EXPECT_GE(quick.median_ms, quick.min_ms);
  EXPECT_GE(quick.p95_ms, quick.median_ms);
  EXPECT_EQ(measure_latency(executable, {.budget_seconds = 10, .max_runs = 7}).runs, 7);
}

}  // namespace
}  // namespace coppice
