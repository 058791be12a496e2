// Which constants train: on graphs as text, and on models from several exporters.
#include "training/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "graph/passes/separate_vectors.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"

namespace coppice {
namespace {

using Kind = Parameter::Kind;

// "w:weight b:bias"
std::string trained(const std::string& text) {
  const Graph graph = parse_text_graph(text);
  std::string list;
  for (const Parameter& parameter : trained_parameters(graph)) {
    constexpr const char* kKinds[] = {"weight", "bias", "norm"};
    list += (list.empty() ? "" : " ") + graph.value(parameter.id).name + ":" +
            kKinds[static_cast<int>(parameter.kind)];
  }
  return list;
}

int64_t count(const std::vector<Parameter>& parameters, Kind kind) {
  return std::ranges::count(parameters, kind, &Parameter::kind);
}

TEST(TrainedParameters, weights_biases_and_normalisations_come_in_the_order_of_their_readers) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 3, 4, 4]
    const fb float32 [2] zeros
    const fw float32 [2, 4] random
    const slope float32 [1] ones
    const w float32 [4, 3, 1, 1] random
    const b float32 [4] zeros
    const scale float32 [4] ones
    const shift float32 [4] zeros
    const mean float32 [4] zeros
    const variance float32 [4] ones
    a = Conv(x, w, b)
    n = BatchNormalization(a, scale, shift, mean, variance)
    r = PRelu(n, slope)
    g = GlobalAveragePool(r)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)"),
            "w:weight b:bias scale:norm shift:norm slope:norm fw:weight fb:bias");
}

TEST(TrainedParameters, are_found_behind_what_only_reshapes_them) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 6]
    const w float32 [4, 6] random
    const flat float32 [8] random
    const shape int64 [2] = 4 2
    const b float32 [2] random
    const row int64 [2] = 1 2
    wt = Transpose(w) {perm=[1, 0]}
    wi = Identity(wt)
    h = MatMul(x, wi)
    v = Reshape(flat, shape)
    z = MatMul(h, v)
    br = Reshape(b, row)
    y = Add(z, br)
    output y)"),
            "w:weight flat:weight b:bias");
}

TEST(TrainedParameters, what_normalises_the_input_is_none_and_the_same_behind_a_layer_is) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 3, 4, 4]
    const mean float32 [3, 1, 1] random
    const deviation float32 [3, 1, 1] positive
    const w float32 [3, 3, 1, 1] random
    const gamma float32 [3, 1, 1] ones
    const beta float32 [3, 1, 1] zeros
    const late float32 [3, 1, 1] random
    const divisor float32 [3, 1, 1] positive
    a = Sub(x, mean)
    b = Mul(a, deviation)
    c = Conv(b, w)
    d = Mul(gamma, c)
    e = Add(d, beta)
    f = Sub(e, late)
    y = Div(f, divisor)
    output y)"),
            "w:weight gamma:norm beta:bias late:bias");
}

TEST(TrainedParameters, single_numbers_masks_and_settings_are_none) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 4]
    const w float32 [4, 4] random
    const half float32 [1] = 0.5
    const mask float32 [1, 4] = 0 0 -10000 0
    const three float32 [1, 4] ones
    const low float32 [] zeros
    a = MatMul(x, w)
    b = Mul(a, half)
    c = Add(b, mask)
    d = Pow(c, three)
    e = Clip(d, low)
    y = Softmax(e)
    output y)"),
            "w:weight");
}

TEST(TrainedParameters, no_gradient_passes_through_a_shape) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 3, 4, 4]
    const w float32 [3, 3, 1, 1] random
    const twice float32 [4] = 1 1 2 2
    a = Conv(x, w)
    s = Shape(a)
    f = Cast(s) {to=1}
    g = Mul(f, twice)
    h = Cast(g) {to=7}
    y = ConstantOfShape(h)
    output y a)"),
            "w:weight");
}

