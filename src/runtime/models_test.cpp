// Real trained models: compiled equals reference equals ONNX Runtime.

#include <filesystem>

#include "core/error.h"
#include "onnx/onnx.h"
#include "support/onnxruntime.h"
#include "support/shared_data.h"
#include "support/test_net.h"

namespace coppice {
namespace {

// Some 60 layers add their rounding errors; measured at most 3e-6 of the largest output.
constexpr double kDeepTolerance = 2e-5;

const Target kOneThread{.threads = 1};

std::vector<std::filesystem::path> models_in(const std::filesystem::path& data) {
  std::vector<std::filesystem::path> models{data / "models/wild/mnist_cntk.onnx",
                                            data / "models/wild/ultraface_rfb320.onnx"};
  for (const char* folder : {"cifar10", "imagenet", "mnist", "misc"}) {
    for (const auto& entry : std::filesystem::directory_iterator(data / "models" / folder)) {
      if (entry.path().extension() == ".onnx") models.push_back(entry.path());
    }
  }
  std::sort(models.begin(), models.end());
  return models;
}

TEST(Models, compiled_equals_reference) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  for (const auto& path : models_in(*data)) {
    SCOPED_TRACE(path.filename().string());
    const Graph graph = read_onnx(path);
    Executable executable = compile(graph, {}, kOneThread);
    const std::vector<Tensor> inputs = random_inputs(executable, 1);
    expect_close(executable.run(inputs), run_reference(graph, inputs), kDeepTolerance);
  }
}

TEST(Models, compiled_equals_onnxruntime) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  for (const auto& path : models_in(*data)) {
    SCOPED_TRACE(path.filename().string());
    InputSizes sizes;
    sizes.batch = 2;
    Executable executable = compile(read_onnx(path), sizes, kOneThread);
    const std::vector<Tensor> inputs = random_inputs(executable, 1);
    std::vector<NamedTensor> named;
    for (size_t i = 0; i < inputs.size(); ++i) {
      named.push_back({executable.input_names()[i], inputs[i]});
    }
    std::vector<Tensor> expected;
    for (NamedTensor& output : judge->run(path, named))
      expected.push_back(std::move(output.tensor));
    expect_close(executable.run(inputs), expected, kDeepTolerance);
  }
}

TEST(Models, what_cannot_be_run_is_refused_by_name) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  try {
    compile(read_onnx(*data / "models/wild/finn_tfc.onnx"));
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("(MultiThreshold)"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
