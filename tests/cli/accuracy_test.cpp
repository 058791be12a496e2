// `coppice eval` on trained networks gives the accuracies that ONNX Runtime gave on the same files
// and images (README of the shared data). Slow ones run when COPPICE_TEST_ALL is set.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/program.h"
#include "support/shared_data.h"

namespace coppice {
namespace {

enum class Speed { quick, slow };

struct Trained {
  const char *model, *format, *data, *preprocess;
  double top1;  // in per cent
  std::optional<double> top5 = {};
  Speed speed = Speed::slow;
};

void PrintTo(const Trained& trained, std::ostream* out) { *out << trained.model; }

constexpr char kImageNet[] = "imagenet";

const Trained kTrained[] = {
    {"cifar10/resnet20.onnx", "cifar10", "cifar10", kImageNet, 91.73, {}, Speed::quick},
    {"cifar10/resnet32.onnx", "cifar10", "cifar10", kImageNet, 92.63},
    {"cifar10/resnet44.onnx", "cifar10", "cifar10", kImageNet, 93.10},
    {"cifar10/resnet56.onnx", "cifar10", "cifar10", kImageNet, 93.39},
    {"cifar10/resnet20_raw_export.onnx", "cifar10", "cifar10", kImageNet, 91.73},
    {"cifar10/resnet8_mlperf.onnx", "cifar10", "cifar10", "none", 87.19, {}, Speed::quick},
    {"mnist/lenet_300_100.onnx", "mnist", "mnist", "scale=1/255", 98.17, {}, Speed::quick},
    {"wild/mnist_cntk.onnx", "mnist", "mnist", "none", 98.91, {}, Speed::quick},
    {"imagenet/mobilenet_v2_1.0_224.onnx", "images", "imagenet-sample", "scale=1/127.5,mean=1",
     87.3, 97.6},
    {"imagenet/darknet_tiny_224.onnx", "images", "imagenet-sample", "scale=1/255", 64.2, 86.8},
    {"imagenet/squeezenet_1.0_deepcompressed_227.onnx", "images", "imagenet-sample",
     "order=bgr,mean=104,117,123,scale=1", 60.8, 83.6},
    {"imagenet/mobilenet_v1_0.25_224.onnx", "images", "imagenet-sample", kImageNet, 52.0, 74.8},
};

// Two of 10,000 images may fall the other way by rounding; images decoded by another JPEG
// library move five of 1,000.
double tolerance(const Trained& trained) {
  return std::string(trained.format) == "images" ? 0.5 : 0.02;
}

class Accuracy : public testing::TestWithParam<Trained> {};

TEST_P(Accuracy, is_what_onnx_runtime_measured) {
  const Trained& trained = GetParam();
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  if (trained.speed == Speed::slow && !std::getenv("COPPICE_TEST_ALL")) {
    GTEST_SKIP() << "slow; set COPPICE_TEST_ALL";
  }
  const std::string spec = std::string(trained.format) + ":" + (*data / trained.data).string();
  const Ran ran = coppice({"eval", *data / "models" / trained.model, "--data", spec, "--preprocess",
                           trained.preprocess, "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  constexpr double kRounding = 1e-9;  // of the decimal figures above
  const double allowed = tolerance(trained) + kRounding;
  EXPECT_NEAR(100 * ran.json()["top1"].get<double>(), trained.top1, allowed);
  if (trained.top5) {
    EXPECT_NEAR(100 * ran.json()["top5"].get<double>(), *trained.top5, allowed);
  }
}

INSTANTIATE_TEST_SUITE_P(Cli, Accuracy, testing::ValuesIn(kTrained), [](const auto& trained) {
  std::string name = std::filesystem::path(trained.param.model).stem().string();
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(c); }, '_');
  return name;
});

}  // namespace
}  // namespace coppice