TEST(TrainedParameters, a_table_of_vectors_is_trained_and_a_list_of_numbers_is_not) {
  EXPECT_EQ(trained(R"(
    input i int64 [N, 5]
    const table float32 [10, 4] random
    const numbers float32 [10] random
    const positions float32 [1, 5, 4] random
    a = Gather(table, i)
    b = Add(a, positions)
    c = Gather(numbers, i)
    output b c)"),
            "table:weight positions:bias");
}

TEST(TrainedParameters, other_element_types_and_unknown_operators_are_left_alone) {
  EXPECT_EQ(trained(R"(
    input x float64 [N, 4]
    input z float32 [N, 4]
    const w float64 [4, 4] = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
    const v float32 [4, 4] random
    a = MatMul(x, w)
    b = Frobnicate(z, v)
    output a float64
    output b)"),
            "");
}

TEST(TrainedParameters, an_empty_graph_has_none) {
  EXPECT_TRUE(trained_parameters(Graph{}).empty());
}

// As a file in half precision is read: computed in float32, behind casts to it.
TEST(TrainedParameters, are_seen_behind_casts_to_the_type_that_they_have) {
  EXPECT_EQ(trained(R"(
    input x float32 [N, 3, 4, 4]
    const w float32 [4, 3, 1, 1] random
    const b float32 [4] zeros
    wide = Cast(w) {to=1}
    shift = Cast(b) {to=1}
    y = Conv(x, wide, shift)
    output y)"),
            "w:weight b:bias");
}

// The names of what each node reads: a text that shows who shares.
std::string inputs_of(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) {
    text += (text.empty() ? "" : "; ") + node.op_type;
    for (const ValueId id : node.inputs) text += id == kNoValue ? " -" : " " + graph.value(id).name;
  }
  return text;
}

TEST(TrainedParameters, normalisations_by_the_data_and_recurrent_layers_have_theirs) {
  const Graph graph = parse_text_graph(R"(
    opset 17
    input x float32 [3, N, 4]
    const s float32 [4] random
    const t float32 [4] random
    const w float32 [1, 8, 4] random
    const r float32 [1, 8, 2] random
    const b float32 [1, 16] random
    const one int64 [1] = 1
    const v float32 [2, 5] random
    n = LayerNormalization(x, s, t)
    h = LSTM(n, w, r, b) {hidden_size=2}
    q = Squeeze(h, one)
    y = Einsum(q, v) {equation="tnh,ho->tno"}
    output y)");
  std::string names;
  for (const Parameter& parameter : trained_parameters(graph)) {
    names += graph.value(parameter.id).name + " ";
  }
  EXPECT_EQ(names, "s t w r b v ");
}

TEST(SeparateVectors, equal_vectors_of_two_normalisations_come_apart) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 4, 2, 2]
    const one float32 [4] ones
    const zero float32 [4] zeros
    a = BatchNormalization(x, one, zero, zero, one)
    b = BatchNormalization(a, one, zero, zero, one)
    output b)");
  const Tensor ones = *graph.value(*find_value(graph, "one")).constant;
  separate_vectors(graph);
  EXPECT_EQ(inputs_of(graph),
            "BatchNormalization x one zero zero_1 one_1; "
            "BatchNormalization a one_2 zero_2 zero_3 one_3");
  EXPECT_EQ(*graph.value(*find_value(graph, "one_3")).constant, ones);
  EXPECT_EQ(trained_parameters(graph).size(), 4u);
  verify(graph);
}

TEST(SeparateVectors, biases_come_apart_unless_their_layers_share_weights) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 4, 2, 2]
    const w float32 [4, 4, 1, 1] random
    const v float32 [4, 4, 1, 1] random
    const b float32 [4] zeros
    const r float32 [1, 4, 1, 1] zeros
    a = Conv(x, w, b)
    c = Conv(a, w, b)
    d = Conv(c, v, b)
    e = Add(d, r)
    f = Conv(e, v)
    y = Add(f, r)
    output y)");
  separate_vectors(graph);
  EXPECT_EQ(inputs_of(graph), "Conv x w b; Conv a w b; Conv c v b_1; Add d r; Conv e v; Add f r_1");
}

