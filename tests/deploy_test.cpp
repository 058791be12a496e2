// Where models are deployed: families of nets, cut for each runtime, load there and give the
// numbers that ours gives; and what docs/deploy.md says to write runs as it stands there.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "core/files.h"
#include "core/process/child_process.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "onnx/onnx.h"
#include "prune/runtimes/runtimes.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"
#include "verify/compare.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr double kAcrossRuntimes = 1e-4;  // Winograd's 3x3 convolutions differ by 1e-5
constexpr char kFolder[] = COPPICE_SOURCE_DIR;

struct Family {
  const char* net;
  OneShotOptions::Selection selection;
};

// Half the MACs, in the form that the runtime loads.
Graph cut_for(const Family& family, const char* runtime) {
  OneShotOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.runtime = find_runtime(runtime);
  options.selection = family.selection;
  Graph graph = prune_once(build_zoo_model(family.net, 1), find_criterion("l2"), options).graph;
  Settings settings(joined(form_options(), {{&kFor}}));
  settings.set(kFor, runtime);
  rewrite(graph, Form(settings));
  return graph;
}

double largest(const Tensor& tensor) {
  double most = 0;
  for (const float element : tensor.as<float>()) most = std::max<double>(most, std::abs(element));
  return most;
}

double furthest(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    most = std::max<double>(most, std::abs(a.as<float>()[i] - b.as<float>()[i]));
  }
  return most;
}

class Families : public testing::TestWithParam<const char*> {};

TEST_P(Families, load_where_they_are_deployed_and_give_the_same_numbers) {
  auto judge = OnnxRuntime::start(GetParam());
  if (!judge) GTEST_SKIP() << "no " << GetParam() << "; './dev setup' installs it";
  using Selection = OneShotOptions::Selection;
  const TempDir dir;
  for (const Family& family : std::to_array<Family>({{"resnet20", Selection::none},
                                                     {"preresnet20", Selection::before_batch_norms},
                                                     {"densenet40", Selection::before_batch_norms},
                                                     {"mobilenetv2", Selection::none}})) {
    for (const char* runtime : {"onnxruntime-avx2", "onnxruntime-web", "any"}) {
      SCOPED_TRACE(std::string(family.net) + " for " + runtime);
      const Graph graph = cut_for(family, runtime);
      write_onnx(graph, dir / "small.onnx");
      Executable ours = compile(graph, {});
      const std::vector<Tensor> inputs = random_inputs(ours, 1);
      std::vector<Tensor> outputs = ours.allocate_outputs();
      ours.run(inputs, outputs);
      const auto theirs = judge->run(dir / "small.onnx", {{ours.input_names()[0], inputs[0]}});
      EXPECT_LT(furthest(theirs[0].tensor, outputs[0]), kAcrossRuntimes * largest(outputs[0]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Packages, Families, testing::Values("onnxruntime-node", "onnxruntime-web"),
                         [](const auto& package) {
                           return std::string(package.param) == "onnxruntime-node" ? "node" : "web";
                         });

// The code behind "<!-- run: NAME -->".
std::string snippet(const std::string& name) {
  const std::string text = read_text(std::string(kFolder) + "/docs/deploy.md");
  const std::string mark = "<!-- run: " + name + " -->\n```";
  const size_t found = text.find(mark);
  if (found == std::string::npos) return "";
  const size_t begin = text.find('\n', found + mark.size()) + 1;
  return text.substr(begin, text.find("```", begin) - begin);
}

// What the command says first, in a folder with the model; nothing where it says nothing.
std::optional<std::string> said_beside_the_model(const std::string& file, const std::string& text,
                                                 const std::string& program) {
  const TempDir dir;
  write_onnx(cut_for({"resnet20", OneShotOptions::Selection::none}, "any"), dir / "small.onnx");
  write_text(dir / file, text);
  auto shell = ChildProcess::start({"sh", "-c",
                                    "cd '" + dir.path().string() + "' && NODE_PATH='" + kFolder +
                                        "/node_modules' " + program + " " + file + " 2>/dev/null"});
  return shell ? shell->receive_line() : std::nullopt;
}

bool runs(const std::string& program, const std::string& says) {
  auto shell = ChildProcess::start({"sh", "-c", program + " 2>/dev/null && echo yes"});
  return shell && shell->receive_line().value_or("") == says;
}

TEST(DeployDoc, node_loads_the_model_as_it_says) {
  if (!OnnxRuntime::start()) GTEST_SKIP() << kNoOnnxRuntime;
  EXPECT_EQ(said_beside_the_model("load.js", snippet("node"), "node"), "1x10");
}

TEST(DeployDoc, wasm_loads_the_model_as_it_says) {
  if (!OnnxRuntime::start("onnxruntime-web")) GTEST_SKIP() << "no onnxruntime-web";
  EXPECT_EQ(said_beside_the_model("load.js", snippet("node-web"), "node"), "1x10");
}

TEST(DeployDoc, opencv_loads_the_model_as_it_says) {
  if (!runs("python3 -c 'import cv2'", "yes")) GTEST_SKIP() << "no OpenCV; Debian: python3-opencv";
  EXPECT_EQ(said_beside_the_model("load.py", snippet("opencv"), "python3"), "1x10");
}

TEST(DeployDoc, names_every_runtime) {
  const std::string text = read_text(std::string(kFolder) + "/docs/deploy.md");
  for (const char* name : runtime_names()) {
    EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace coppice
