// Zeros in blocks of filters: that they are so in what is written, which computes what the model
// with masks alone does, and that another order of filters keeps more.

#include "methods/unstructured/pattern.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "methods/method.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "methods/sparse_training/gradual.h"
#include "methods/unstructured/deep_compression.h"
#include "methods/unstructured/magnitude.h"
#include "methods/unstructured/reorder.h"
#include "onnx/onnx.h"
#include "prune/blocks/filter_blocks.h"
#include "runtime/executable.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "verify/compare.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// Large weights of every second filter are at the same places.
Graph striped() {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 6]
      const a float32 [8, 6] random
      const shift float32 [8] random
      const b float32 [5, 8] random
      h = Gemm(x, a, shift) {transB=1}
      i = Relu(h)
      y = Gemm(i, b) {transB=1}
      output y)");
  const auto weights = graph.value(*find_value(graph, "a")).constant->mutate<float>();
  for (size_t i = 0; i < weights.size(); ++i) {
    if ((i / 6 + i) % 2 == 0) weights[i] += std::copysign(10.0f, weights[i]);
  }
  return graph;
}

MagnitudeOptions half(int together) { return {.sparsity = 0.5, .together = together}; }

double share_of_row(const ResultTable& table, size_t row) {
  return std::get<double>(table.rows.at(row).at(1));
}

// Whether neighbours in blocks of `together` are zero together in every layer that has them.
void expect_blocks(const Graph& graph, int together) {
  const auto axes = filter_axes(graph);
  int64_t layers = 0;
  for (const auto& [id, filters] : axes) {
    const Tensor& weight = *graph.value(id).constant;
    const FilterBlocks blocks(weight.shape(), filters, together);
    Tensor mask = Tensor::zeros(DType::f32, weight.shape());
    std::ranges::transform(weight.as<float>(), mask.mutate<float>().begin(),
                           [](float w) { return w != 0 ? 1.0f : 0.0f; });
    EXPECT_EQ(blocks.whole(mask), mask) << graph.value(id).name;
    ++layers;
  }
  EXPECT_GT(layers, 0);
}

// Whether the runtime sees the blocks of every convolution that it can run sparse.
bool all_on_block_loops(const Graph& graph, int together) {
  Target target;
  target.profile = Target::Profile::on;
  target.sparsity = Target::Sparsity::forced;
  const Executable executable = compile(graph, {}, target);
  const std::string block = std::to_string(together) + "x1";
  return std::ranges::all_of(executable.layer_times(), [&](const LayerTime& layer) {
    return !layer.kind.starts_with("Conv") || layer.kernel == "dense" ||
           layer.kernel.starts_with("sparse " + block);
  });
}

Outcome written(const Graph& graph, const MagnitudeOptions& options) {
  Outcome outcome = prune_by_magnitude(graph, options, Verify::on);
  Settings settings(options_of(find_method("magnitude")));
  rewrite(outcome, settings, 0);
  return outcome;
}

TEST(Pattern, another_order_of_filters_keeps_more_magnitude) {
  const Graph graph = striped();
  const Pattern pattern = find_pattern(graph, half(4));
  ASSERT_TRUE(pattern.kept);
  ASSERT_EQ(pattern.kept->rows.size(), 3u);
  EXPECT_LT(share_of_row(*pattern.kept, 1), 0.7);
  EXPECT_GT(share_of_row(*pattern.kept, 2), 0.85);
  EXPECT_LT(share_of_row(*pattern.kept, 2), share_of_row(*pattern.kept, 0) + 0.01);
  EXPECT_EQ(pattern.orders.size(), 3u) << "filters, their biases, and who reads them";
}

TEST(Pattern, no_pattern_says_and_moves_nothing) {
  const Pattern pattern = find_pattern(striped(), half(1));
  EXPECT_FALSE(pattern.kept);
  EXPECT_TRUE(pattern.orders.empty());
}

TEST(Pattern, what_is_written_has_blocks_and_computes_what_masks_do) {
  const TempDir folder;
  for (const char* name : {"resnet20", "lenet5"}) {
    for (const int together : {2, 4}) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(together));
      const Graph graph = build_zoo_model(name, 1);
      const Outcome outcome = written(graph, {.sparsity = 0.8, .together = together});
      ASSERT_FALSE(outcome.plan.orders.empty());
      write_onnx(outcome.graph, folder / "net.onnx");
      const Graph again = read_onnx(folder / "net.onnx");
      expect_blocks(again, together);
      EXPECT_TRUE(all_on_block_loops(again, together));
      Graph masked = graph;
      apply_masks(masked, outcome.plan.masks);
      EXPECT_TRUE(compare(masked, again, fitting_sizes(graph, {}), 1).equal());
      const auto weights = count_weights(again);
      EXPECT_NEAR(static_cast<double>(weights.nonzero) / static_cast<double>(weights.all), 0.2,
                  0.002);
    }
  }
}

