// Which opset a graph needs, what is written in an older one, and who is told of it.

#include "prune/runtimes/opset.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// A convolution with normalisation, activation, and a mean over the image whose axes are an input.
Graph net(int64_t opset) {
  Graph graph = parse_text_graph(R"(
      input x float32 [1, 3, 6, 6]
      const w float32 [4, 3, 3, 3] random
      const g float32 [4] random
      const b float32 [4] random
      const m float32 [4] random
      const v float32 [4] positive
      const axes int64 [2] = 2 3
      c = Conv(x, w)
      n = BatchNormalization(c, g, b, m, v) {training_mode = 0}
      r = Relu(n)
      y = ReduceMean(r, axes)
      output y)");
  graph.opset = opset;
  return graph;
}

TEST(NeededOpset, is_13_for_what_13_can_say) {
  EXPECT_EQ(needed_opset(net(22)).opset, 13);
  EXPECT_EQ(needed_opset(net(22)).node, "");
}

TEST(NeededOpset, is_of_the_node_that_needs_most) {
  Graph graph = parse_text_graph(R"(
      input x float32 [1, 4]
      const g float32 [4] random
      a = HardSwish(x)
      y = LayerNormalization(a, g)
      output y)");
  graph.opset = 22;
  const NeededOpset needed = needed_opset(graph);
  EXPECT_EQ(needed.opset, 17);
  EXPECT_NE(needed.node.find("LayerNormalization"), std::string::npos);
}

TEST(NeededOpset, of_what_is_not_known_is_the_graphs_own) {
  Graph graph = parse_text_graph("input x float32 [1, 4]\ny = Swish(x)\noutput y");
  graph.opset = 24;
  EXPECT_EQ(needed_opset(graph).opset, 24);
  graph.opset = 11;
  EXPECT_EQ(needed_opset(graph).opset, 11) << "nothing is raised";
}

TEST(NeededOpset, an_average_that_counts_what_lies_beyond_its_padding_stays) {
  for (const int64_t counts : {0, 1}) {
    Graph graph = parse_text_graph(
        "input x float32 [1, 3, 6, 6]\ny = AveragePool(x) {kernel_shape = [3, 3], strides = [2, "
        "2], pads = [1, 1, 1, 1], ceil_mode = 1, count_include_pad = " +
        std::to_string(counts) + "}\noutput y");
    graph.opset = 21;
    EXPECT_EQ(needed_opset(graph).opset, counts ? 21 : 13);
  }
}

TEST(LowerOpset, says_the_same_in_the_older_one) {
  const Graph before = net(22);
  Graph after = before;
  lower_opset(after, 13);
  EXPECT_EQ(after.opset, 13);
  const Node& mean = after.nodes.back();
  EXPECT_EQ(mean.inputs.size(), 1u);
  EXPECT_EQ(mean.attributes.integers("axes"), (std::vector<int64_t>{2, 3}));
  EXPECT_FALSE(after.nodes[1].attributes.has("training_mode"));
  const TempDir dir;
  write_onnx(after, dir / "lower.onnx");
  EXPECT_EQ(read_onnx(dir / "lower.onnx").opset, 13);
}

TEST(LowerOpset, is_written_into_a_file_that_came_with_another) {
  const TempDir dir;
  write_onnx(net(22), dir / "model.onnx");
  Graph graph = read_onnx(dir / "model.onnx");
  ASSERT_EQ(graph.opset, 22);
  lower_opset(graph, 17);
  write_onnx(graph, dir / "lower.onnx");
  EXPECT_EQ(read_onnx(dir / "lower.onnx").opset, 17);
}

TEST(LowerOpset, refuses_what_cannot_be_said_and_what_would_be_higher) {
  Graph graph = net(22);
  try {
    lower_opset(graph, 12);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_STREQ(error.what(), "the model can't be said in opset 12: nothing is written below 13");
  }
  try {
    lower_opset(graph, 23);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
}

TEST(OpsetRemark, is_for_runtimes_that_lose_their_fusions_and_says_what_helps) {
  const Runtime& onnxruntime = *find_runtime("onnxruntime-avx2");
  EXPECT_EQ(opset_remark(net(21), onnxruntime), "");
  EXPECT_EQ(opset_remark(net(22), *find_runtime("opencv")), "");
  const std::string remark = opset_remark(net(22), onnxruntime);
  EXPECT_NE(remark.find("1.21 to 1.24"), std::string::npos) << remark;
  EXPECT_NE(remark.find("'--opset lowest' writes 13"), std::string::npos) << remark;
}

}  // namespace
}  // namespace coppice
