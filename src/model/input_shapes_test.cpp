#include "model/input_shapes.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

Graph open_net() {
  return parse_text_graph("input x float32 [N, 3, H, W]\n y = Relu(x)\n output y");
}

std::string refusal(const InputShapes& shapes) {
  Graph graph = open_net();
  try {
    set_open_sizes(graph, shapes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "not refused";
}

TEST(InputShapes, are_read_from_a_name_and_sizes) {
  EXPECT_EQ(parse_input_shape("x=1x3x32x32"), (std::pair<std::string, Shape>("x", {1, 3, 32, 32})));
  EXPECT_EQ(parse_input_shape("a=b=5").first, "a=b");
  for (const char* wrong : {"x", "=1x2", "x=", "x=1x", "x=axb", "x=1x0", "x=1,3"}) {
    EXPECT_THROW(parse_input_shape(wrong), Error) << wrong;
  }
}

TEST(InputShapes, are_what_the_model_is_inferred_at_and_no_batch_of_it) {
  Graph graph = open_net();
  EXPECT_EQ(assumed_sizes(graph), "input 'x' is Nx3xHxW, taken as 1x3x224x224");
  set_open_sizes(graph, {{"x", {1, 3, 32, 48}}});
  EXPECT_EQ(assumed_sizes(graph), "");
  EXPECT_EQ(infer(graph, {.inputs = {}, .batch = 5}).shape(graph.outputs[0]),
            (Shape{5, 3, 32, 48}));
}

TEST(InputShapes, files_leave_open_what_was_open) {
  const TempDir dir;
  write_onnx(open_net(), dir / "open.onnx");
  Graph graph = read_onnx(dir / "open.onnx");
  const auto declared = graph.value(graph.inputs[0]).declared;
  set_open_sizes(graph, {{"x", {1, 3, 32, 48}}});
  write_onnx(graph, dir / "again.onnx");
  const Graph again = read_onnx(dir / "again.onnx");
  EXPECT_EQ(again.value(again.inputs[0]).declared, declared);
}

TEST(InputShapes, of_other_inputs_ranks_or_sizes_are_refused) {
  EXPECT_NE(
      refusal({{"y", {1, 3, 4, 4}}}).find("names no input of the model: found 'y', expected 'x'"),
      std::string::npos);
  EXPECT_NE(refusal({{"x", {1, 3, 4}}}).find("is Nx3xHxW in the model, found 1x3x4"),
            std::string::npos);
  EXPECT_NE(refusal({{"x", {1, 1, 4, 4}}}).find("found 1x1x4x4"), std::string::npos);
}

}  // namespace
}  // namespace coppice
