// The zoo against published sizes: parameters (weights, biases, scales and shifts; running
// statistics don't count), MACs of Conv and Gemm at batch 1, shapes, names, and what seeds
// promise.

#include "zoo/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/op.h"

namespace coppice {
namespace {

int64_t parameters(const Graph& graph) {
  int64_t count = 0;
  for (const Node& node : graph.nodes) {
    if (node.op_type != "Conv" && node.op_type != "Gemm" && node.op_type != "BatchNormalization")
      continue;
    for (size_t i = 1; i < std::min<size_t>(node.inputs.size(), 3); ++i) {
      count += graph.value(node.inputs[i]).constant->size();
    }
  }
  return count;
}

int64_t macs(const Graph& graph, const std::string& op_type) {
  const Inferred inferred = infer(graph);
  int64_t count = 0;
  for (const Node& node : graph.nodes) {
    if (node.op_type != op_type) continue;
    std::vector<Shape> inputs, outputs;
    for (const ValueId id : node.inputs) inputs.push_back(inferred.shape(id));
    for (const ValueId id : node.outputs) outputs.push_back(inferred.shape(id));
    count += node.op->macs(node, inputs, outputs);
  }
  return count;
}

bool same_constants(const Graph& a, const Graph& b) {
  if (a.values.size() != b.values.size()) return false;
  for (size_t i = 0; i < a.values.size(); ++i) {
    if (a.values[i].name != b.values[i].name || a.values[i].constant != b.values[i].constant)
      return false;
  }
  return true;
}

struct Published {
  const char* name;
  int64_t parameters, conv_macs, gemm_macs;
  Shape input, output;
};

// Where the numbers are from:
//   lenet300-100  266,200 weights + 410 biases (Han et al. 2015, Table 3: 267K)
//   lenet5        430,500 weights + 580 biases (Han et al. 2015, Table 4: 431K); the first
//                 convolution 288,000 MACs (Table 4: 576K operations)
//   conv2/4/6     Frankle and Carbin 2019, Fig. 2: 4.3M, 2.4M and, printed, 1.7M weights, of which
//                 38K, 260K and 1.1M of convolutions; conv6 as described has 2,261,184. And biases:
//                 650, 906 and 1,418. The exact counts follow from the layers
//   plain20       resnet20 without shortcuts, which have no parameters
//   resnet20/56   He et al. 2016, Table 6: 0.27 M, 0.85 M and 1.7 M of resnet110; 4.055e7, 1.2549e8
//   and 110       and 2.529e8 MACs of the convolutions (He et al., "Soft Filter Pruning", IJCAI
//                 2018, and its code)
//   mlp500-300-bn 545,000 weights (Liu et al., ICCV 2017, Table 2, prunes 84.4 % of them to 85,000)
//                 + 810 biases + 1,600 scales and shifts
//   vgg11-bn-half ours: follows from the layers
//   preresnet20   ours: follows from the layers. MACs are resnet20's and two projections of
//                 131,072; the paper's shallowest, 110 layers, has 1.7 M parameters
//   densenet40    Huang et al. 2017, Table 2: 1.0M; Liu et al. 2017, Table 1: 1.02M, 5.33e8 FLOPs
//                 (two a MAC, and BatchNormalization)
//   vgg16-bn      Li et al. 2017, Table 1: 1.5e7 and 3.13e8; the exact counts follow from the
//                 layers
//   vgg19-bn      Liu et al. 2017, Table 1: 20.04M, 7.97e8 FLOPs (two a MAC)
//   mobilenetv2   3,504,872 (torchvision's model page); 300 M (Sandler et al. 2018, Table 4)
const Published kPublished[] = {
    {"lenet300-100", 266'610, 0, 266'200, {1, 1, 28, 28}, {1, 10}},
    {"lenet5", 431'080, 1'888'000, 405'000, {1, 1, 28, 28}, {1, 10}},
    {"mlp500-300-bn", 547'410, 0, 545'000, {1, 1, 28, 28}, {1, 10}},
    {"vgg11-bn-half", 2'309'610, 33'255'936, 2'560, {1, 1, 28, 28}, {1, 10}},
    {"conv2", 4'301'642, 39'518'208, 4'262'400, {1, 3, 32, 32}, {1, 10}},
    {"conv4", 2'425'930, 96'141'312, 2'165'248, {1, 3, 32, 32}, {1, 10}},
    {"conv6", 2'262'602, 152'764'416, 1'116'672, {1, 3, 32, 32}, {1, 10}},
    {"plain20", 269'722, 40'550'400, 640, {1, 3, 32, 32}, {1, 10}},
    {"resnet20", 269'722, 40'550'400, 640, {1, 3, 32, 32}, {1, 10}},
    {"resnet56", 853'018, 125'485'056, 640, {1, 3, 32, 32}, {1, 10}},
    {"resnet110", 1'727'962, 252'887'040, 640, {1, 3, 32, 32}, {1, 10}},
    {"preresnet20", 272'282, 40'812'544, 640, {1, 3, 32, 32}, {1, 10}},
    {"densenet40", 1'019'722, 264'808'448, 4'480, {1, 3, 32, 32}, {1, 10}},
    {"vgg16-bn", 14'987'722, 313'196'544, 267'264, {1, 3, 32, 32}, {1, 10}},
    {"vgg19-bn", 20'035'018, 398'131'200, 5'120, {1, 3, 32, 32}, {1, 10}},
    {"mobilenetv2", 3'504'872, 299'494'272, 1'280'000, {1, 3, 224, 224}, {1, 1000}},
};

// Each network with seed 1, built once for all tests.
const Graph& built(const std::string& name) {
  static const auto graphs = [] {
    std::map<std::string, Graph> all;
    for (const ZooModel& model : zoo_models()) all[model.name] = model.build(1);
    return all;
  }();
  return graphs.at(name);
}

class ZooNet : public testing::TestWithParam<Published> {
 protected:
  const Published& published = GetParam();
  const Graph graph = built(published.name);
};

TEST_P(ZooNet, has_the_published_number_of_parameters) {
  EXPECT_EQ(parameters(graph), published.parameters);
}

TEST_P(ZooNet, has_the_published_number_of_macs) {
  EXPECT_EQ(macs(graph, "Conv"), published.conv_macs);
  EXPECT_EQ(macs(graph, "Gemm"), published.gemm_macs);
}

TEST_P(ZooNet, takes_input_and_gives_logits_at_any_batch) {
  ASSERT_EQ(graph.inputs.size(), 1u);
  ASSERT_EQ(graph.outputs.size(), 1u);
  const Value &input = graph.value(graph.inputs[0]), &output = graph.value(graph.outputs[0]);
  EXPECT_EQ(input.name, "input");
  EXPECT_EQ(output.name, "output");
  for (const Value* value : {&input, &output}) {
    EXPECT_EQ(value->dtype, DType::f32);
    EXPECT_EQ((*value->declared)[0], (Dim{.size = -1, .symbol = "N"}));
  }
  EXPECT_EQ(input_shape(graph, graph.inputs[0], {}), published.input);
  EXPECT_EQ(infer(graph).shape(graph.outputs[0]), published.output);
  EXPECT_EQ((*output.declared)[1].size, published.output[1]);
  EXPECT_EQ(infer(graph, {.inputs = {}, .batch = 3}).shape(graph.outputs[0]),
            (Shape{3, published.output[1]}));
}

TEST_P(ZooNet, is_a_sound_graph_with_unique_names) {
  EXPECT_NO_THROW(verify(graph));
  EXPECT_EQ(graph.opset, 13);
  std::set<std::string> values, nodes;
  for (const Value& value : graph.values) EXPECT_TRUE(values.insert(value.name).second);
  for (const Node& node : graph.nodes) EXPECT_TRUE(nodes.insert(node.name).second) << node.name;
}

TEST_P(ZooNet, has_the_same_bytes_for_the_same_seed_only) {
  EXPECT_TRUE(same_constants(graph, build_zoo_model(published.name, 1)));
  EXPECT_FALSE(same_constants(graph, build_zoo_model(published.name, 2)));
}

std::string test_name(const testing::TestParamInfo<Published>& info) {
  std::string name = info.param.name;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ZooNet, testing::ValuesIn(kPublished), test_name);

TEST(Zoo, every_model_is_held_against_published_sizes) {
  std::vector<std::string> listed, tested;
  for (const ZooModel& model : zoo_models()) listed.emplace_back(model.name);
  for (const Published& published : kPublished) tested.emplace_back(published.name);
  EXPECT_EQ(listed, tested);
}

TEST(Zoo, unknown_name_throws_the_list_of_names) {
  try {
    build_zoo_model("resnet57", 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(),
                 "no zoo model 'resnet57'; expected one of 'lenet300-100', 'lenet5', "
                 "'mlp500-300-bn', 'vgg11-bn-half', 'conv2', 'conv4', 'conv6', 'plain20', "
                 "'resnet20', 'resnet56', 'resnet110', 'preresnet20', 'densenet40', 'vgg16-bn', "
                 "'vgg19-bn', 'mobilenetv2'; did you mean 'resnet56'?");
  }
}

TEST(Zoo, resnet_names_its_parameters_as_the_reference_does) {
  const Graph graph = built("resnet20");
  for (const char* name :
       {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.bn2.running_var",
        "layer3.2.bn1.bias", "linear.weight", "linear.bias"}) {
    EXPECT_TRUE(find_value(graph, name)) << name;
  }
}

TEST(Zoo, mobilenetv2_names_its_parameters_as_torchvision_does) {
  const Graph graph = built("mobilenetv2");
  const std::pair<const char*, Shape> expected[] = {
      {"features.0.0.weight", {32, 3, 3, 3}},        {"features.1.conv.0.0.weight", {32, 1, 3, 3}},
      {"features.1.conv.1.weight", {16, 32, 1, 1}},  {"features.2.conv.0.0.weight", {96, 16, 1, 1}},
      {"features.2.conv.1.0.weight", {96, 1, 3, 3}}, {"features.2.conv.2.weight", {24, 96, 1, 1}},
      {"features.2.conv.3.running_var", {24}},       {"features.18.0.weight", {1280, 320, 1, 1}},
      {"classifier.1.weight", {1000, 1280}}};
  for (const auto& [name, shape] : expected) {
    const auto id = find_value(graph, name);
    ASSERT_TRUE(id) << name;
    EXPECT_EQ(graph.value(*id).constant->shape(), shape) << name;
  }
}

TEST(Zoo, nets_of_the_lottery_ticket_paper_have_its_numbers_of_weights) {
  const auto weights = [](const std::string& name, size_t least_rank) {
    int64_t count = 0;
    for (const Value& value : built(name).values) {
      if (value.constant && value.constant->shape().size() >= least_rank) {
        count += value.constant->size();
      }
    }
    return count;
  };
  EXPECT_EQ(weights("conv2", 4), 38'592);
  EXPECT_EQ(weights("conv4", 4), 259'776);
  EXPECT_EQ(weights("conv6", 4), 1'144'512);
  EXPECT_EQ(weights("conv2", 2), 4'300'992);
  EXPECT_EQ(weights("conv4", 2), 2'425'024);
  EXPECT_EQ(weights("conv6", 2), 2'261'184);
}

TEST(Zoo, nets_of_the_lottery_ticket_paper_begin_at_glorots_variance) {
  for (const auto& [name, fans] : std::initializer_list<std::pair<const char*, double>>{
           {"features.0.weight", 27 + 576}, {"classifier.0.weight", 16384 + 256}}) {
    const auto weights =
        built("conv2").value(*find_value(built("conv2"), name)).constant->as<float>();
    double squares = 0;
    for (const float w : weights) squares += static_cast<double>(w) * w;
    EXPECT_NEAR(squares / static_cast<double>(weights.size()) / (2 / fans), 1, 0.1) << name;
  }
}

TEST(Zoo, plain20_is_resnet20_without_what_adds) {
  const auto has = [](const std::string& name, const std::string& op_type) {
    return std::ranges::any_of(built(name).nodes,
                               [&](const Node& node) { return node.op_type == op_type; });
  };
  EXPECT_TRUE(has("resnet20", "Add"));
  EXPECT_FALSE(has("plain20", "Add"));
  EXPECT_FALSE(has("plain20", "Pad"));
}

TEST(Zoo, scales_of_network_slimming_start_at_a_half) {
  for (const auto& [name, start] :
       std::initializer_list<std::pair<const char*, float>>{{"mlp500-300-bn", 0.5f},
                                                            {"vgg11-bn-half", 0.5f},
                                                            {"preresnet20", 0.5f},
                                                            {"densenet40", 0.5f},
                                                            {"vgg19-bn", 0.5f},
                                                            {"vgg16-bn", 1.0f}}) {
    const Graph graph = built(name);
    for (const Node& node : graph.nodes) {
      if (node.op_type != "BatchNormalization") continue;
      const auto scale = graph.value(node.inputs[1]).constant->as<float>();
      EXPECT_EQ(std::ranges::count(scale, start), std::ssize(scale)) << node.name;
    }
  }
}

TEST(Zoo, preresnet_projects_what_the_first_activation_of_a_stage_gives) {
  const Graph graph = built("preresnet20");
  const auto active = find_value(graph, "layer2.0.relu1");
  std::vector<std::string> readers;
  for (const Node& node : graph.nodes) {
    if (std::ranges::find(node.inputs, *active) != node.inputs.end()) readers.push_back(node.name);
  }
  EXPECT_EQ(readers, (std::vector<std::string>{"layer2.0.conv1", "layer2.0.downsample"}));
}

TEST(Zoo, densenet_grows_by_twelve_channels_a_layer) {
  const Graph graph = built("densenet40");
  const Inferred inferred = infer(graph);
  EXPECT_EQ(inferred.shape(*find_value(graph, "dense1.11.concat")), (Shape{1, 160, 32, 32}));
  EXPECT_EQ(inferred.shape(*find_value(graph, "dense2.11.concat")), (Shape{1, 304, 16, 16}));
  EXPECT_EQ(inferred.shape(*find_value(graph, "dense3.11.concat")), (Shape{1, 448, 8, 8}));
}

TEST(Zoo, option_a_shortcut_halves_the_image_and_pads_channels_on_both_sides) {
  const Graph graph = built("resnet20");
  const Inferred inferred = infer(graph);
  EXPECT_EQ(inferred.shape(*find_value(graph, "layer2.0.shortcut.slice")), (Shape{1, 16, 16, 16}));
  EXPECT_EQ(inferred.shape(*find_value(graph, "layer2.0.shortcut.pad")), (Shape{1, 32, 16, 16}));
  const auto pads = find_value(graph, "layer2.0.shortcut.pads");
  EXPECT_EQ(to_int64s(*graph.value(*pads).constant),
            (std::vector<int64_t>{0, 8, 0, 0, 0, 8, 0, 0}));
}

}  // namespace
}  // namespace coppice
