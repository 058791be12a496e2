// What prune writes, judged from outside: a plan carried out by hand on the original (every index
// that isn't kept set to its neutral value) and the file that prune wrote give the same numbers in
// ONNX Runtime, and `coppice verify` says so too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cli/program.h"
#include "core/files.h"
#include "core/random.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "support/onnx_checker.h"
#include "support/onnxruntime.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// Sums run in another order once terms are gone: some 1e-6 of the largest output.
constexpr double kTolerance = 1e-4;

Graph masked_by_hand(const std::filesystem::path& model, const std::filesystem::path& plan) {
  Graph graph = read_onnx(model);
  const auto slices = nlohmann::json::parse(read_text(plan)).at("slices");
  for (const auto& slice : slices) {
    Tensor& tensor = *graph.value(*find_value(graph, slice.at("tensor"))).constant;
    const auto keep = slice.at("keep").get<std::set<int64_t>>();
    std::vector<int64_t> gone;
    for (int64_t i = 0; i < slice.at("size"); ++i) {
      if (!keep.contains(i)) gone.push_back(i);
    }
    fill_slices(tensor, slice.at("axis"), gone, slice.value("fill", 0.0f));
  }
  return graph;
}

double difference(const Tensor& a, const Tensor& b) {
  double largest = 1e-20, off = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a.as<float>()[i])));
    off = std::max(off, std::fabs(static_cast<double>(a.as<float>()[i]) - b.as<float>()[i]));
  }
  return off / largest;
}

void expect_judges_agree(OnnxRuntime& judge, const std::string& model,
                         const Arguments& options = {}) {
  const TempDir dir;
  Arguments arguments{"prune",     model, "-o",        dir / "small.onnx",
                      "--latency", "off", "--recover", "none"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Ran ran = coppice(arguments);
  ASSERT_EQ(ran.code, 0) << ran.err;
  write_onnx(masked_by_hand(model, dir / "small.plan.json"), dir / "masked.onnx");
  const Ran verified = coppice({"verify", dir / "masked.onnx", dir / "small.onnx"});
  EXPECT_EQ(verified.code, 0) << verified.err;

  const Graph graph = read_onnx(dir / "small.onnx");
  Random random(5);
  std::vector<NamedTensor> inputs;
  for (const ValueId id : graph.inputs) {
    Tensor tensor = Tensor::zeros(DType::f32, input_shape(graph, id, {}));
    random.fill_normal(tensor.mutate<float>(), 1);
    inputs.push_back({graph.value(id).name, tensor});
  }
  const auto expected = judge.run(dir / "masked.onnx", inputs);
  const auto found = judge.run(dir / "small.onnx", inputs);
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LT(difference(expected[i].tensor, found[i].tensor), kTolerance) << expected[i].name;
  }
}

TEST(OutsideJudge, agrees_on_networks_of_the_zoo) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir dir;
  for (const char* name : {"lenet300-100", "lenet5", "resnet20", "mobilenetv2"}) {
    SCOPED_TRACE(name);
    ASSERT_EQ(coppice({"zoo", name, "-o", dir / "model.onnx"}).code, 0);
    expect_judges_agree(*judge, dir / "model.onnx");
  }
}

// The normalisations read channels of their own out of streams that keep their width.
TEST(OutsideJudge, agrees_on_selected_channels_of_a_pre_activation_network) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir dir;
  const std::string model = dir / "model.onnx", small = dir / "small.onnx";
  ASSERT_EQ(coppice({"zoo", "preresnet20", "-o", model}).code, 0);
  const Arguments options{"--method", "bn-scale", "--prune-ratio", "0.4", "--round-to", "1"};
  expect_judges_agree(*judge, model, options);
  Arguments arguments{"prune", model, "-o", small, "--latency", "off", "--verify", "off"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  ASSERT_EQ(coppice(arguments).code, 0);
  EXPECT_GT(std::ranges::count(read_onnx(small).nodes, "Gather", &Node::op_type), 0);
}

TEST(OutsideJudge, agrees_on_trained_networks) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  for (const char* name :
       {"cifar10/resnet20_raw_export.onnx", "cifar10/resnet8_mlperf.onnx",
        "imagenet/darknet_tiny_224.onnx", "imagenet/squeezenet_1.0_deepcompressed_227.onnx",
        "imagenet/mobilenet_v2_1.0_224.onnx", "misc/vww_mobilenet_v1_0.25_96.onnx"}) {
    SCOPED_TRACE(name);
    expect_judges_agree(*judge, *data / "models" / name);
  }
}

// Files of many exporters: a table or a reason, never a crash.
TEST(WildModels, are_inspected_and_pruned_or_refused_with_a_reason) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  for (const auto& entry : std::filesystem::directory_iterator(*data / "models" / "wild")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename());
    const TempDir dir;
    const Ran inspected = coppice({"inspect", entry.path(), "--json"});
    ASSERT_EQ(inspected.code, 0) << inspected.err;
    EXPECT_GT(inspected.json()["nodes"], 0);
    const Ran pruned =
        coppice({"prune", entry.path(), "-o", dir / "small.onnx", "--quiet", "--latency", "off"});
    if (pruned.code == 0) continue;
    EXPECT_TRUE(fails(pruned, pruned.code == 4 ? 4 : 3, ""));
    EXPECT_EQ(names_in(dir.path()), std::set<std::string>{});
  }
}

TEST(Checker, accepts_what_every_command_writes) {
  const TempDir dir;
  const std::string net = dir / "net.onnx", plan = dir / "plan.json";
  const auto run = [](const Arguments& arguments) {
    const Ran ran = coppice(arguments);
    EXPECT_EQ(ran.code, 0) << ran.err;
  };
  run({"zoo", "lenet5", "-o", net});
  run({"prune", net, "-o", dir / "cut.onnx", "--plan", plan, "--latency", "off"});
  run({"prune", net, "-o", dir / "rewritten.onnx", "--fold-bn", "--simplify", "--latency", "off"});
  run({"prune", net, "-o", dir / "sparse.onnx", "--method", "magnitude", "--sparsity", "0.8",
       "--latency", "off", "--plan", dir / "sparse.json"});
  run({"apply", plan, net, "-o", dir / "applied.onnx"});
  run({"compress", dir / "cut.onnx", "-o", dir / "cut.coppice"});
  run({"compress", net, "-o", dir / "shared.coppice", "--bits", "4"});
  run({"decompress", dir / "cut.coppice", "-o", dir / "again.onnx"});
  run({"decompress", dir / "shared.coppice", "-o", dir / "shared.onnx"});
  Graph beside = read_onnx(net);
  beside.foreign.storage = Foreign::Storage::beside;
  write_onnx(beside, dir / "beside.onnx");
  run({"prune", dir / "beside.onnx", "-o", dir / "cut_beside.onnx", "--latency", "off"});
  std::vector<std::filesystem::path> results;
  for (const std::string& name : names_in(dir.path())) {
    if (name.ends_with(".onnx")) results.push_back(dir / name);
  }
  EXPECT_EQ(results.size(), 9u);
  EXPECT_EQ(check_models(results), std::vector<std::string>(results.size(), "ok"));
}

}  // namespace
}  // namespace coppice
