// The passes on small graphs. That they keep a model's numbers is tested where graphs can be run
// (runtime/compile/compile_test.cpp).

#include <gtest/gtest.h>

#include <cmath>

#include "graph/passes/fold_constants.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/shuffles_to_gathers.h"
#include "graph/passes/simplify/remove_no_ops.h"
#include "graph/passes/simplify/simplify.h"

namespace coppice {
namespace {

ValueId add_input(Graph& graph, const Shape& shape) {
  const ValueId id = add_value(graph, unused_name(graph, "x"), DType::f32);
  graph.value(id).declared.emplace();
  for (const int64_t size : shape) graph.value(id).declared->push_back({size, ""});
  graph.inputs.push_back(id);
  return id;
}

ValueId add_op(Graph& graph, const std::string& op, std::vector<ValueId> inputs,
               Attributes attributes = {}) {
  const ValueId id = add_value(graph, unused_name(graph, op), DType::f32);
  add_node(graph, op, std::move(inputs), {id}, std::move(attributes));
  return id;
}

ValueId floats(Graph& graph, const std::string& name, const Shape& shape,
               const std::vector<float>& values) {
  return add_constant(graph, name, Tensor::of<float>(shape, values));
}

std::vector<std::string> ops(const Graph& graph) {
  std::vector<std::string> types;
  for (const Node& node : graph.nodes) types.push_back(node.op_type);
  return types;
}

using Types = std::vector<std::string>;

TEST(FoldConstants, shapes_and_what_follows_from_them_become_constants) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 3, 4});
  const ValueId batch =
      add_op(graph, "Gather",
             {add_op(graph, "Shape", {x}), add_constant(graph, "zero", Tensor::vector({0}))});
  const ValueId target =
      add_op(graph, "Concat", {batch, add_constant(graph, "open", Tensor::vector({-1}))},
             {{"axis", int64_t{0}}});
  graph.outputs = {add_op(graph, "Reshape", {x, target})};
  fold_constants(graph, infer(graph));
  EXPECT_EQ(ops(graph), Types{"Reshape"});
  EXPECT_EQ(*graph.value(target).constant, Tensor::vector({2, -1}));
  verify(graph);
}

TEST(FoldConstants, large_constants_fold_and_inputs_stay) {
  Graph graph;
  const ValueId x = add_input(graph, {5000});
  const ValueId large = add_constant(graph, "large", Tensor::zeros(DType::f32, {5000}));
  graph.outputs = {add_op(graph, "Add", {x, add_op(graph, "Neg", {large})})};
  fold_constants(graph, infer(graph));
  EXPECT_EQ(ops(graph), Types{"Add"});
}

TEST(FoldConstants, a_node_that_cannot_be_evaluated_stays) {
  Graph graph;
  const ValueId weight = floats(graph, "w", {1, 2}, {1, 2});
  graph.outputs = {add_op(graph, "Softmax", {weight})};
  fold_constants(graph, infer(graph));
  EXPECT_EQ(ops(graph), Types{"Softmax"});
  Graph empty;
  fold_constants(empty, infer(empty));
  EXPECT_TRUE(empty.nodes.empty());
}

TEST(RemoveNoOps, chains_of_them_collapse) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 3});
  const ValueId y = add_op(graph, "Dropout", {add_op(graph, "Identity", {x})});
  const ValueId z = add_op(graph, "Transpose", {add_op(graph, "Cast", {y}, {{"to", int64_t{1}}})},
                           {{"perm", Shape{0, 1}}});
  graph.outputs = {add_op(graph, "Relu", {add_op(graph, "Flatten", {z})})};
  remove_no_ops(graph, infer(graph));
  EXPECT_EQ(ops(graph), Types{"Relu"});
  EXPECT_EQ(graph.nodes[0].inputs[0], x);
}

