// The property that carries the weight: zeroing all slices of some units and running equals
// removing them and running. It guards relations, surgery and repair at once; ONNX Runtime is the
// judge.

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "groups/cut/surgery.h"
#include "onnx/onnx.h"
#include "support/onnxruntime.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// Sums run in another order once terms are gone: some 1e-6 of the largest output.
constexpr double kTolerance = 1e-4;

Removal random_removal(const Groups& groups, double share, Random& random) {
  Removal removal(groups.unit_count, 0);
  for (const Group& group : groups.free) {
    const auto most = static_cast<int64_t>(static_cast<double>(group.units()) * share);
    const std::vector<int64_t> order = random.permutation(group.units());
    for (int64_t i = 0; i < std::min(most, group.units() - 1); ++i) {
      removal[group.first_unit + order[i]] = 1;
    }
  }
  return removal;
}

std::vector<NamedTensor> random_inputs(const Graph& graph, int64_t batch, Random& random) {
  std::vector<NamedTensor> inputs;
  for (const ValueId id : graph.inputs) {
    Tensor tensor =
        Tensor::zeros(DType::f32, input_shape(graph, id, {.inputs = {}, .batch = batch}));
    random.fill_normal(tensor.mutate<float>(), 1);
    inputs.push_back({graph.value(id).name, std::move(tensor)});
  }
  return inputs;
}

double difference(const Tensor& a, const Tensor& b) {
  double largest = 0, off = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a.as<float>()[i])));
    off = std::max(off, std::fabs(static_cast<double>(a.as<float>()[i]) - b.as<float>()[i]));
  }
  return off / std::max(largest, 1e-20);
}

void expect_cut_equals_mask(OnnxRuntime& judge, const Graph& graph, double share, uint64_t seed) {
  const TempDir folder;
  Random random(seed);
  const Groups groups = find_groups(graph);
  ASSERT_FALSE(groups.free.empty());
  const Removal removal = random_removal(groups, share, random);
  Graph masked = graph, cut = graph;
  mask_units(masked, groups, removal);
  remove_units(cut, groups, removal);
  write_onnx(masked, folder / "masked.onnx");
  write_onnx(cut, folder / "cut.onnx");
  EXPECT_LT(onnx_bytes(cut), onnx_bytes(graph));
  const bool open = !graph.value(graph.inputs[0]).declared->front().fixed();
  for (const int64_t batch : open ? std::vector<int64_t>{1, 3} : std::vector<int64_t>{1}) {
    const auto inputs = random_inputs(graph, batch, random);
    const auto expected = judge.run(folder / "masked.onnx", inputs);
    const auto found = judge.run(folder / "cut.onnx", inputs);
    ASSERT_EQ(expected.size(), found.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(expected[i].tensor.shape(), found[i].tensor.shape());
      EXPECT_LT(difference(expected[i].tensor, found[i].tensor), kTolerance)
          << expected[i].name << " at batch " << batch;
    }
  }
}

class RemoveEqualsMask : public ::testing::TestWithParam<const char*> {};

TEST_P(RemoveEqualsMask, on_a_real_model) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Graph graph = read_onnx(*data / "models" / GetParam());
  for (const double share : {0.1, 0.5, 0.9}) {
    SCOPED_TRACE(share);
    expect_cut_equals_mask(*judge, graph, share, 7);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, RemoveEqualsMask,
    ::testing::Values("cifar10/resnet20.onnx", "cifar10/resnet20_raw_export.onnx",
                      "cifar10/resnet56.onnx", "cifar10/resnet8_mlperf.onnx",
                      "imagenet/mobilenet_v2_1.0_224.onnx", "imagenet/darknet_tiny_224.onnx",
                      "imagenet/squeezenet_1.0_deepcompressed_227.onnx",
                      "imagenet/mobilenet_v1_0.25_224.onnx", "mnist/lenet_300_100.onnx",
                      "misc/vww_mobilenet_v1_0.25_96.onnx", "wild/mnist_cntk.onnx"),
    [](const auto& model) {
      std::string name = std::filesystem::path(model.param).stem().string();
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

TEST(RemoveEqualsMask, on_every_zoo_model) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  for (const ZooModel& model : zoo_models()) {
    SCOPED_TRACE(model.name);
    expect_cut_equals_mask(*judge, model.build(1), 0.5, 3);
  }
}

}  // namespace
}  // namespace coppice
