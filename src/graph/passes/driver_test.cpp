// Passes as they are run: verified, counted, left out.
#include "graph/passes/driver.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/passes/fuse_batch_norm.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
  input x float32 [2, 3, 4, 4]
  const w float32 [5, 3, 1, 1] random
  const s float32 [5] random
  const b float32 [5] random
  const m float32 [5] random
  const v float32 [5] positive
  y = Conv(x, w)
  z = BatchNormalization(y, s, b, m, v)
  output z
)";

Graph net() { return parse_text_graph(kNet); }

int64_t runs_of(const std::string& name) {
  for (const PassTiming& timing : pass_timings()) {
    if (timing.name == name) return timing.runs;
  }
  return 0;
}

TEST(Passes, are_counted_and_timed_by_name) {
  const int64_t before = runs_of("fold-batch-norms");
  Graph graph = net();
  fuse_batch_norms(graph);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(runs_of("fold-batch-norms"), before + 1);
}

TEST(Passes, can_be_left_out_by_name) {
  skip_passes({"fold-batch-norms"});
  Graph graph = net();
  fuse_batch_norms(graph);
  EXPECT_EQ(graph.nodes.size(), 2u);
  skip_passes({});
  fuse_batch_norms(graph);
  EXPECT_EQ(graph.nodes.size(), 1u);
}

TEST(Passes, that_are_none_or_needed_cannot_be_left_out) {
  const auto message_of = [](const char* name) -> std::string {
    try {
      skip_passes({name});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(
      message_of("fold"),
      "no pass 'fold' to skip, expected some of fold-weights, shuffles-to-gathers, "
      "separate-vectors, "
      "add-selections, merge-copies, fold-shapes, fold-constants, remove-no-ops, fold-batch-norms");
  EXPECT_NE(message_of("settle-selections"), "");
}

TEST(Passes, that_break_a_graph_are_named) {
  if (!std::getenv("COPPICE_VERIFY_PASSES")) GTEST_SKIP() << "graphs aren't verified here";
  Graph graph = net();
  const Pass breaking{"breaking", "reads what nobody gives"};
  try {
    run_pass(breaking, graph, [&] { graph.nodes[0].inputs[0] = graph.nodes[1].outputs[0]; });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal);
    EXPECT_NE(std::string(error.what()).find("pass 'breaking' broke the graph"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
