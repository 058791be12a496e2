// What docs/deploy.md says: snippets run as they stand there.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "core/files.h"
#include "core/process/child_process.h"
#include "deployed/cut_for.h"
#include "onnx/onnx.h"
#include "prune/runtimes/runtimes.h"
#include "support/onnxruntime.h"
#include "support/outside/opencv.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr char kFolder[] = COPPICE_SOURCE_DIR;

// The code behind "<!-- run: NAME -->".
std::string snippet(const std::string& name) {
  const std::string text = read_text(std::string(kFolder) + "/docs/deploy.md");
  const std::string mark = "<!-- run: " + name + " -->\n```";
  const size_t found = text.find(mark);
  if (found == std::string::npos) return "";
  const size_t begin = text.find('\n', found + mark.size()) + 1;
  return text.substr(begin, text.find("```", begin) - begin);
}

// What the command says first, in a folder with the model; nothing where it says nothing. `after`
// the file's name: what else it is told.
std::optional<std::string> said_beside_the_model(const std::string& file, const std::string& text,
                                                 const std::string& program,
                                                 const std::string& after = "") {
  const TempDir dir;
  write_onnx(cut_for(build_zoo_model("resnet20", 1), OneShotOptions::Selection::none, "any"),
             dir / "small.onnx");
  write_text(dir / file, text);
  auto shell = ChildProcess::start({"sh", "-c",
                                    "cd '" + dir.path().string() + "' && NODE_PATH='" + kFolder +
                                        "/node_modules' " + program + " " + file + " " + after +
                                        " 2>/dev/null"});
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

TEST(DeployDoc, a_browser_loads_the_model_as_it_says) {
  if (!std::getenv("COPPICE_TEST_ALL")) GTEST_SKIP() << "slow; './dev test --all' runs it";
  if (!runs("chromium --version > /dev/null", "yes")) {
    GTEST_SKIP() << "no Chromium; './dev setup --peers' installs it";
  }
  if (!OnnxRuntime::start("onnxruntime-web")) GTEST_SKIP() << "no onnxruntime-web";
  const std::string browser = std::string("node '") + kFolder + "/tests/onnxruntime/browser.mjs'";
  const std::string package = std::string("'") + kFolder + "/node_modules/onnxruntime-web/dist'";
  EXPECT_EQ(said_beside_the_model("page.html", snippet("browser"), browser, package), "1x10");
}

TEST(DeployDoc, opencv_loads_the_model_as_it_says) {
  if (!OpenCv::start()) GTEST_SKIP() << kNoOpenCv;
  EXPECT_EQ(said_beside_the_model("load.py", snippet("opencv"), "/usr/bin/python3"), "1x10");
}

TEST(DeployDoc, names_every_runtime) {
  const std::string text = read_text(std::string(kFolder) + "/docs/deploy.md");
  for (const char* name : runtime_names()) {
    EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace coppice
