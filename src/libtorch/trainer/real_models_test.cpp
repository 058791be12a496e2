// Real models: the trainer's outputs equal those of the runtime and of ONNX Runtime, and one step
// changes the weights by a loss that is finite.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "graph/passes/separate_vectors.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "support/onnxruntime.h"
#include "support/shared_data.h"
#include "support/test_trainer.h"
#include "training/parameters.h"

namespace coppice::train {
namespace {

// Some 60 layers in float, with the normalisations fused on one side and not on the other.
constexpr double kTolerance = 1e-4;

// The largest take 0.3 s a step, so none is slow enough to be left out.
constexpr const char* kModels[] = {
    "cifar10/resnet20.onnx",
    "cifar10/resnet20_raw_export.onnx",
    "cifar10/resnet8_mlperf.onnx",
    "mnist/lenet_300_100.onnx",
    "wild/mnist_cntk.onnx",
    "misc/vww_mobilenet_v1_0.25_96.onnx",
    "imagenet/mobilenet_v1_0.25_224.onnx",
    "imagenet/squeezenet_1.0_deepcompressed_227.onnx",
    "imagenet/darknet_tiny_224.onnx",
    "imagenet/mobilenet_v2_1.0_224.onnx",
};

class RealModel : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto data = shared_data();
    if (!data) GTEST_SKIP() << kNoSharedData;
    path = *data / "models" / GetParam();
    graph = read_onnx(path);
    // Two images where the model lets us choose, of the habit's size.
    images = random_tensor(input_shape(graph, graph.inputs.front(), {.inputs = {}, .batch = 2}), 5);
  }

  std::filesystem::path path;
  Graph graph;
  Tensor images;
};

TEST_P(RealModel, forward_equals_the_runtime) {
  TestTrainer net(graph, {});
  const auto found = net.trainer->forward(images);
  InputSizes sizes;
  sizes.inputs[graph.value(graph.inputs.front()).name] = images.shape();
  const auto expected = compile(graph, sizes, {.threads = 1}).run(std::vector<Tensor>{images});
  ASSERT_EQ(found.size(), expected.size());
  for (size_t o = 0; o < found.size(); ++o) {
    EXPECT_LT(difference(expected[o], found[o]), kTolerance) << "output " << o;
  }
}

TEST_P(RealModel, forward_equals_onnxruntime) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  TestTrainer net(graph, {});
  const auto found = net.trainer->forward(images);
  const auto expected = judge->run(path, {{graph.value(graph.inputs.front()).name, images}});
  ASSERT_EQ(found.size(), expected.size());
  for (size_t o = 0; o < found.size(); ++o) {
    EXPECT_LT(difference(expected[o].tensor, found[o]), kTolerance) << "output " << o;
  }
}

// A weight of a dead filter gets no gradient, but weight decay moves it, too.
TEST_P(RealModel, a_step_changes_every_weight_by_a_finite_loss) {
  separate_vectors(graph);
  const int64_t classes = infer(graph).shape(graph.outputs.front()).back();
  TrainingSetup setup = for_classes(classes);
  setup.loss = {.distillation = 0.5};
  setup.teacher = &graph;
  TestTrainer net(graph, setup);
  const auto labels = random_labels(images.shape()[0], classes, 1);
  const StepResult result = net.trainer->step(images, labels, {.learning_rate = 0.01});
  EXPECT_TRUE(std::isfinite(result.loss)) << result.loss;
  EXPECT_GT(result.loss, 0);
  const auto [trained, state] = net.stored();
  EXPECT_EQ(state.updates, 1);
  const auto parameters = trained_parameters(graph);
  ASSERT_FALSE(parameters.empty());
  for (const Parameter& parameter : parameters) {
    const Tensor& after = *trained.value(parameter.id).constant;
    for (const float x : after.as<float>()) ASSERT_TRUE(std::isfinite(x));
    if (parameter.kind != Parameter::Kind::weight) continue;
    EXPECT_NE(after, *graph.value(parameter.id).constant) << graph.value(parameter.id).name;
  }
}

std::string test_name(const testing::TestParamInfo<const char*>& tested) {
  std::string name = std::filesystem::path(tested.param).stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, RealModel, testing::ValuesIn(kModels), test_name);

}  // namespace
}  // namespace coppice::train