TEST(RemoveNoOps, what_only_looks_idle_stays) {
  Graph graph;
  const ValueId x = add_input(graph, {4, 4});
  const auto ints = [&](const std::string& name, const std::vector<int64_t>& values) {
    return add_constant(graph, name, Tensor::vector(values));
  };
  // Same shapes, other contents: backwards, shifted, transposed.
  const ValueId backwards =
      add_op(graph, "Slice",
             {x, ints("s", {-1}), ints("e", {INT64_MIN}), ints("a", {0}), ints("st", {-1})});
  const ValueId shifted = add_op(graph, "Pad", {backwards, ints("p", {1, 0, -1, 0})});
  const ValueId transposed = add_op(graph, "Transpose", {shifted});
  graph.outputs = {add_op(graph, "Relu", {transposed})};
  remove_no_ops(graph, infer(graph));
  EXPECT_EQ(ops(graph), (Types{"Slice", "Pad", "Transpose", "Relu"}));
}

TEST(RemoveNoOps, outputs_keep_their_names) {
  Graph graph;
  const ValueId x = add_input(graph, {2});
  graph.outputs = {add_op(graph, "Identity", {x})};
  remove_no_ops(graph, infer(graph));
  EXPECT_EQ(ops(graph), Types{"Identity"});
}

// x -> Conv or Gemm -> BatchNormalization, with scale 2, shift 1, mean 3, variance 4.
struct Normalised {
  Graph graph;
  ValueId between;
};
Normalised normalised(const std::string& op, const Shape& x, const Shape& weight,
                      const Attributes& attributes) {
  Normalised n;
  const ValueId in = add_input(n.graph, x);
  const ValueId w = floats(n.graph, "w", weight, {10, 20});
  n.between = add_op(n.graph, op, {in, w, floats(n.graph, "b", {1}, {5})}, attributes);
  const auto one = [&](const char* name, float value) {
    return floats(n.graph, name, {1}, {value});
  };
  n.graph.outputs = {
      add_op(n.graph, "BatchNormalization",
             {n.between, one("scale", 2), one("shift", 1), one("mean", 3), one("variance", 4)},
             {{"epsilon", 0.0f}})};
  return n;
}

TEST(FuseBatchNorm, folds_into_a_convolution_under_the_weights_names) {
  Normalised n = normalised("Conv", {1, 2, 4, 4}, {1, 2, 1, 1}, {});
  const ValueId output = n.graph.outputs[0];
  fuse_batch_norms(n.graph);
  ASSERT_EQ(ops(n.graph), Types{"Conv"});
  EXPECT_EQ(n.graph.nodes[0].outputs[0], output);
  EXPECT_EQ(*n.graph.value(*find_value(n.graph, "w")).constant,
            Tensor::of<float>({1, 2, 1, 1}, std::vector<float>{10, 20}));
  EXPECT_EQ(*n.graph.value(*find_value(n.graph, "b")).constant,
            Tensor::of<float>({1}, std::vector<float>{5 - 3 + 1}));
  verify(n.graph);
}

TEST(FuseBatchNorm, folds_beta_of_gemm_into_the_bias) {
  Normalised n = normalised("Gemm", {1, 2}, {2, 1}, {{"beta", 2.0f}, {"alpha", 0.5f}});
  fuse_batch_norms(n.graph);
  ASSERT_EQ(ops(n.graph), Types{"Gemm"});
  EXPECT_EQ(*n.graph.value(*find_value(n.graph, "b")).constant,
            Tensor::of<float>({1}, std::vector<float>{2 * 5 - 3 + 1}));
  EXPECT_EQ(n.graph.nodes[0].attributes.real("beta", 0), 1);
  EXPECT_EQ(n.graph.nodes[0].attributes.real("alpha", 0), 0.5f);
}