TEST(SeparateVectors, every_use_of_a_vector_gets_its_own_and_tables_stay_shared) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 4, 2, 2]
    const w float32 [4, 4, 1, 1] random
    const c float32 [4] ones
    const t float32 [1, 4, 2, 2] random
    a = Conv(x, w, c)
    y = Div(a, c)
    z = Add(y, t)
    u = Add(z, t)
    output u)");
  separate_vectors(graph);
  EXPECT_EQ(inputs_of(graph), "Conv x w c; Div a c_1; Add y t; Add z t");
  const std::string once = inputs_of(graph);
  separate_vectors(graph);
  EXPECT_EQ(inputs_of(graph), once) << "a second time changes nothing";
}

Graph model(const std::filesystem::path& data, const char* name) {
  return read_onnx(data / "models" / name);
}

TEST(TrainedParameters, of_real_models_are_the_known_ones) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const auto resnet = trained_parameters(model(*data, "cifar10/resnet20.onnx"));
  EXPECT_EQ(count(resnet, Kind::weight), 19 + 1);
  EXPECT_EQ(count(resnet, Kind::norm), 19 * 2);
  EXPECT_EQ(count(resnet, Kind::bias), 1);
  // Two convolutions and a product; their biases are Adds of constants.
  const Graph cntk = model(*data, "wild/mnist_cntk.onnx");
  const auto mnist = trained_parameters(cntk);
  EXPECT_EQ(count(mnist, Kind::weight), 3);
  EXPECT_EQ(count(mnist, Kind::bias), 3);
  EXPECT_EQ(mnist.size(), 6u);
}

TEST(TrainedParameters, of_any_model_are_float_constants_listed_once_and_no_statistics) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "models")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename().string());
    Graph graph = read_onnx(entry.path());
    const int64_t weights = count(trained_parameters(graph), Kind::weight);
    separate_vectors(graph);
    verify(graph);
    std::set<ValueId> ids;
    const auto found = trained_parameters(graph);
    for (const Parameter& parameter : found) {
      EXPECT_TRUE(ids.insert(parameter.id).second);
      ASSERT_TRUE(graph.value(parameter.id).constant);
      EXPECT_EQ(graph.value(parameter.id).constant->dtype(), DType::f32);
    }
    EXPECT_EQ(count(found, Kind::weight), weights) << "weights stay shared";
    for (const Node& node : graph.nodes) {
      if (node.op_type != "BatchNormalization") continue;
      EXPECT_TRUE(ids.contains(node.inputs[1]) && ids.contains(node.inputs[2]));
      EXPECT_FALSE(ids.contains(node.inputs[3]) || ids.contains(node.inputs[4]));
    }
    const std::string once = inputs_of(graph);
    separate_vectors(graph);
    EXPECT_EQ(inputs_of(graph), once);
  }
}

TEST(TrainedParameters, of_basic_pitch_hold_the_filter_bank_once) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  Graph graph = model(*data, "wild/basic_pitch_nmp.onnx");
  separate_vectors(graph);
  const auto found = trained_parameters(graph);
  ASSERT_FALSE(found.empty());
  const ValueId bank = found[0].id;  // reads the octaves of one sound, with one bias
  EXPECT_EQ(graph.value(bank).constant->shape(), (Shape{36, 1, 1, 256}));
  EXPECT_GT(consumers(graph)[bank].size(), 5u);
  std::set<ValueId> biases;
  for (const Node& node : graph.nodes) {
    if (node.op_type == "Conv" && node.inputs[1] == bank) biases.insert(node.inputs[2]);
  }
  EXPECT_EQ(biases.size(), 1u);
}

}  // namespace
}  // namespace coppice
