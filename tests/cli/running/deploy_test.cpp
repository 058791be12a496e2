// Where models are deployed, from the command line: times in ONNX Runtime, and what is said where
// there is none, where it refuses a model, and where another CPU is meant.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// Layers that can be cut in front of an operator that nobody knows.
void write_mystery(const std::filesystem::path& path) {
  write_onnx(parse_text_graph(R"(
      input x float32 [1, 3, 8, 8]
      const w1 float32 [32, 3, 3, 3] random
      const w2 float32 [4, 32, 3, 3] random
      a = Conv(x, w1) {kernel_shape=[3, 3]}
      b = Relu(a)
      c = Conv(b, w2) {kernel_shape=[3, 3]}
      y = Mystery(c)
      output y)"),
             path);
}

Ran prune_for(const std::string& runtime, const TempDir& dir, const std::string& latency) {
  return coppice({"prune", "zoo:lenet5", "--for", runtime, "--latency", latency, "-o",
                  (dir / (runtime + latency + ".onnx")).string()});
}

TEST(Deploy, an_engine_that_is_not_there_is_named_with_what_installs_it) {
  const Ran ran =
      coppice_under("PATH=/nonexistent", {"bench", "zoo:lenet5", "--engine", "onnxruntime"});
  EXPECT_TRUE(fails(ran, 2, "ONNX Runtime isn't here")) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("npm install onnxruntime-node"));
}

TEST(Deploy, a_pruning_does_without_an_engine) {
  const TempDir dir;
  const Ran ran = coppice_under(
      "PATH=/nonexistent", {"prune", "zoo:lenet5", "-o", (dir / "small.onnx").string(), "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, Not(HasSubstr("not measured")));
}

TEST(Deploy, a_model_that_the_engine_refuses_is_named_with_its_own_words_in_one_line) {
  if (!OnnxRuntime::start()) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir dir;
  write_mystery(dir / "odd.onnx");
  const Ran ran = coppice({"bench", (dir / "odd.onnx").string(), "--engine", "onnxruntime"});
  EXPECT_TRUE(fails(ran, 3, "odd.onnx': ONNX Runtime refuses it: ")) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Mystery"));
}

TEST(Deploy, a_pruning_that_the_engine_refuses_is_written_and_says_so) {
  if (!OnnxRuntime::start()) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir dir;
  write_mystery(dir / "odd.onnx");
  const Ran ran = coppice({"prune", (dir / "odd.onnx").string(), "-o", (dir / "o.onnx").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("latency not measured: '" + (dir / "odd.onnx").string() +
                                 "': ONNX Runtime refuses it: "));
  EXPECT_TRUE(std::filesystem::exists(dir / "o.onnx"));
}

TEST(Deploy, times_of_another_cpus_blocks_come_with_a_warning) {
  const TempDir dir;
  constexpr char kSaid[] = "times measured here aren't those of ONNX Runtime on a CPU with AVX";
  int warned = 0;
  for (const char* runtime : {"onnxruntime-avx2", "onnxruntime-avx512"}) {
    const Ran ran = prune_for(runtime, dir, "on");
    ASSERT_EQ(ran.code, 0) << ran.err;
    warned += ran.err.find(kSaid) != std::string::npos;
    EXPECT_THAT(prune_for(runtime, dir, "off").err, Not(HasSubstr(kSaid)));
  }
  EXPECT_EQ(warned, 1) << "this CPU has one of the two";
  EXPECT_THAT(prune_for("onnxruntime", dir, "on").err, Not(HasSubstr(kSaid)));
}

TEST(Deploy, a_calibration_foretells_times_and_is_kept) {
  if (!OnnxRuntime::start()) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir cache;
  const std::string kept = "export XDG_CACHE_HOME='" + cache.path().string() + "'";
  const Arguments bench = {"bench", "zoo:lenet5", "--engine", "onnxruntime", "--json"};
  EXPECT_TRUE(coppice_under(kept, bench).json()["foretold_ms"].is_null()) << "nothing is known yet";
  Arguments calibrate = bench;
  calibrate.emplace_back("--calibrate");
  const Ran ran = coppice_under(kept, calibrate);
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json first = ran.json();
  for (const char* rate :
       {"dense", "pointwise", "depthwise", "grouped", "lone", "matrix", "element"}) {
    ASSERT_TRUE(first["rates"].contains(rate)) << rate;
    EXPECT_GE(first["rates"][rate], 0) << rate;
  }
  EXPECT_GT(first["foretold_ms"], 0);
  const json second = coppice_under(kept, bench).json();
  EXPECT_EQ(second["foretold_ms"], first["foretold_ms"]);
  EXPECT_FALSE(second.contains("rates"));
}

TEST(Deploy, a_calibration_is_of_an_engine_from_outside) {
  EXPECT_TRUE(fails(coppice({"bench", "--calibrate"}), 2, "--engine onnxruntime"));
}

}  // namespace
}  // namespace coppice