TEST(FuseBatchNorm, a_second_reader_an_output_or_training_forbids_it) {
  Normalised read_twice = normalised("Conv", {1, 2, 4, 4}, {1, 2, 1, 1}, {});
  read_twice.graph.outputs.push_back(add_op(read_twice.graph, "Relu", {read_twice.between}));
  EXPECT_TRUE(find_foldable_batch_norms(read_twice.graph).empty());
  Normalised output = normalised("Conv", {1, 2, 4, 4}, {1, 2, 1, 1}, {});
  output.graph.outputs.push_back(output.between);
  EXPECT_TRUE(find_foldable_batch_norms(output.graph).empty());
  Normalised training = normalised("Conv", {1, 2, 4, 4}, {1, 2, 1, 1}, {});
  training.graph.nodes[1].attributes.set("training_mode", int64_t{1});
  EXPECT_TRUE(find_foldable_batch_norms(training.graph).empty());
}

TEST(FuseBatchNorm, weights_with_another_reader_are_copied) {
  Normalised n = normalised("Conv", {1, 2, 4, 4}, {1, 2, 1, 1}, {});
  const ValueId weight = n.graph.nodes[0].inputs[1];
  n.graph.nodes[1].attributes.set("epsilon", 12.0f);  // scale / sqrt(16) = 0.5
  n.graph.outputs.push_back(add_op(n.graph, "Conv", {n.graph.inputs[0], weight}));
  fuse_batch_norms(n.graph);
  EXPECT_EQ(n.graph.value(weight).constant->as<float>()[0], 10);
  EXPECT_NE(n.graph.nodes[0].inputs[1], weight);
  EXPECT_EQ(n.graph.value(n.graph.nodes[0].inputs[1]).constant->as<float>()[0], 5);
  verify(n.graph);
}

// x -> Reshape to `apart` -> Transpose -> Reshape back.
Graph shuffled(const std::vector<int64_t>& apart, const std::vector<int64_t>& perm,
               const std::vector<int64_t>& whole) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 6, 4});
  graph.value(x).declared->front() = {-1, "N"};
  const ValueId r =
      add_op(graph, "Reshape", {x, add_constant(graph, "apart", Tensor::vector(apart))});
  const ValueId t = add_op(graph, "Transpose", {r}, {{"perm", perm}});
  graph.outputs = {
      add_op(graph, "Reshape", {t, add_constant(graph, "whole", Tensor::vector(whole))})};
  return graph;
}

TEST(ShufflesToGathers, a_shuffle_of_channels_becomes_an_index_map) {
  Graph graph = shuffled({0, 2, 3, 4}, {0, 2, 1, 3}, {0, -1, 4});
  const ValueId output = graph.outputs[0];
  shuffles_to_gathers(graph);
  ASSERT_EQ(ops(graph), Types{"Gather"});
  EXPECT_EQ(graph.nodes[0].outputs[0], output);
  EXPECT_EQ(graph.nodes[0].attributes.integer("axis", 0), 1);
  EXPECT_EQ(*graph.value(graph.nodes[0].inputs[1]).constant, Tensor::vector({0, 3, 1, 4, 2, 5}));
  verify(graph);
}

TEST(ShufflesToGathers, what_moves_other_axes_or_back_again_stays) {
  Graph moved = shuffled({0, 2, 3, 4}, {0, 2, 3, 1}, {0, -1, 4});
  shuffles_to_gathers(moved);
  EXPECT_EQ(moved.nodes.size(), 3u);
  Graph same = shuffled({0, 1, 6, 4}, {0, 2, 1, 3}, {0, -1, 4});
  shuffles_to_gathers(same);
  EXPECT_EQ(same.nodes.size(), 3u);
}

TEST(ShufflesToGathers, what_else_reads_the_parts_still_finds_them) {
  Graph graph = shuffled({0, 2, 3, 4}, {0, 2, 1, 3}, {0, -1, 4});
  graph.outputs.push_back(graph.nodes[1].outputs[0]);
  shuffles_to_gathers(graph);
  EXPECT_EQ(ops(graph), (Types{"Reshape", "Transpose", "Gather"}));
  verify(graph);
}

