// Names of runtimes, and what their rules make of widths.

#include "prune/runtimes/runtimes.h"

#include <gtest/gtest.h>

#include "prune/runtimes/estimate.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

TEST(Runtimes, every_name_is_one_and_others_are_not) {
  for (const char* name : runtime_names()) {
    const Runtime* const runtime = find_runtime(name);
    ASSERT_NE(runtime, nullptr) << name;
    EXPECT_EQ(find_runtime(runtime->name), runtime) << name << " is said again as itself";
    EXPECT_EQ(runtime->block % runtime->lane, 0) << name;
  }
  EXPECT_EQ(find_runtime("tensorrt"), nullptr);
}

TEST(Runtimes, this_cpu_has_the_blocks_of_what_is_usual) {
  EXPECT_TRUE(runs_here(usual_runtime()));
  EXPECT_EQ(&usual_runtime(), find_runtime("onnxruntime"));
}

// An inverted-residual block of so many channels inside.
double block_ms(int64_t width, const char* runtime, int64_t* slow = nullptr) {
  const std::string n = std::to_string(width);
  const Graph graph = parse_text_graph(
      "input x float32 [1, 32, 28, 28]\nconst a float32 [" + n + ", 32, 1, 1] random\n" +
      "const d float32 [" + n + ", 1, 3, 3] random\nconst c float32 [32, " + n +
      ", 1, 1] random\np = Conv(x, a)\nq = Conv(p, d) {group = " + n +
      ", pads = [1, 1, 1, 1]}\ny = Conv(q, c)\noutput y");
  const TimeEstimate found = estimated_time(graph, infer(graph), *find_runtime(runtime));
  if (slow) *slow = found.slow_layers;
  return found.ms;
}

TEST(EstimatedTime, a_width_off_multiples_of_four_is_slower_than_the_uncut_one_in_onnx_runtime) {
  int64_t slow = 0;
  EXPECT_GT(block_ms(190, "onnxruntime-avx2", &slow), 1.7 * block_ms(192, "onnxruntime-avx2"));
  EXPECT_EQ(slow, 2) << "the depthwise layer, and the one that reads it";
  EXPECT_LT(block_ms(176, "onnxruntime-avx2", &slow), block_ms(192, "onnxruntime-avx2"));
  EXPECT_EQ(slow, 0);
  EXPECT_LT(block_ms(190, "onnxruntime-web"), block_ms(192, "onnxruntime-web"));
  EXPECT_LT(block_ms(190, "opencv"), block_ms(192, "opencv"));
}

TEST(EstimatedTime, a_part_of_a_block_takes_the_time_of_all_of_it) {
  EXPECT_NEAR(block_ms(180, "onnxruntime-avx512"), block_ms(192, "onnxruntime-avx512"), 1e-9);
  EXPECT_LT(block_ms(176, "onnxruntime-avx512"), block_ms(180, "onnxruntime-avx512"));
}

}  // namespace
}  // namespace coppice