TEST(Pattern, orders_beside_slices_are_refused) {
  Plan plan;
  plan.orders = {{"w", 0, {0}}};
  plan.slices = {{"w", 0, 2, {0}}};
  EXPECT_THROW(apply_plan(build_zoo_model("lenet5", 1), plan, Verify::on, 0), Error);
}

// With a residual sum, and eight filters that may change places in the classifier's reader.
constexpr char kTrained[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [8, 1, 3, 3] random
    const w2 float32 [8, 8, 3, 3] random
    const fw1 float32 [10, 8] random
    const fw2 float32 [3, 10] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    c = Conv(r, w2) {pads=[1, 1, 1, 1]}
    s = Add(r, c)
    t = Relu(s)
    p = GlobalAveragePool(t)
    f = Flatten(p)
    g = Gemm(f, fw1) {transB=1}
    h = Relu(g)
    y = Gemm(h, fw2) {transB=1}
    output y)";

void expect_trained_in_blocks(Outcome outcome, const char* method) {
  SCOPED_TRACE(method);
  EXPECT_FALSE(outcome.plan.orders.empty());
  ASSERT_EQ(outcome.tables.size(), 1u);
  EXPECT_EQ(outcome.tables[0].key, "pattern");
  const Graph trained = outcome.graph;
  rewrite(outcome, Settings(options_of(find_method(method))), 0);
  expect_blocks(outcome.graph, 4);
  EXPECT_TRUE(compare(trained, outcome.graph, fitting_sizes(trained, {}), 1).equal());
}

TEST(Pattern, what_methods_that_train_write_has_blocks) {
  {
    fake::Fixture fixture;
    Session& session = fixture.open(parse_text_graph(kTrained));
    const GradualOptions how{.pruning = {.sparsity = 0.6, .together = 4}, .every = 1};
    expect_trained_in_blocks(prune_gradually(session, how, fake::recipe(2)), "gradual");
  }
  fake::Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kTrained));
  DeepCompressionOptions how;
  how.pruning = {.sparsity = 0.6, .together = 4};
  how.rounds = 2;
  how.sharing.reset();
  expect_trained_in_blocks(deep_compression(session, how, fake::recipe(1)), "deep-compression");
}

TEST(Pattern, a_plan_brings_filters_into_the_same_order) {
  const Graph graph = build_zoo_model("resnet20", 1);
  const Outcome outcome = written(graph, {.sparsity = 0.8, .together = 4});
  Plan plan = plan_from_json(to_json(outcome.plan));
  EXPECT_EQ(plan.orders, outcome.plan.orders);
  plan.masks = outcome.plan.masks;
  Outcome applied = apply_plan(graph, plan, Verify::on, 0);
  EXPECT_EQ(applied.plan.orders, plan.orders);
  reorder(applied, Verify::on, 0);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    EXPECT_EQ(applied.graph.values[i].constant, outcome.graph.values[i].constant);
  }
}

// Filters move, and who reads them doesn't follow.
TEST(Pattern, an_order_that_changes_the_function_is_refused) {
  const Graph graph = build_zoo_model("lenet5", 1);
  Plan plan = written(graph, {.sparsity = 0.8, .together = 4}).plan;
  std::erase_if(plan.orders, [](const ChannelOrder& order) { return order.axis == 1; });
  try {
    Outcome applied = apply_plan(graph, plan, Verify::on, 0);
    reorder(applied, Verify::on, 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("orders of channels change the outputs"),
              std::string::npos)
        << error.what();
  }
}

TEST(Pattern, every_method_that_masks_by_magnitude_or_score_takes_it) {
  for (const char* name :
       {"magnitude", "deep-compression", "dsd", "gradual", "snip", "grasp", "synflow"}) {
    EXPECT_TRUE(has_option(options_of(find_method(name)), kPattern)) << name;
  }
  for (const char* name : {"rigl", "lottery", "l1"}) {
    EXPECT_FALSE(has_option(options_of(find_method(name)), kPattern)) << name;
  }
}

}  // namespace
}  // namespace coppice
