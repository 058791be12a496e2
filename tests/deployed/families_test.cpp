// Families of nets, cut for each runtime as 'prune --for' writes them, load there and give the
// numbers that ours gives: ONNX Runtime in Node and in wasm, and OpenCV. A few by default, all with
// './dev test --all'.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "deployed/cut_for.h"
#include "deployed/nets.h"
#include "deployed/outputs.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "support/onnxruntime.h"
#include "support/outside/opencv.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

using Selection = OneShotOptions::Selection;

struct Family {
  const char* name;
  Graph (*net)();
  Selection selection = Selection::none;
  bool slow = true;
  // OpenCV 4.6 takes no product of tokens, which have three axes, and a vector:
  // LayerNormalization's scale. That is so of the uncut net, too.
  bool refused_by_opencv = false;
};

const std::array kFamilies = std::to_array<Family>({
    {"ResNet", [] { return build_zoo_model("resnet20", 1); }, Selection::none, false},
    {"pre-activation ResNet, with selections", [] { return build_zoo_model("preresnet20", 1); },
     Selection::before_batch_norms, false},
    {"MobileNetV2", [] { return build_zoo_model("mobilenetv2", 1); }, Selection::none, false},
    {"DenseNet", [] { return build_zoo_model("densenet40", 1); }},
    {"DenseNet, with selections", [] { return build_zoo_model("densenet40", 1); },
     Selection::before_batch_norms, false},
    {"ShuffleNet", shufflenet_shaped},
    {"U-Net", unet_shaped},
    {"YOLO", yolo_shaped},
    {"ViT", vit_shaped, Selection::none, true, true},
});

// Runs the graph here and there.
template <typename Judge>
void expect_equal_outputs(const Graph& graph, Judge& judge) {
  const TempDir dir;
  write_onnx(graph, dir / "small.onnx");
  Executable here = compile(graph, {});
  const std::vector<Tensor> inputs = random_inputs(here, 1);
  const NamedTensor ours{here.output_names()[0], here.run(inputs)[0]};
  try {
    const auto theirs = judge.run(dir / "small.onnx", {{here.input_names()[0], inputs[0]}});
    EXPECT_LT(difference({ours}, theirs), kAcrossRuntimes);
  } catch (const std::runtime_error& error) {
    ADD_FAILURE() << error.what();
  }
}

template <typename Judge>
void expect_families_load(Judge& judge, std::initializer_list<const char*> runtimes) {
  for (const Family& family : kFamilies) {
    if (family.slow && !std::getenv("COPPICE_TEST_ALL")) continue;
    if (family.refused_by_opencv && std::is_same_v<Judge, OpenCv>) continue;
    for (const char* runtime : runtimes) {
      SCOPED_TRACE(std::string(family.name) + " for " + runtime);
      expect_equal_outputs(cut_for(family.net(), family.selection, runtime), judge);
    }
  }
}

TEST(Families, load_in_onnx_runtime_and_give_the_same_numbers) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  expect_families_load(*judge, {"onnxruntime-avx2", "onnxruntime-avx512", "any"});
}

TEST(Families, load_in_onnx_runtime_web_and_give_the_same_numbers) {
  auto judge = OnnxRuntime::start("onnxruntime-web");
  if (!judge) GTEST_SKIP() << "no onnxruntime-web; './dev setup' installs it";
  expect_families_load(*judge, {"onnxruntime-web", "any"});
}

TEST(Families, load_in_opencv_and_give_the_same_numbers) {
  auto judge = OpenCv::start();
  if (!judge) GTEST_SKIP() << kNoOpenCv;
  expect_families_load(*judge, {"opencv", "any"});
}

TEST(Families, that_opencv_refuses_cut_are_refused_uncut) {
  auto judge = OpenCv::start();
  if (!judge) GTEST_SKIP() << kNoOpenCv;
  const TempDir dir;
  const Tensor images = Tensor::zeros(DType::f32, {1, 3, 32, 32});
  for (const Family& family : kFamilies) {
    if (!family.refused_by_opencv) continue;
    Graph net = family.net();
    net.value(net.outputs[0]).declared =
        Dims{{.size = -1, .symbol = "N"}, {.size = 10, .symbol = ""}};
    write_onnx(net, dir / "uncut.onnx");
    EXPECT_THROW(judge->run(dir / "uncut.onnx", {{net.value(net.inputs[0]).name, images}}),
                 std::runtime_error)
        << family.name << " is no longer refused: docs/deploy.md says so";
  }
}

}  // namespace
}  // namespace coppice
