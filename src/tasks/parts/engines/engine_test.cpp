// Models timed in ONNX Runtime from outside, and what is said where that can't be.

#include "tasks/parts/engines/engine.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "support/temp_dir.h"
#include "support/watcher.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr char kNone[] = "no ONNX Runtime; './dev setup' installs it";

TEST(RunningEngine, times_models_in_turns_whether_they_are_files_or_not) {
  auto engine = RunningEngine::start(*find_engine("onnxruntime"));
  if (!engine) GTEST_SKIP() << kNone;
  EXPECT_EQ(engine->version().find("onnxruntime-node 1."), 0u) << engine->version();
  const Graph graph = build_zoo_model("lenet5", 1);
  std::vector<EngineModel> models;
  std::filesystem::path written;
  for (int i = 0; i < 2; ++i)
    models.emplace_back("zoo:lenet5", graph, InputSizes{.inputs = {}, .batch = 2});
  written = models.front().path();
  HeardWatcher watcher;
  const std::vector<Latency> found = engine->measure(models, 1, 1, watcher);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].runs, found[1].runs);
  EXPECT_GT(found[0].min_ms, 0);
  EXPECT_LE(found[0].min_ms, found[0].median_ms);
  EXPECT_TRUE(std::filesystem::exists(written));
  models.clear();
  EXPECT_FALSE(std::filesystem::exists(written)) << "what was written for it is removed with it";
}

TEST(RunningEngine, says_in_the_runtimes_own_words_why_it_refuses_a_model) {
  auto engine = RunningEngine::start(*find_engine("onnxruntime"));
  if (!engine) GTEST_SKIP() << kNone;
  const TempDir dir;
  const std::string path = (dir / "broken.onnx").string();
  write_text(path, "this is no model");
  const std::vector<EngineModel> models = {{path, build_zoo_model("lenet5", 1), {}}};
  HeardWatcher watcher;
  try {
    engine->measure(models, 1, 1, watcher);
    FAIL() << "no error";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(message.find("broken.onnx': ONNX Runtime refuses it: "), std::string::npos)
        << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(RunningEngine, a_package_that_is_not_installed_is_an_ordinary_no) {
  const TimingEngine none{
      .name = "none", .about = "None", .package = "coppice-has-no-such-package"};
  EXPECT_FALSE(RunningEngine::start(none));
  EXPECT_NE(missing_engine(none).find("npm install coppice-has-no-such-package"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
