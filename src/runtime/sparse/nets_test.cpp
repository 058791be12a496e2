// Nets with many zeros, compiled so that all layers that can run on sparse loops do: what they
// compute is what the reference does, whatever stands between, before and behind them.

#include <filesystem>

#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "support/test_net.h"

namespace coppice {
namespace {

void add_zeros(Graph& graph, double share, uint64_t seed) {
  Random random(seed);
  for (Value& value : graph.values) {
    if (!value.constant || value.constant->shape().size() < 2) continue;
    for (float& w : value.constant->mutate<float>()) {
      if (random.uniform() < share) w = 0;
    }
  }
}

std::vector<LayerTime> expect_sparse_equals_reference(const Graph& graph, int threads = 1) {
  Target target;
  target.profile = Target::Profile::on;
  target.threads = threads;
  target.arena = Target::Arena::poisoned;
  target.sparsity = Target::Sparsity::forced;
  Executable executable = compile(graph, {}, target);
  for (const uint64_t seed : {1, 2}) {
    const std::vector<Tensor> inputs = random_inputs(executable, seed);
    expect_close(executable.run(inputs), run_reference(graph, inputs));
  }
  return executable.layer_times();
}

int64_t sparse_layers(const std::vector<LayerTime>& layers) {
  return std::ranges::count_if(
      layers, [](const LayerTime& layer) { return layer.kernel.starts_with("sparse"); });
}

TEST(SparseNets, a_residual_block_with_a_projected_shortcut) {
  for (const int64_t channels : {6, 16}) {
    TestNet net(channels);
    const ValueId x =
        net.add("Relu", {net.batch_norm(net.same_conv(net.input({2, 3, 19, 13}), channels))});
    const ValueId shortcut = net.batch_norm(net.conv(x, 20, 1, {{"strides", Shape{2, 2}}}));
    const ValueId y =
        net.add("Relu", {net.batch_norm(net.conv(
                            x, 20, 3, {{"strides", Shape{2, 2}}, {"pads", Shape{1, 1, 1, 1}}}))});
    const ValueId sum =
        net.add("Relu", {net.add("Add", {net.batch_norm(net.same_conv(y, 20)), shortcut})});
    net.output(net.add("GlobalAveragePool", {sum}));
    net.output(sum);
    add_zeros(net.graph, 0.8, 1);
    for (const int threads : {1, 2}) {
      EXPECT_EQ(sparse_layers(expect_sparse_equals_reference(net.graph, threads)), 4);
    }
  }
}

TEST(SparseNets, whatever_stands_between_sparse_layers) {
  for (const char* op :
       {"MaxPool", "Sigmoid", "BatchNormalization", "Concat", "Mul", "Transpose"}) {
    SCOPED_TRACE(op);
    TestNet net(3);
    const ValueId x = net.same_conv(net.input({1, 4, 12, 12}), 8);
    ValueId y = net.same_conv(x, 8);
    const std::string name = op;
    if (name == "MaxPool") {
      y = net.add(op, {y}, {{"kernel_shape", Shape{2, 2}}});
    } else if (name == "BatchNormalization") {
      y = net.batch_norm(net.add("Sigmoid", {y}));
    } else if (name == "Concat") {
      y = net.add(op, {y, x}, {{"axis", int64_t{1}}});
    } else if (name == "Mul") {
      y = net.add(op, {x, y});
    } else if (name == "Transpose") {
      y = net.add(op, {y}, {{"perm", Shape{0, 1, 3, 2}}});
    } else {
      y = net.add(op, {y});
    }
    net.output(net.same_conv(y, 5));
    add_zeros(net.graph, 0.7, 2);
    EXPECT_GE(sparse_layers(expect_sparse_equals_reference(net.graph)), 2);
  }
}

TEST(SparseNets, functions_and_sums_behind_a_layer) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    TestNet net(seed);
    const ValueId x = net.same_conv(net.input({1, 3, 7, 9}), 6);
    ValueId y = net.same_conv(x, 6);
    const ValueId other = net.same_conv(x, 6);
    for (uint64_t followers = 1 + random.below(4); followers > 0; --followers) {
      switch (random.below(7)) {
        case 0: y = net.add("Relu", {y}); break;
        case 1: y = net.add("Add", {net.weight({1, 6, 1, 1}), y}); break;
        case 2: y = net.add("Clip", {y, net.number(-1), net.number(3)}); break;
        case 3: y = net.add("LeakyRelu", {y}); break;
        case 4: y = net.add("HardSigmoid", {y}); break;
        case 5: y = net.add("Abs", {y}); break;
        default: y = net.add("Add", {y, random.below(2) ? other : x}); break;
      }
    }
    net.output(y);
    if (random.below(2)) net.output(other);
    add_zeros(net.graph, 0.6, seed);
    EXPECT_GT(sparse_layers(expect_sparse_equals_reference(net.graph)), 0);
  }
}