// As some exporters write a shuffle in halves: images and channels in one axis, pairs in front.
TEST(ShufflesToGathers, halves_picked_one_by_one_become_picks_of_channels) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 6, 4});
  graph.value(x).declared->front() = {-1, "N"};
  const auto sizes = [&](const char* name, const std::vector<int64_t>& values) {
    return add_constant(graph, name, Tensor::vector(values));
  };
  const ValueId pairs = add_op(graph, "Reshape", {x, sizes("pairs", {-1, 2, 4})});
  const ValueId first =
      add_op(graph, "Transpose", {pairs}, {{"perm", std::vector<int64_t>{1, 0, 2}}});
  const ValueId halves = add_op(graph, "Reshape", {first, sizes("halves", {2, -1, 3, 4})});
  for (const int64_t i : {0, 1}) {
    const ValueId which =
        add_constant(graph, i == 0 ? "left" : "right", Tensor::of<int64_t>({}, std::vector{i}));
    graph.outputs.push_back(add_op(graph, "Gather", {halves, which}, {{"axis", int64_t{0}}}));
  }
  shuffles_to_gathers(graph);
  ASSERT_EQ(ops(graph), (Types{"Gather", "Gather"}));
  EXPECT_EQ(*graph.value(graph.nodes[0].inputs[1]).constant, Tensor::vector({0, 2, 4}));
  EXPECT_EQ(*graph.value(graph.nodes[1].inputs[1]).constant, Tensor::vector({1, 3, 5}));
  verify(graph);
}

TEST(Simplify, folds_what_is_constant_and_drops_what_is_idle_at_any_size) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 4});
  graph.value(x).declared->front() = {-1, "N"};
  const ValueId w = floats(graph, "w", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const ValueId turned = add_op(graph, "Transpose", {add_op(graph, "Neg", {w})});
  const ValueId same = add_op(graph, "Identity", {x});
  // Idle at batch 2 alone.
  const ValueId flat =
      add_op(graph, "Reshape", {same, add_constant(graph, "sizes", Tensor::vector({2, -1}))});
  const ValueId wide =
      add_op(graph, "Reshape", {flat, add_constant(graph, "wide", Tensor::vector({-1, 4}))});
  graph.outputs = {add_op(graph, "MatMul", {wide, turned})};
  Graph fixed = graph;
  fixed.value(x).declared->front() = {2, ""};
  simplify(fixed);
  EXPECT_EQ(ops(fixed), Types{"MatMul"});
  simplify(graph);
  EXPECT_EQ(ops(graph), (Types{"Reshape", "Reshape", "MatMul"}));
}

TEST(Simplify, leaves_weights_in_the_form_that_takes_less_space) {
  Graph graph;
  const ValueId x = add_input(graph, {2, 4});
  const ValueId codes = add_constant(graph, "codes", Tensor::zeros(DType::i8, {4, 4}));
  const ValueId scale = floats(graph, "scale", {}, {0.5f});
  const ValueId w = add_op(graph, "DequantizeLinear", {codes, scale});
  const ValueId sizes = add_constant(graph, "sizes", Tensor::vector({4, 20'000}));
  const ValueId wide = add_op(graph, "ConstantOfShape", {sizes});
  const ValueId flags = add_constant(graph, "flags", Tensor::zeros(DType::boolean, {4}));
  const ValueId mask = add_op(graph, "Cast", {flags}, {{"to", int64_t{1}}});
  const ValueId y = add_op(graph, "MatMul", {add_op(graph, "MatMul", {x, w}), wide});
  graph.outputs = {y, add_op(graph, "Mul", {x, mask})};
  simplify(graph);
  EXPECT_EQ(ops(graph),
            (Types{"DequantizeLinear", "ConstantOfShape", "Cast", "MatMul", "MatMul", "Mul"}));
}

}  // namespace
}  // namespace coppice