TEST(SparseNets, convolutions_without_padding_narrow_the_image) {
  TestNet net(1);
  ValueId y = net.input({1, 3, 17, 16});
  for (int i = 0; i < 4; ++i) y = net.conv(y, 6, 3);
  net.output(y);
  add_zeros(net.graph, 0.7, 3);
  EXPECT_EQ(sparse_layers(expect_sparse_equals_reference(net.graph)), 4);
}

TEST(SparseNets, products_of_few_rows) {
  for (const char* batch : {"1", "5"}) {
    Graph graph = parse_text_graph(std::string("input x float32 [") + batch + R"(, 3, 5, 7]
        const all float32 [33, 3, 5, 7] random
        const scale float32 [33] random
        const shift float32 [33] random
        const mean float32 [33] random
        const variance float32 [33] ones
        const point float32 [40, 33, 1, 1] random
        const a float32 [50, 40] random
        const ab float32 [50] random
        const b float32 [50, 50] random
        const c float32 [50, 50] random
        const by float32 [50] random
        const d float32 [50, 17] random
        p = Conv(x, all)
        n = BatchNormalization(p, scale, shift, mean, variance)
        r = Relu(n)
        q = Conv(r, point)
        f = Flatten(q)
        g = Gemm(f, a, ab) {transB=1, alpha=0.5, beta=2.0}
        h = HardSwish(g)
        i = Gemm(h, b)
        j = Add(i, h)
        k = Relu(j)
        m = MatMul(k, c)
        o = Add(m, by)
        s = Add(o, k)
        t = MatMul(s, d)
        output t
        output j)");
    graph.opset = 14;
    add_zeros(graph, 0.8, 4);
    for (const int threads : {1, 2}) {
      EXPECT_EQ(sparse_layers(expect_sparse_equals_reference(graph, threads)), 6) << batch;
    }
  }
}

TEST(SparseNets, products_of_many_rows_or_another_form_run_dense) {
  Graph graph = parse_text_graph(R"(
      input x float32 [2, 9, 16]
      input z float32 [16, 3]
      const a float32 [16, 20] random
      const c float32 [16, 20] random
      y = MatMul(x, a)
      w = Gemm(z, c) {transA=1}
      output y
      output w)");
  add_zeros(graph, 0.8, 4);
  EXPECT_EQ(sparse_layers(expect_sparse_equals_reference(graph)), 0);
}

TEST(SparseNets, few_zeros_run_dense) {
  TestNet net(1);
  net.output(net.same_conv(net.input({1, 8, 12, 12}), 8));
  add_zeros(net.graph, 0.2, 3);
  EXPECT_EQ(sparse_layers(expect_sparse_equals_reference(net.graph)), 0);
}

TEST(SparseNets, a_timed_choice_can_be_switched_off) {
  TestNet net(1);
  net.output(net.same_conv(net.same_conv(net.input({1, 32, 28, 28}), 64), 64));
  add_zeros(net.graph, 0.97, 3);
  Target target;
  target.threads = 1;
  target.profile = Target::Profile::on;
  target.sparsity = Target::Sparsity::timed;
  ::setenv("COPPICE_SPARSE", "off", 1);
  EXPECT_EQ(sparse_layers(compile(net.graph, {}, target).layer_times()), 0);
  ::setenv("COPPICE_SPARSE", "on", 1);
  EXPECT_GT(sparse_layers(compile(net.graph, {}, target).layer_times()), 0);
  ::unsetenv("COPPICE_SPARSE");
}

TEST(SparseNets, a_timed_choice_is_kept_and_read_again) {
  TempDir folder;
  TestNet net(1);
  net.output(net.same_conv(net.same_conv(net.input({1, 32, 28, 28}), 64), 64));
  add_zeros(net.graph, 0.97, 3);
  Target target;
  target.threads = 1;
  target.profile = Target::Profile::on;
  target.sparsity = Target::Sparsity::timed;
  target.choices_folder = folder.path().string();
  Executable first = compile(net.graph, {}, target), second = compile(net.graph, {}, target);
  ASSERT_FALSE(std::filesystem::is_empty(folder.path()));
  ASSERT_EQ(first.layer_times().size(), second.layer_times().size());
  for (size_t i = 0; i < first.layer_times().size(); ++i) {
    EXPECT_EQ(first.layer_times()[i].kernel, second.layer_times()[i].kernel);
  }
  const std::vector<Tensor> inputs = random_inputs(first, 1);
  EXPECT_EQ(first.run(inputs), second.run(inputs));
  // What isn't such a file is as if it weren't there.
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    std::filesystem::resize_file(file.path(), 3);
  }
  expect_close(compile(net.graph, {}, target).run(inputs), run_reference(net.graph, inputs));
}

}  // namespace
}  // namespace coppice
